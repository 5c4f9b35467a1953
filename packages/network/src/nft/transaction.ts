/**
 * Changes of one namespace as transactions: texts that `nft -f` applies each as a whole.
 *
 * **Source:** nft(8); a text is one transaction. A packet that is under way while it comes into
 * force may see rules as they were and sets as they are: see `balanceRules` in structure.ts.
 */
import type { NamespaceReference, RenderedStep } from '../render/rendered.js';
import { drawMark, turnChain, type NftService, type NftServiceSets } from './service.js';
import { TABLE, drawRule } from './structure.js';

/** Most services, and elements of the other sets, in one transaction. */
export const TRANSACTION_SERVICES_MAX = 1000;

/** Elements in one line. */
const LINE_ELEMENTS_MAX = 128;

/** A service that came (no `before`), went (no `after`) or changed. */
export interface ServiceChange {
  readonly before?: NftService;
  readonly after?: NftService;
}

/** An element of a small set that came, went or changed. The values: '' in a set, data in a map. */
export interface ElementChange {
  readonly set: string;
  readonly key: string;
  readonly before?: string;
  readonly after?: string;
}

/** All that happens to the nftables text of a namespace. */
export interface NamespaceChange {
  readonly namespace: NamespaceReference;
  /** Fixed part as it was, and as it is to be; when they differ, everything is made anew. */
  readonly before?: string;
  readonly after?: string;
  /** For namespaces that balance. */
  readonly sets?: NftServiceSets;
  readonly services: readonly ServiceChange[];
  readonly elements: readonly ElementChange[];
}

/**
 * The transactions that make a change, in order. A service changes in one of them, as a whole;
 * those that lose backends come first. When the fixed part changes, `services` and `elements` have
 * to be all that there is afterwards.
 * Cost: O(slots and elements that change).
 */
export function transactionsOf(change: NamespaceChange): readonly RenderedStep[] {
  const { namespace, before, after, sets } = change;
  const step = (lines: readonly string[]): RenderedStep => ({ namespace, tool: 'nft', lines });
  if (after === undefined) {
    return before === undefined ? [] : [step(tablesOf(before).flatMap(removal))];
  }
  const isFresh = before !== after;
  const head = isFresh
    ? [...new Set([...tablesOf(before ?? ''), ...tablesOf(after)])]
        .flatMap(removal)
        .concat(after.split('\n'))
    : [];
  const services = isFresh
    ? change.services.flatMap(({ after: made }) => (made === undefined ? [] : [{ after: made }]))
    : [
        ...change.services.filter(losesBackend),
        ...change.services.filter((one) => !losesBackend(one)),
      ];
  const elements = isFresh
    ? change.elements.flatMap(({ set, key, after: value }) =>
        value === undefined ? [] : [{ set, key, after: value }],
      )
    : change.elements;
  const size = Math.max(services.length, elements.length, 1);
  const steps: RenderedStep[] = [];
  for (let at = 0; at < size; at += TRANSACTION_SERVICES_MAX) {
    const batch = new Batch();
    const end = at + TRANSACTION_SERVICES_MAX;
    for (const element of elements.slice(at, end)) batch.element(element);
    if (sets !== undefined) {
      for (const service of services.slice(at, end)) batch.service(sets, service);
    }
    const lines = [...(at === 0 ? head : []), ...batch.lines()];
    if (lines.length > 0) steps.push(step(lines));
  }
  return steps;
}

/** Tables that a fixed part declares: `inet skep`. */
function tablesOf(structure: string): readonly string[] {
  return [...structure.matchAll(/^table (\S+ \S+) \{$/gm)].map(([, name]) => name ?? '');
}

/** A table is declared first, so that it is there to be deleted. */
function removal(table: string): readonly string[] {
  return [`table ${table}`, `delete table ${table}`];
}

function losesBackend({ before, after }: ServiceChange): boolean {
  const kept = new Set(after?.owners);
  return before?.owners.some((owner) => !kept.has(owner)) ?? false;
}

/** Commands of one transaction, elements of a set gathered. */
class Batch {
  private readonly removed = new Map<string, string[]>();
  private readonly added = new Map<string, string[]>();
  private readonly chains: string[] = [];
  private readonly goneChains: string[] = [];

  element({ set, key, before, after }: ElementChange): void {
    if (before === after) return;
    if (before !== undefined) put(this.removed, set, key);
    if (after !== undefined) put(this.added, set, after === '' ? key : `${key} : ${after}`);
  }

  service(sets: NftServiceSets, { before, after }: ServiceChange): void {
    const one = after ?? before;
    if (one === undefined) return;
    const { family, key } = one;
    this.chain(sets, before, after);
    this.element({
      set: `turns${family}`,
      key,
      ...side('before', verdictOf(before)),
      ...side('after', verdictOf(after)),
    });
    this.element({
      set: `${sets.draws}${family}`,
      key,
      ...side('before', drawMark(before)),
      ...side('after', drawMark(after)),
    });
    const [old, owners] = [before?.owners ?? [], after?.owners ?? []];
    const set = `slots${family}`;
    const length = Math.max(old.length, owners.length);
    for (let slot = 0; slot < length; slot += 1) {
      const [was, is] = [old[slot], owners[slot]];
      if (was === is) continue;
      if (was !== undefined) put(this.removed, set, `${key} . ${slot}`);
      if (is !== undefined) put(this.added, set, `${key} . ${slot} : ${is}`);
    }
  }

  /** Removals, then what is led to before what leads there, then chains that nothing leads to. */
  lines(): readonly string[] {
    const elements = (verb: string, sets: ReadonlyMap<string, readonly string[]>): string[] =>
      [...sets.keys()].sort().flatMap((set) => elementLines(verb, set, sets.get(set) ?? []));
    return [
      ...elements('delete', this.removed),
      ...this.chains,
      ...elements('add', this.added),
      ...this.goneChains,
    ];
  }

  /** A service that takes turns has a chain of its own: its counter is that of the rule there. */
  private chain(
    sets: NftServiceSets,
    before: NftService | undefined,
    after: NftService | undefined,
  ): void {
    const [old, chain] = [turnChain(before), turnChain(after)];
    if (chain !== undefined && after !== undefined) {
      const { family, owners } = after;
      const rule = drawRule(sets, family, `numgen inc mod ${owners.length}`);
      if (old === undefined) this.chains.push(`add chain inet ${TABLE} ${chain}`);
      else if (before?.owners.length !== owners.length) {
        this.chains.push(`flush chain inet ${TABLE} ${chain}`);
      }
      if (old === undefined || before?.owners.length !== owners.length) {
        this.chains.push(`add rule inet ${TABLE} ${chain} ${rule}`);
      }
    } else if (old !== undefined) {
      this.goneChains.push(`delete chain inet ${TABLE} ${old}`);
    }
  }
}

function verdictOf(service: NftService | undefined): string | undefined {
  const chain = turnChain(service);
  return chain === undefined ? undefined : `jump ${chain}`;
}

function side(name: 'before' | 'after', value: string | undefined): Partial<ElementChange> {
  return value === undefined ? {} : { [name]: value };
}

function put(map: Map<string, string[]>, set: string, text: string): void {
  const list = map.get(set);
  if (list === undefined) map.set(set, [text]);
  else list.push(text);
}

function elementLines(verb: string, set: string, elements: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (let at = 0; at < elements.length; at += LINE_ELEMENTS_MAX) {
    const part = elements.slice(at, at + LINE_ELEMENTS_MAX).join(', ');
    lines.push(`${verb} element inet ${TABLE} ${set} { ${part} }`);
  }
  return lines;
}
