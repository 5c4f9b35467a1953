/**
 * Verdicts of filters with keys about all nodes, kept in step with the changes of nodes.
 */
import type { NodeSource } from './change-log.js';
import { NodeChecks } from './is-passing.js';
import type { NodeRecord } from './node-info.js';
import type { ActiveFilter } from './active-plugins.js';
import type { Policy, PreparedFilter } from './policy.js';

/** Verdicts kept per policy; the least recently used are dropped. Each costs a byte a node. */
const VERDICTS_MAX = 64;

/** What some filters say about every node, for their keys. */
export class Verdicts {
  readonly #source: NodeSource;
  readonly #checks: NodeChecks;
  #bits = NO_BITS;
  #count = 0;
  #layout = -1;
  #position = 0;
  readonly #follow = (node: NodeRecord): void => {
    if (!node.isKnown) return;
    const isSame = node.describedAt < this.#position;
    if (isSame && this.#checks.ignoreUse) return;
    this.#read(node, isSame && this.#bits[node.ordinal] === 1);
  };

  constructor(source: NodeSource, filters: readonly PreparedFilter[]) {
    this.#source = source;
    this.#checks = new NodeChecks(filters);
  }

  /**
   * 1 for each node that passes all of them, by ordinal; look, do not touch.
   * Cost: O(changes since the last call).
   */
  get(): Uint8Array {
    const nodes = this.#source.orderedNodes();
    const { changes } = this.#source;
    const isKept = this.#layout === changes.layout && changes.replay(this.#position, this.#follow);
    if (!isKept) {
      this.#bits = new Uint8Array(nodes.length);
      this.#count = 0;
      for (const node of nodes) this.#read(node, false);
    }
    this.#layout = changes.layout;
    this.#position = changes.end;
    return this.#bits;
  }

  /** How many nodes passed when last asked. */
  get count(): number {
    return this.#count;
  }

  #read(node: NodeRecord, passedBefore: boolean): void {
    const bit = this.#checks.passes(node, passedBefore) ? 1 : 0;
    this.#count += bit - (this.#bits[node.ordinal] as number);
    this.#bits[node.ordinal] = bit;
  }
}

const NO_BITS = new Uint8Array(0);

/** The verdicts of one state, by policy and keys. */
export class VerdictCache {
  readonly #byPolicy = new WeakMap<Policy, Map<string, Verdicts>>();
  /** What was asked for last: most tasks of a burst are alike. */
  #last:
    | {
        readonly policy: Policy;
        readonly filters: readonly ActiveFilter[];
        readonly verdicts: Verdicts;
      }
    | undefined;

  /** The verdicts of filters of a policy that all have keys. */
  get(source: NodeSource, policy: Policy, filters: readonly ActiveFilter[]): Verdicts {
    const last = this.#last;
    if (last?.policy === policy && areAlike(last.filters, filters)) return last.verdicts;
    const verdicts = this.#find(source, policy, filters);
    this.#last = { policy, filters, verdicts };
    return verdicts;
  }

  #find(source: NodeSource, policy: Policy, filters: readonly ActiveFilter[]): Verdicts {
    let known = this.#byPolicy.get(policy);
    if (known === undefined) {
      known = new Map();
      this.#byPolicy.set(policy, known);
    }
    let key = '';
    for (const { filter, key: part = '' } of filters) {
      key += `${filter.name}\u0000${part}\u0000`;
    }
    let verdicts = known.get(key);
    if (verdicts === undefined) {
      verdicts = new Verdicts(
        source,
        filters.map(({ prepared }) => prepared),
      );
      const oldest = known.size < VERDICTS_MAX ? undefined : known.keys().next();
      if (oldest?.done === false) known.delete(oldest.value);
    } else {
      known.delete(key);
    }
    known.set(key, verdicts);
    return verdicts;
  }
}

/** Whether the filters are the same, with equal keys. */
function areAlike(some: readonly ActiveFilter[], others: readonly ActiveFilter[]): boolean {
  if (some.length !== others.length) return false;
  for (let k = 0; k < some.length; k += 1) {
    const [a, b] = [some[k] as ActiveFilter, others[k] as ActiveFilter];
    if (a.filter !== b.filter || a.key !== b.key) return false;
  }
  return true;
}
