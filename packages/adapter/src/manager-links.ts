/**
 * The ways to several managers as one: a node goes to the one that leads.
 *
 * **Source:** SwarmKit remotes/remotes.go for the role. There a node may stay with any manager,
 * which forwards; here those that do not lead name the one that does.
 */
import {
  isSkepError,
  messageOf,
  SkepError,
  type Assignment,
  type NodeAnswer,
  type NodeHello,
  type NodeLink,
  type NodeLinkHandlers,
  type NodeQuestion,
  type NodeSession,
  type SkepErrorCode,
} from '@skep/api';

/** Answers about the node itself, which every manager would give. */
const FINAL: readonly SkepErrorCode[] = ['not-found', 'invalid-argument', 'permission-denied'];

/**
 * Opens sessions with whichever manager leads.
 *
 * An attempt begins with the manager that took the node last. One that refuses may name the leader
 * (`details.leader`), which is asked next; otherwise it is the next in the order given. Each
 * manager
 * is asked once per attempt, one after the other, so a link that gets no answer has to fail by
 * itself: choose its timeout such that all of them together fit into the pause of the agent (8 s).
 * When nobody takes the node, the agent comes back after its pause. A manager that failed to answer
 * is not heard any more in that attempt, so that a late session cannot mix with the one that
 * counts.
 */
export class ManagerLinks implements NodeLink {
  readonly #links: ReadonlyMap<string, NodeLink>;
  #preferred: string;

  /**
   * `links`: the managers by the names under which they take part in the election.
   * @throws invalid-argument when there is none.
   */
  constructor(links: ReadonlyMap<string, NodeLink>) {
    const [first] = links.keys();
    if (first === undefined)
      throw new SkepError('invalid-argument', 'there is no manager to go to');
    this.#links = new Map(links);
    this.#preferred = first;
  }

  /** The manager that is asked first. */
  get preferred(): string {
    return this.#preferred;
  }

  /**
   * Opens a session with the first manager that takes the node.
   * @throws unavailable, with what each of them said, when none does; what a manager says about the
   * node itself.
   */
  async open(hello: NodeHello, handlers: NodeLinkHandlers): Promise<NodeSession> {
    const refusals = new Map<string, string>();
    let name = this.#next(refusals);
    while (name !== undefined) {
      const door = new Door(handlers);
      try {
        const session = await this.#link(name).open(hello, door);
        this.#preferred = name;
        return session;
      } catch (thrown) {
        door.shut();
        if (FINAL.some((code) => isSkepError(thrown, code))) throw thrown;
        refusals.set(name, messageOf(thrown));
        name = this.#next(refusals, leaderNamedBy(thrown));
      }
    }
    const said = [...refusals].map(([name, message]) => `${name}: ${message}`).join('; ');
    throw new SkepError('unavailable', `no manager takes the node: ${said}`, {
      details: { nodeId: hello.nodeId, managers: Object.fromEntries(refusals) },
    });
  }

  /** Whom to ask next: the leader if it was not asked yet, else the next one in a circle. */
  #next(asked: ReadonlyMap<string, unknown>, leader?: string): string | undefined {
    if (leader !== undefined && this.#links.has(leader) && !asked.has(leader)) return leader;
    const names = [...this.#links.keys()];
    const at = names.indexOf([...asked.keys()].at(-1) ?? this.#preferred);
    const circle = [...names.slice(at), ...names.slice(0, at)];
    return circle.find((name) => !asked.has(name));
  }

  #link(name: string): NodeLink {
    const link = this.#links.get(name);
    if (link === undefined) throw new SkepError('internal', `no link to manager '${name}'`);
    return link;
  }
}

/** What a manager is given to speak to the node through; shut when its answer came too late. */
class Door implements NodeLinkHandlers {
  readonly ask?: (question: NodeQuestion, signal: AbortSignal) => AsyncIterable<NodeAnswer>;
  readonly #inner: NodeLinkHandlers;
  #isShut = false;

  constructor(inner: NodeLinkHandlers) {
    this.#inner = inner;
    if (inner.ask === undefined) return;
    const ask = inner.ask.bind(inner);
    this.ask = (question, signal) => {
      if (!this.#isShut) return ask(question, signal);
      throw new SkepError('unavailable', 'the node has gone to another manager');
    };
  }

  shut(): void {
    this.#isShut = true;
  }

  assignment(assignment: Assignment): void {
    if (!this.#isShut) this.#inner.assignment(assignment);
  }

  closed(reason: string): void {
    if (!this.#isShut) this.#inner.closed(reason);
  }
}

function leaderNamedBy(thrown: unknown): string | undefined {
  const leader = isSkepError(thrown, 'unavailable') ? thrown.details['leader'] : undefined;
  return typeof leader === 'string' ? leader : undefined;
}
