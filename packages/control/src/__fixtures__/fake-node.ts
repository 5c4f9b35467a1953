/**
 * A node that does what it is told at once, and keeps what its tasks print.
 */
import {
  isTerminal,
  SkepError,
  type AssignedTask,
  type Assignment,
  type AssignmentItem,
  type Clock,
  type LogLine,
  type LogQuestion,
  type LogStream,
  type NodeAnswer,
  type NodeLink,
  type NodeQuestion,
  type NodeSession,
  type Revision,
  type TaskId,
  type TaskState,
  type Timer,
} from '@skep/api';

/** What a fake node is made from. */
export interface FakeNodeParts {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly link: NodeLink;
  readonly clock: Clock;
}

/** A node without a machine. */
export class FakeNode {
  readonly id: string;
  /** How a question is answered; replace it to break the node. */
  answer: (question: NodeQuestion, signal: AbortSignal) => AsyncIterable<NodeAnswer>;
  /** Questions so far. */
  readonly questions: NodeQuestion[] = [];
  readonly #parts: FakeNodeParts;
  readonly #items = new Map<string, AssignmentItem>();
  readonly #states = new Map<TaskId, TaskState>();
  readonly #lines = new Map<TaskId, LogLine[]>();
  readonly #changed = new Set<() => void>();
  #session: NodeSession | undefined;
  #beat: Timer | undefined;
  #revision: Revision = 0;

  constructor(parts: FakeNodeParts) {
    this.id = parts.id;
    this.#parts = parts;
    this.answer = (question, signal) =>
      question.type === 'tables' ? this.#tables() : this.#logs(question, signal);
  }

  /** Comes in. */
  async connect(): Promise<void> {
    const { id, name, address, link } = this.#parts;
    const resources = { cpuNanos: 4e9, memoryBytes: 8 * 2 ** 30 };
    const description = {
      hostname: name,
      platform: { os: 'linux', architecture: 'x86_64' },
      resources,
      engine: { version: '1', labels: {} },
    };
    this.#session = await link.open(
      { nodeId: id, address, description },
      {
        assignment: (assignment) => void this.#take(assignment),
        closed: () => (this.#session = undefined),
        ask: (question, signal) => {
          this.questions.push(question);
          return this.answer(question, signal);
        },
      },
    );
    this.#heartbeat();
  }

  /** Goes, with a word. */
  async leave(): Promise<void> {
    this.#beat?.cancel();
    await this.#session?.close();
    this.#session = undefined;
  }

  #heartbeat(): void {
    const { clock } = this.#parts;
    const run = (): void => {
      this.#session?.heartbeat().catch(() => undefined);
      if (this.#session !== undefined) this.#heartbeat();
    };
    const at = clock.now() + (this.#session?.heartbeatPeriodMs ?? 0);
    this.#beat = clock.schedule(at, run, { isPeriodic: true });
  }

  /** Tasks that run here, by name. */
  get running(): readonly string[] {
    return [...this.#tasks()]
      .filter(({ id }) => this.#states.get(id) === 'running')
      .map(({ name }) => name)
      .sort();
  }

  /** A task prints a line. */
  print(taskId: TaskId, text: string, line: { time?: number; stream?: LogStream } = {}): void {
    const { time = this.#parts.clock.now(), stream = 'stdout' } = line;
    this.#linesOf(taskId).push({ time, stream, text });
    this.#wake();
  }

  /** A task ends. */
  async end(taskId: TaskId): Promise<void> {
    await this.#report(taskId, 'complete');
  }

  /** Forgets a task, as a node does some time after its end. */
  forget(taskId: TaskId): void {
    this.#lines.delete(taskId);
  }

  async #take({ type, revision, upserts, removals }: Assignment): Promise<void> {
    if (type === 'complete') this.#items.clear();
    for (const item of upserts) this.#items.set(`${item.kind}/${item.key}`, item);
    for (const { kind, key } of removals) this.#items.delete(`${kind}/${key}`);
    this.#revision = revision;
    for (const { id, desiredState, knownState } of this.#tasks()) {
      const state = this.#states.get(id) ?? knownState;
      if (isTerminal(state)) continue;
      const wanted = desiredState === 'running' ? 'running' : 'shutdown';
      if (desiredState === 'ready') continue;
      if (wanted === 'running') this.#linesOf(id);
      this.#states.set(id, state);
      if (state !== wanted) await this.#report(id, wanted);
    }
    await this.#session?.acknowledge({ appliedRevision: revision }).catch(() => undefined);
  }

  *#tasks(): Generator<AssignedTask> {
    for (const item of this.#items.values()) if (item.kind === 'task') yield item.value;
  }

  async #report(taskId: TaskId, state: TaskState): Promise<void> {
    this.#states.set(taskId, state);
    const timestamp = this.#parts.clock.now();
    await this.#session?.report([{ taskId, state, timestamp, message: state }]);
    this.#wake();
  }

  #linesOf(taskId: TaskId): LogLine[] {
    let lines = this.#lines.get(taskId);
    if (lines === undefined) this.#lines.set(taskId, (lines = []));
    return lines;
  }

  #wake(): void {
    for (const changed of [...this.#changed]) changed();
  }

  async *#tables(): AsyncGenerator<NodeAnswer> {
    const upserts = [...this.#items.values()];
    const assignment = {
      type: 'complete',
      revision: this.#revision,
      upserts,
      removals: [],
    } as const;
    yield await Promise.resolve({ type: 'tables', appliedRevision: this.#revision, assignment });
  }

  async *#logs(question: LogQuestion, signal: AbortSignal): AsyncGenerator<NodeAnswer> {
    const { taskIds, tail, since = 0, follow = false, streams = ['stdout', 'stderr'] } = question;
    const isWanted = ({ time, stream }: LogLine): boolean =>
      time >= since && streams.includes(stream);
    const told = new Map<TaskId, number>();
    const first: { readonly taskId: TaskId; readonly line: LogLine }[] = [];
    for (const taskId of taskIds) {
      const lines = this.#lines.get(taskId);
      if (lines === undefined) {
        yield { type: 'fault', taskId, code: 'not-found', message: 'there is no such task here' };
        continue;
      }
      told.set(taskId, lines.length);
      const wanted = lines.filter(isWanted);
      first.push(
        ...wanted
          .slice(tail === undefined ? 0 : -tail || wanted.length)
          .map((line) => ({ taskId, line })),
      );
    }
    first.sort((a, b) => a.line.time - b.line.time);
    for (const { taskId, line } of first) yield { type: 'line', taskId, ...line };
    while (follow && !signal.aborted) {
      for (const [taskId, count] of told) {
        const lines = this.#lines.get(taskId) ?? [];
        told.set(taskId, lines.length);
        for (const line of lines.slice(count)) {
          if (isWanted(line)) yield { type: 'line', taskId, ...line };
        }
        if (isTerminal(this.#states.get(taskId) ?? 'new')) told.delete(taskId);
      }
      if (told.size === 0) return;
      await this.#change(signal, told);
    }
  }

  /** Waits for a line, a state, or the end of the question. */
  async #change(signal: AbortSignal, told: ReadonlyMap<TaskId, number>): Promise<void> {
    const isNew = [...told].some(([taskId, count]) => {
      return this.#linesOf(taskId).length > count || isTerminal(this.#states.get(taskId) ?? 'new');
    });
    if (isNew) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#changed.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#changed.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

/** A node that takes a question and never says anything. */
export async function* silence(_: NodeQuestion, signal: AbortSignal): AsyncGenerator<NodeAnswer> {
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  throw new SkepError('aborted', 'nobody waits any more');
}
