/**
 * The node's side of a question: reads answers as the manager has room for them, and sends them.
 */
import type { NodeAnswer } from '@skep/api';
import { splitAssignment } from './assignment-parts.js';
import { errorToWire, type NodeFrame } from './wire.js';

/** What an answer sender needs. */
export interface AnswerSenderOptions {
  readonly question: number;
  readonly credit: number;
  readonly answers: (signal: AbortSignal) => AsyncIterable<NodeAnswer>;
  readonly send: (frame: NodeFrame) => void;
  /** Called once, when the last word is said or the question was cancelled. */
  readonly onOver: () => void;
}

/** Answers one question, from its start until it is over. */
export class AnswerSender {
  readonly #options: AnswerSenderOptions;
  readonly #abort = new AbortController();
  #credit: number;
  #resume: (() => void) | undefined;
  #isOver = false;

  constructor(options: AnswerSenderOptions) {
    this.#options = options;
    this.#credit = options.credit;
  }

  /** Begins. */
  start(): void {
    void this.#run();
  }

  /** The manager has room for so many more. */
  more(credit: number): void {
    this.#credit += credit;
    this.#resume?.();
    this.#resume = undefined;
  }

  /** Nobody reads any more. What the node still finds is dropped. */
  cancel(): void {
    if (this.#isOver) return;
    this.#end();
    this.#abort.abort();
    this.#resume?.();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { question, send } = this.#options;
    let answers: AsyncIterator<NodeAnswer> | undefined;
    try {
      answers = this.#options.answers(this.#abort.signal)[Symbol.asyncIterator]();
      while (await this.#hasCredit()) {
        const next = await answers.next();
        if (this.#isOver) break;
        if (next.done === true) {
          this.#end();
          send({ type: 'answered', question });
          return;
        }
        this.#credit -= 1;
        this.#send(next.value);
      }
    } catch (thrown) {
      if (this.#isOver) return;
      this.#end();
      this.#abort.abort();
      send({ type: 'answered', question, error: errorToWire(thrown) });
    }
    // A generator that was left on the way lets go of what it holds.
    answers?.return?.().catch(() => undefined);
  }

  /** Waits for credit; false when nobody reads any more. */
  async #hasCredit(): Promise<boolean> {
    while (this.#credit <= 0 && !this.#isOver) {
      await new Promise<void>((resolve) => (this.#resume = resolve));
    }
    return !this.#isOver;
  }

  #send(answer: NodeAnswer): void {
    const { question, send } = this.#options;
    if (answer.type !== 'tables') return send({ type: 'answer', question, answer });
    const { type, appliedRevision } = answer;
    for (const part of splitAssignment(answer.assignment)) {
      send({ type: 'answer', question, answer: { type, appliedRevision, ...part } });
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#options.onOver();
  }
}
