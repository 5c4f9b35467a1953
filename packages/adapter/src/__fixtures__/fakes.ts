/**
 * Fakes of everything an agent stands on. Each does what is right until a test says otherwise, and
 * remembers what it was asked.
 */
import {
  SkepError,
  type AssignedTask,
  type Assignment,
  type AssignmentItem,
  type Logger,
  type NodeDescription,
  type NodeHello,
  type NodeLink,
  type NodeLinkHandlers,
  type NodeNotice,
  type NodeSession,
  type Revision,
  type TaskReport,
} from '@skep/api';
import type { NetworkChange, NodeNetworkState } from '@skep/network';
import type { Dataplane, TaskExit, TaskHandle, TaskRuntime, TaskStarted } from '../contract.js';

/** A task that is to run. */
export function assignedTask(id: string, change: Partial<AssignedTask> = {}): AssignedTask {
  return {
    id,
    name: `web.1.${id}`,
    serviceName: 'web',
    serviceLabels: {},
    slot: 1,
    desiredState: 'running',
    template: { container: { image: 'web' } },
    networks: [],
    ports: [],
    genericResources: [],
    volumes: [],
    isDrained: false,
    knownState: 'assigned',
    ...change,
  };
}

/** The item of {@link assignedTask}. */
export function taskItem(id: string, change: Partial<AssignedTask> = {}): AssignmentItem {
  return { kind: 'task', key: id, value: assignedTask(id, change) };
}

/** What can be told to happen instead of the ordinary: once for each entry, in order. */
type Instead<T> = ((signal: AbortSignal) => Promise<T>)[];

/** A container that starts at once and runs until it is told to end. */
export class FakeHandle implements TaskHandle {
  readonly calls: string[] = [];
  readonly prepares: Instead<void> = [];
  readonly starts: Instead<TaskStarted> = [];
  readonly waits: Instead<TaskExit> = [];
  readonly shutdowns: Instead<void> = [];
  readonly removes: Instead<void> = [];
  /** Calls that were made while another had not ended. */
  overlaps = 0;
  /** Ends the container by itself. */
  exit: (exit: TaskExit) => void = () => undefined;
  #active = 0;

  prepare(signal: AbortSignal): Promise<void> {
    return this.#call('prepare', () => this.prepares.shift()?.(signal));
  }

  start(signal: AbortSignal): Promise<TaskStarted> {
    return this.#call('start', () => this.starts.shift()?.(signal) ?? started());
  }

  wait(signal: AbortSignal): Promise<TaskExit> {
    return this.#call('wait', () => {
      const exited = new Promise<TaskExit>((resolve) => (this.exit = resolve));
      return this.waits.shift()?.(signal) ?? Promise.race([exited, untilAborted(signal)]);
    });
  }

  shutdown(signal: AbortSignal): Promise<void> {
    return this.#call('shutdown', () => this.shutdowns.shift()?.(signal));
  }

  remove(): Promise<void> {
    return this.#call('remove', () => this.removes.shift()?.(new AbortController().signal));
  }

  async #call<T>(name: string, perform: () => Promise<T> | undefined): Promise<T> {
    this.calls.push(name);
    this.overlaps += this.#active;
    this.#active += 1;
    try {
      return (await perform()) as T;
    } finally {
      this.#active -= 1;
    }
  }
}

const started = (): Promise<TaskStarted> =>
  Promise.resolve({ container: { containerId: 'c1', pid: 7 } });

/** Rejects when the signal fires, as an operation of a runtime does. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const refuse = (): void => reject(new SkepError('aborted', 'aborted'));
    if (signal.aborted) refuse();
    else signal.addEventListener('abort', refuse);
  });
}

/** A promise that a test resolves or rejects by hand. */
export function byHand<T = void>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

export const DESCRIPTION: NodeDescription = {
  hostname: 'node1',
  platform: { os: 'linux', architecture: 'amd64' },
  resources: {},
  engine: { version: '1', labels: {} },
};

/** A runtime of fake handles, one for each task. */
export class FakeRuntime implements TaskRuntime {
  readonly handles = new Map<string, FakeHandle>();
  description = DESCRIPTION;
  known: () => Promise<readonly string[]> = () => Promise.resolve([]);
  describe: () => Promise<NodeDescription> = () => Promise.resolve(this.description);
  /** Tasks that the runtime does not take at all. */
  readonly refused = new Set<string>();

  task({ id }: AssignedTask): FakeHandle {
    if (this.refused.has(id)) throw new SkepError('invalid-argument', 'no such mount type');
    return this.handle(id);
  }

  handle(id: string): FakeHandle {
    const known = this.handles.get(id) ?? new FakeHandle();
    this.handles.set(id, known);
    return known;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Remembers what it was given; `fault` makes every call fail. */
export class FakeDataplane implements Dataplane {
  readonly applied: { readonly revision: Revision; readonly change: NetworkChange | undefined }[] =
    [];
  readonly applies: (() => Promise<void>)[] = [];
  fault: Error | undefined;
  repair: () => Promise<readonly string[]> = () => Promise.resolve([]);
  overlaps = 0;
  #active = 0;

  async apply({ revision }: NodeNetworkState, change: NetworkChange | undefined): Promise<void> {
    this.overlaps += this.#active;
    this.#active += 1;
    try {
      await this.applies.shift()?.();
      if (this.fault !== undefined) throw this.fault;
      this.applied.push({ revision, change });
    } finally {
      this.#active -= 1;
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** A manager in the same process: sends nothing by itself, refuses what a real one refuses. */
export class FakeLink implements NodeLink {
  readonly hellos: NodeHello[] = [];
  readonly reports: TaskReport[] = [];
  readonly acks: number[] = [];
  readonly descriptions: NodeDescription[] = [];
  readonly notices: NodeNotice[] = [];
  readonly closed: string[] = [];
  handlers: NodeLinkHandlers | undefined;
  /** Calls fail, as when nobody answers. */
  isAway = false;
  /** What the next calls of these do instead. */
  readonly opens: (() => Promise<void>)[] = [];
  readonly heartbeats: (() => Promise<{ periodMs: number }>)[] = [];
  readonly reportCalls: (() => Promise<void>)[] = [];
  beats = 0;
  #sent = 0;

  async open(hello: NodeHello, handlers: NodeLinkHandlers): Promise<NodeSession> {
    this.#check();
    this.hellos.push(hello);
    const sessionId = `s${this.hellos.length}`;
    await this.opens.shift()?.();
    this.handlers = handlers;
    this.#sent = 0;
    return {
      sessionId,
      heartbeatPeriodMs: 5_000,
      heartbeat: async () => {
        this.beats += 1;
        this.#check();
        return (await this.heartbeats.shift()?.()) ?? { periodMs: 5_000 };
      },
      report: async (reports) => {
        this.#check();
        await this.reportCalls.shift()?.();
        this.reports.push(...reports);
      },
      acknowledge: async ({ appliedRevision }) => {
        this.#check();
        if (appliedRevision > this.#sent) {
          throw new SkepError('invalid-argument', 'a node acknowledged what it was not sent');
        }
        this.acks.push(appliedRevision);
      },
      describe: async (description) => {
        this.#check();
        this.descriptions.push(description);
      },
      tell: async (notices) => {
        this.#check();
        this.notices.push(...notices);
      },
      close: async () => {
        this.closed.push(sessionId);
      },
    };
  }

  /** Sends an assignment to the node, a complete and empty one unless told otherwise. */
  send(assignment: Partial<Assignment> & { revision: number }): void {
    this.#sent = assignment.revision;
    this.handlers?.assignment({ type: 'complete', upserts: [], removals: [], ...assignment });
  }

  #check(): void {
    if (this.isAway) throw new SkepError('unavailable', 'the manager does not answer');
  }
}

/** A logger that keeps its lines, `MESSAGE: the error or fault`. */
export function linesOf(): Logger & { readonly lines: readonly string[] } {
  const lines: string[] = [];
  const write = (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    const fact = fields['error'] ?? fields['fault'] ?? fields['reason'];
    lines.push(fact === undefined ? message : `${message}: ${String(fact)}`);
  };
  return { lines, debug: write, info: write, warn: write, error: write };
}
