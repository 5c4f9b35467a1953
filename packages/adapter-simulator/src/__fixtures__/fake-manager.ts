/**
 * A manager that says what a test tells it to, and remembers what it hears.
 */
import {
  SkepError,
  type Assignment,
  type NodeHello,
  type NodeLink,
  type NodeLinkHandlers,
  type NodeSession,
  type TaskReport,
} from '@skep/api';

interface Open {
  readonly nodeId: string;
  readonly sessionId: string;
  readonly handlers: NodeLinkHandlers;
}

/** See the module comment. Each node has one session; another one takes its place. */
export class FakeManager implements NodeLink {
  readonly hellos: NodeHello[] = [];
  readonly reports: TaskReport[] = [];
  readonly acks: { readonly nodeId: string; readonly revision: number }[] = [];
  readonly closed: string[] = [];
  beats = 0;
  readonly #open = new Map<string, Open>();

  open(hello: NodeHello, handlers: NodeLinkHandlers): Promise<NodeSession> {
    const { nodeId } = hello;
    this.hellos.push(hello);
    const session: Open = { nodeId, sessionId: `s${this.hellos.length}`, handlers };
    this.#open.set(nodeId, session);
    const check = async (): Promise<void> => {
      if (this.#open.get(nodeId) !== session) {
        throw new SkepError('failed-precondition', 'the session is over');
      }
    };
    return Promise.resolve({
      sessionId: session.sessionId,
      heartbeatPeriodMs: 5_000,
      heartbeat: async () => {
        await check();
        this.beats += 1;
        return { periodMs: 5_000 };
      },
      report: async (reports) => {
        await check();
        this.reports.push(...reports);
      },
      acknowledge: async ({ appliedRevision }) => {
        await check();
        this.acks.push({ nodeId, revision: appliedRevision });
      },
      describe: check,
      close: async () => {
        this.closed.push(session.sessionId);
        if (this.#open.get(nodeId) === session) this.#open.delete(nodeId);
      },
    });
  }

  /** Whether the node has a session. */
  has(nodeId: string): boolean {
    return this.#open.has(nodeId);
  }

  /** Sends an assignment to a node. */
  send(nodeId: string, assignment: Assignment): void {
    this.#open.get(nodeId)?.handlers.assignment(assignment);
  }

  /** Ends the session of a node. */
  end(nodeId: string, reason: string): void {
    const session = this.#open.get(nodeId);
    this.#open.delete(nodeId);
    session?.handlers.closed(reason);
  }

  /** `TASK STATE` of every report so far. */
  get states(): readonly string[] {
    return this.reports.map(({ taskId, state }) => `${taskId} ${state}`);
  }
}
