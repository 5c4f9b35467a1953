/**
 * The manager's side of a question: keeps the few answers that are under way until they are read.
 */
import type { SkepError } from '@skep/api';
import { type NodeAnswer } from '@skep/api';
import { AssignmentParts } from './assignment-parts.js';
import {
  brokenProtocol,
  checkLogAnswer,
  CREDIT,
  errorFromWire,
  isCount,
  isObject,
  type ManagerFrame,
} from './wire.js';
import type { Frame } from './frame.js';

type Result = IteratorResult<NodeAnswer, undefined>;
const DONE: Result = { done: true, value: undefined };

/** What an answer reader needs. */
export interface AnswerReaderOptions {
  readonly question: number;
  readonly signal: AbortSignal;
  readonly send: (frame: ManagerFrame) => void;
  /** Called once, when no answer is expected any more. */
  readonly onOver: () => void;
}

/**
 * Answers to one question as they are read: at most 64 are kept. Reading on gives the node credit
 * for more; leaving cancels the question.
 */
export class AnswerReader implements AsyncIterableIterator<NodeAnswer, undefined> {
  readonly #options: AnswerReaderOptions;
  readonly #kept: NodeAnswer[] = [];
  readonly #waiting: { resolve(result: Result): void; reject(error: unknown): void }[] = [];
  readonly #tables = new AssignmentParts();
  readonly #left = (): void => void this.return();
  /** Answers that the node may still send. */
  #credit = CREDIT;
  /** Answers that were read since credit was given last. */
  #read = 0;
  #isOver = false;
  #error: SkepError | undefined;

  constructor(options: AnswerReaderOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', this.#left, { once: true });
  }

  /** Answers that the node may send before it hears of more. */
  get credit(): number {
    return this.#credit;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    const answer = this.#kept.shift();
    if (answer !== undefined) {
      this.#giveCredit();
      return Promise.resolve({ done: false, value: answer });
    }
    if (!this.#isOver) {
      return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
    }
    const error = this.#error;
    this.#error = undefined;
    return error === undefined ? Promise.resolve(DONE) : Promise.reject(error);
  }

  /** Nobody reads any more: the node is told. */
  return(): Promise<Result> {
    this.#kept.length = 0;
    if (!this.#isOver) {
      const { question, send } = this.#options;
      send({ type: 'cancel', question });
      this.#end(undefined);
    }
    return Promise.resolve(DONE);
  }

  /** Takes an answer. @throws invalid-argument for what is none, or one without credit */
  take(value: unknown, bytes: number): void {
    if (this.#isOver) return;
    if (!isObject(value)) throw brokenProtocol('an answer has to be an object');
    const answer = this.#whole(value, bytes);
    if (answer === undefined) return;
    if (this.#credit === 0) throw brokenProtocol('an answer came that there was no credit for');
    this.#credit -= 1;
    const reader = this.#waiting.shift();
    if (reader === undefined) {
      this.#kept.push(answer);
    } else {
      this.#giveCredit();
      reader.resolve({ done: false, value: answer });
    }
  }

  /** The node has said everything, or why it cannot. What is kept can still be read. */
  answered(error: unknown): void {
    this.#end(error === undefined ? undefined : errorFromWire(error));
  }

  /** No answer comes any more. */
  fail(error: SkepError): void {
    this.#end(error);
  }

  #whole(value: Frame, bytes: number): NodeAnswer | undefined {
    if (value['type'] !== 'tables') return checkLogAnswer(value);
    const appliedRevision = value['appliedRevision'];
    if (!isCount(appliedRevision)) throw brokenProtocol('tables need the revision applied');
    const assignment = this.#tables.take(value, bytes);
    return assignment && { type: 'tables', appliedRevision, assignment };
  }

  /** In halves: one frame for many answers, and the node never has to wait for a reader at work. */
  #giveCredit(): void {
    this.#read += 1;
    if (this.#read < CREDIT / 2 || this.#isOver) return;
    const { question, send } = this.#options;
    send({ type: 'more', question, credit: this.#read });
    this.#credit += this.#read;
    this.#read = 0;
  }

  #end(error: SkepError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.signal.removeEventListener('abort', this.#left);
    const [first, ...others] = this.#waiting.splice(0);
    if (first === undefined || error === undefined) {
      this.#error = error;
      first?.resolve(DONE);
    } else {
      first.reject(error);
    }
    for (const reader of others) reader.resolve(DONE);
    this.#options.onOver();
  }
}
