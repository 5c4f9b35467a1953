/**
 * Both ends of a link, as the suite plays them: they do as a test says, and write down what they
 * hear.
 */
import {
  isSkepError,
  SkepError,
  type Assignment,
  type AssignmentItem,
  type LogAnswer,
  type NodeAnswer,
  type NodeHello,
  type NodeLink,
  type NodeLinkHandlers,
  type NodeSession,
} from '@skep/api';

/** A link under test. */
export interface LinkUnderTest {
  /** The node's end of a way that leads to the manager it was made for. */
  readonly link: NodeLink;
  /** Waits for a promise; a simulated link moves its clock meanwhile. */
  readonly settle: <T>(promise: Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
}

/** The node of every scene. */
export const HELLO: NodeHello = {
  nodeId: 'n1',
  address: '192.0.2.1',
  description: {
    hostname: 'node1',
    platform: { os: 'linux', architecture: 'amd64' },
    resources: { cpuNanos: 4e9, memoryBytes: 8e9 },
    engine: { version: '1', labels: { zone: 'ä' } },
  },
};

/** Things that happen, and a way to wait for so many of them. */
export class Heard<T> {
  readonly items: T[] = [];
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  add(item: T): void {
    this.items.push(item);
    for (const { count, resolve } of this.#waiting) if (this.items.length >= count) resolve();
  }

  atLeast(count: number): Promise<void> {
    if (this.items.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }
}

/** A manager that writes down what it hears, and says what a test has it say. */
export class ScriptedManager implements NodeLink {
  readonly calls = new Heard<string>();
  readonly hellos: NodeHello[] = [];
  readonly nodes: NodeLinkHandlers[] = [];
  /** What a call answers instead; every call fails with it. */
  fault: SkepError | undefined;
  /** What registration is refused with. */
  refusal: SkepError | undefined;
  takesNotices = true;

  async open(hello: NodeHello, handlers: NodeLinkHandlers): Promise<NodeSession> {
    if (this.refusal !== undefined) throw this.refusal;
    this.hellos.push(hello);
    this.nodes.push(handlers);
    const heard = async (call: string, value?: unknown): Promise<void> => {
      this.calls.add(value === undefined ? call : `${call} ${JSON.stringify(value)}`);
      if (this.fault !== undefined) throw this.fault;
    };
    return {
      sessionId: `s${this.hellos.length}`,
      heartbeatPeriodMs: 5_000,
      heartbeat: async () => {
        await heard('heartbeat');
        return { periodMs: 4_321 };
      },
      report: (reports) => heard('report', reports),
      acknowledge: (ack) => heard('acknowledge', ack),
      describe: (description) => heard('describe', description),
      ...(this.takesNotices ? { tell: (notices) => heard('tell', notices) } : {}),
      close: () => heard('close'),
    };
  }

  node(index = 0): NodeLinkHandlers {
    const node = this.nodes[index];
    if (node === undefined) throw new SkepError('internal', 'no session was opened');
    return node;
  }

  /** Asks the node; the reader is the test. */
  ask(signal: AbortSignal = new AbortController().signal): AsyncIterator<NodeAnswer> {
    const node = this.node();
    if (node.ask === undefined) throw new SkepError('internal', 'the node answers nothing');
    const answers = node.ask({ type: 'logs', taskIds: ['t1'] }, signal);
    return answers[Symbol.asyncIterator]();
  }
}

/** A node that writes down what it hears. */
export class ScriptedNode implements NodeLinkHandlers {
  readonly heard = new Heard<Assignment | string>();
  ask?: NonNullable<NodeLinkHandlers['ask']>;

  constructor(ask?: ScriptedNode['ask']) {
    if (ask !== undefined) this.ask = ask;
  }

  assignment(assignment: Assignment): void {
    this.heard.add(assignment);
  }

  closed(reason: string): void {
    this.heard.add(`closed: ${reason}`);
  }

  open(link: NodeLink): Promise<NodeSession> {
    return link.open(HELLO, this);
  }
}

/** A node and a manager with a link between them. */
export interface Scene {
  readonly manager: ScriptedManager;
  readonly link: NodeLink;
  readonly settle: LinkUnderTest['settle'];
  /** Opens a session of a node that answers like this. */
  readonly open: (
    ask?: ScriptedNode['ask'],
  ) => Promise<{ readonly node: ScriptedNode; readonly session: NodeSession }>;
}

/** Runs a test in a scene of its own. */
export type WithScene = (body: (scene: Scene) => Promise<void>) => () => Promise<void>;

/** A complete assignment of these items. */
export function assignmentOf(revision: number, items: readonly AssignmentItem[] = []): Assignment {
  return { type: 'complete', revision, upserts: items, removals: [] };
}

/** Some megabytes, in items of all sizes. */
export function largeAssignment(): Assignment {
  const items = Array.from({ length: 40 }, (_, index): AssignmentItem => {
    const id = `secret${index}`;
    const data = 'äb🐝'.repeat(1 + index * 1_000);
    return { kind: 'secret', key: id, value: { id, name: id, data } };
  });
  const removals = [{ kind: 'task', key: 'gone' } as const];
  return { type: 'incremental', revision: 9, appliesTo: 7, upserts: items, removals };
}

/** A line of a task. */
export const line = (text: string): LogAnswer => ({
  type: 'line',
  taskId: 't1',
  time: 1,
  stream: 'stdout',
  text,
});

/** `code message details` of what a promise rejects with. */
export async function refusalOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no refusal',
    (thrown: unknown) =>
      isSkepError(thrown)
        ? `${thrown.code} ${thrown.message} ${JSON.stringify(thrown.details)}`
        : String(thrown),
  );
}

/** Code of what a promise rejects with. */
export const codeOf = async (promise: Promise<unknown>): Promise<string> =>
  (await refusalOf(promise)).split(' ', 1)[0] ?? '';
