/**
 * What the passes of one controller tell the trace: what woke a key, on which view it was decided,
 * what was written.
 */
import type { ObjectId, Revision } from '@skep/api';
import type { ChangeReason, PlannedChange } from '../planned-change.js';
import { traceKey, type TracedKey, type TraceLog, type Trigger } from './trace-log.js';

/** Most triggers that are kept for a key; the oldest goes first. */
export const TRIGGERS_MAX = 10;

const NO_TRIGGERS: readonly Trigger[] = Object.freeze([]);

/** What is known about a key between its first wake-up and the end of its pass. */
class OpenKey {
  /** The only trigger so far, or all of them, oldest first. */
  #triggers: Trigger | Trigger[] | undefined;
  /** View of the pass that is under way; -1 while there is none. */
  viewRevision: Revision = -1;

  constructor(first: Trigger | undefined) {
    this.#triggers = first;
  }

  get isEmpty(): boolean {
    return this.#triggers === undefined;
  }

  /** All triggers, oldest first. */
  all(): readonly Trigger[] {
    const known = this.#triggers;
    if (known === undefined) return NO_TRIGGERS;
    return Array.isArray(known) ? known : [known];
  }

  add(trigger: Trigger): void {
    const known = this.#triggers;
    if (known === undefined) {
      this.#triggers = trigger;
    } else if (!Array.isArray(known)) {
      if (known !== trigger) this.#triggers = [known, trigger];
    } else if (known[known.length - 1] !== trigger) {
      if (known.length === TRIGGERS_MAX) known.shift();
      known.push(trigger);
    }
  }

  /** Forgets what the pass has seen. */
  settle(): void {
    const known = this.#triggers;
    if (Array.isArray(known)) {
      const left = known.filter(({ revision }) => revision > this.viewRevision);
      this.#triggers = left.length === 0 ? undefined : left;
    } else if (known !== undefined && known.revision <= this.viewRevision) {
      this.#triggers = undefined;
    }
  }

  /** Puts a trigger before all others. */
  addFirst(trigger: Trigger): void {
    const rest = this.all().slice(0, TRIGGERS_MAX - 1);
    this.#triggers = rest.length === 0 ? trigger : [trigger, ...rest];
  }
}

/**
 * Follows the keys of one controller. Exists only while there is a trace. Memory: the keys that are
 * queued, in a pass, or wait to be tried again.
 */
export class PassTrace {
  readonly #log: TraceLog;
  readonly #controller: string;
  readonly #rule: string | undefined;
  readonly #keys = new Map<string, OpenKey>();

  constructor(log: TraceLog, controller: string, rule: string | undefined) {
    this.#log = log;
    this.#controller = controller;
    this.#rule = rule;
  }

  /** Keys about which something is remembered. */
  get size(): number {
    return this.#keys.size;
  }

  /** Something woke a key. */
  woke(key: string, trigger: Trigger): void {
    const open = this.#keys.get(key);
    if (open === undefined) this.#keys.set(key, new OpenKey(trigger));
    else open.add(trigger);
  }

  /** A pass over a key begins. */
  began(key: string, viewRevision: Revision): void {
    let open = this.#keys.get(key);
    if (open === undefined) this.#keys.set(key, (open = new OpenKey(undefined)));
    open.viewRevision = viewRevision;
  }

  /** The passes over these keys wrote a commit. */
  committed(keys: readonly string[], revision: Revision, changes: readonly PlannedChange[]): void {
    const viewRevision = this.#keys.get(keys[0] ?? '')?.viewRevision ?? 0;
    this.#log.addPass({
      revision,
      controller: this.#controller,
      viewRevision: viewRevision < 0 ? 0 : viewRevision,
      keys: keys.map((key) => this.#traced(key)),
      rule: this.#rule,
      reasons: reasonsOf(changes),
    });
  }

  /**
   * A pass over a key ended. `again`: what woke it still stands, because it will be tried again, or
   * asked for a time and wrote nothing. `wroteAt`: it wrote this, and asked for a time.
   */
  ended(key: string, how: { readonly again: boolean; readonly wroteAt?: Revision }): void {
    const open = this.#keys.get(key);
    if (open === undefined) return;
    if (!how.again) open.settle();
    open.viewRevision = -1;
    if (how.wroteAt !== undefined) open.addFirst({ type: 'requeue', revision: how.wroteAt });
    if (open.isEmpty) this.#keys.delete(key);
  }

  #traced(key: string): TracedKey {
    const open = this.#keys.get(key);
    if (open === undefined) return { key, triggers: NO_TRIGGERS };
    const { viewRevision } = open;
    return { key, triggers: open.all().filter(({ revision }) => revision <= viewRevision) };
  }
}

/** The reasons that changes carry, by `Kind/ID`; undefined when none does. */
function reasonsOf(
  changes: readonly PlannedChange[],
): ReadonlyMap<string, ChangeReason> | undefined {
  let reasons: Map<string, ChangeReason> | undefined;
  for (const change of changes) {
    const { rule, cause } = change;
    if (rule === undefined) continue;
    reasons ??= new Map();
    reasons.set(traceKey(objectOf(change)), cause === undefined ? { rule } : { rule, cause });
  }
  return reasons;
}

function objectOf(change: PlannedChange): { readonly kind: string; readonly id: ObjectId } {
  if (change.type === 'delete') return change;
  return { kind: change.object.kind, id: change.object.meta.id };
}
