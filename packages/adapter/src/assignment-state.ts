/**
 * What a node has been assigned: the items of all assignments so far, put together.
 */
import {
  ASSIGNMENT_KINDS,
  compareText,
  SkepError,
  type Assignment,
  type AssignmentItem,
  type AssignmentItems,
  type AssignmentKind,
  type AssignedNode,
  type Revision,
} from '@skep/api';
import type { NetworkChange, NodeNetworkState } from '@skep/network';

type ItemMaps = { readonly [K in AssignmentKind]: Map<string, AssignmentItems[K]> };

/** Keys that one assignment touched, by kind. */
export type TouchedItems = { readonly [K in AssignmentKind]: readonly string[] };

/** The node before it was told anything about itself. */
const UNKNOWN_NODE: AssignedNode = Object.freeze({
  id: '',
  name: '',
  role: 'worker',
  availability: 'active',
  dnsTtlMs: 5_000,
  dataPathPort: 4789,
});

/** The sum of the assignments of a node. */
export class AssignmentState {
  readonly items: ItemMaps = {
    node: new Map(),
    task: new Map(),
    secret: new Map(),
    config: new Map(),
    network: new Map(),
    service: new Map(),
    slice: new Map(),
    peer: new Map(),
  };
  #revision: Revision = 0;

  /** Store revision of the newest assignment. */
  get revision(): Revision {
    return this.#revision;
  }

  /** What the node knows about itself. */
  get node(): AssignedNode | undefined {
    for (const node of this.items.node.values()) return node;
    return undefined;
  }

  /**
   * Takes in one assignment and says which keys it touched. Cost: O(items in it); a complete one
   * costs O(all items).
   * @throws out-of-sequence when an incremental one does not follow what is here: a gap.
   */
  apply(assignment: Assignment): TouchedItems {
    const touched = emptyTouched();
    if (assignment.type === 'complete') {
      this.#dropAllBut(assignment, touched);
    } else if (assignment.appliesTo !== this.#revision) {
      throw new SkepError(
        'out-of-sequence',
        `the assignment applies to revision ${assignment.appliesTo}, but here is ${this.#revision}`,
      );
    }
    for (const { kind, key } of assignment.removals) {
      if (this.items[kind].delete(key)) touched[kind].push(key);
    }
    for (const { kind, key, value } of assignment.upserts) {
      (this.items[kind] as Map<string, unknown>).set(key, value);
      touched[kind].push(key);
    }
    this.#revision = assignment.revision;
    return touched;
  }

  /**
   * Everything but secrets and configs, as one complete assignment. Cost: O(n log n) of the items.
   */
  withoutFiles(): Assignment {
    const upserts = ASSIGNMENT_KINDS.flatMap((kind) => {
      if (kind === 'secret' || kind === 'config') return [];
      const items = [...(this.items[kind] as ReadonlyMap<string, unknown>)];
      items.sort(([a], [b]) => compareText(a, b));
      return items.map(([key, value]) => ({ kind, key, value }) as AssignmentItem);
    });
    return { type: 'complete', revision: this.#revision, upserts, removals: [] };
  }

  /**
   * The part that tables and names are made from. The maps are live: read them before the first
   * `await`, or find newer content than `revision` says. Cost: O(1).
   */
  networkState(): NodeNetworkState {
    return {
      revision: this.#revision,
      node: this.node ?? UNKNOWN_NODE,
      networks: this.items.network,
      services: this.items.service,
      slices: this.items.slice,
      peers: this.items.peer,
      tasks: this.items.task,
    };
  }

  #dropAllBut(assignment: Assignment, touched: Record<AssignmentKind, string[]>): void {
    const kept = new Set(assignment.upserts.map(({ kind, key }) => `${kind}/${key}`));
    for (const kind of Object.keys(this.items) as AssignmentKind[]) {
      for (const key of this.items[kind].keys()) {
        if (kept.has(`${kind}/${key}`)) continue;
        this.items[kind].delete(key);
        touched[kind].push(key);
      }
    }
  }
}

function emptyTouched(): Record<AssignmentKind, string[]> {
  return {
    node: [],
    task: [],
    secret: [],
    config: [],
    network: [],
    service: [],
    slice: [],
    peer: [],
  };
}

/** The networking part of what was touched. */
export function networkChangeOf(touched: TouchedItems): NetworkChange {
  const { network: networks, service: services, slice: slices, peer: peers, task: tasks } = touched;
  return { networks, services, slices, peers, tasks };
}

/** Two changes as one. */
export function mergeNetworkChanges(a: NetworkChange, b: NetworkChange): NetworkChange {
  const join = (x: readonly string[], y: readonly string[]): readonly string[] =>
    x.length === 0 ? y : y.length === 0 ? x : [...new Set([...x, ...y])];
  return {
    networks: join(a.networks, b.networks),
    services: join(a.services, b.services),
    slices: join(a.slices, b.slices),
    peers: join(a.peers, b.peers),
    tasks: join(a.tasks, b.tasks),
  };
}
