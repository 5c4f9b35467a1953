/**
 * Remedies that say how much less a task would ask for: which of two ask for more.
 */
import { canonicalJson, compareText, type TaskTemplate } from '@skep/api';
import type { Requirements } from '../requirements.js';
import type { TaskGroup } from '../task-group.js';
import { costed, type CostedRemedy, type Remedy } from './remedy.js';

/** A remedy that could be larger or smaller. */
export interface Sizable {
  /** How much it changes; 0 would be no change. */
  readonly size: number;
  /** The same with another size. */
  resized(size: number): CostedRemedy;
}

/** The size of a remedy for a group, if it has one. */
export function sizable(
  remedy: Remedy,
  { requirements, template }: TaskGroup,
): Sizable | undefined {
  switch (remedy.type) {
    case 'node-capacity': {
      const needed = requirements[remedy.resource];
      return {
        size: remedy.amount,
        resized: (size) => costed({ ...remedy, amount: size }, size / needed),
      };
    }
    case 'reservation': {
      const needed = requirements[remedy.resource];
      return {
        size: needed - remedy.amount,
        resized: (size) => costed({ ...remedy, amount: needed - size }, size / needed),
      };
    }
    case 'node-generic': {
      const needed = countOf(requirements, remedy.kind);
      return {
        size: remedy.count,
        resized: (size) => costed({ ...remedy, count: size }, size / needed),
      };
    }
    case 'generic-reservation': {
      const needed = countOf(requirements, remedy.kind);
      return {
        size: needed - remedy.count,
        resized: (size) => costed({ ...remedy, count: needed - size }, size / needed),
      };
    }
    case 'node-device': {
      const needed = devicesOf(requirements, remedy.device.kind);
      return {
        size: remedy.count,
        resized: (size) => costed({ ...remedy, count: size }, size / needed),
      };
    }
    case 'device-reservation': {
      const needed = devicesOf(requirements, remedy.kind);
      return {
        size: needed - remedy.count,
        resized: (size) => costed({ ...remedy, count: needed - size }, size / needed),
      };
    }
    case 'max-skew': {
      const least = skewOf(template, remedy.topologyKey);
      return {
        size: remedy.value - least,
        resized: (size) => costed({ ...remedy, value: least + size }, size / (least + size)),
      };
    }
    case 'max-replicas': {
      const most = template.placement?.maxReplicasPerNode ?? 0;
      return {
        size: remedy.value - most,
        resized: (size) => costed({ ...remedy, value: most + size }, size / (most + size)),
      };
    }
    default:
      return undefined;
  }
}

function countOf({ generic }: Requirements, kind: string): number {
  return generic.find((request) => request.kind === kind)?.count ?? 0;
}

function devicesOf({ devices }: Requirements, kind: string): number {
  return devices.find((request) => request.kind === kind)?.count ?? 0;
}

/** The least skew that the task allows over a key. */
export function skewOf({ placement }: TaskTemplate, key: string): number {
  const spreads = placement?.topologySpread ?? [];
  const skews = spreads.filter(({ topologyKey }) => topologyKey === key);
  return Math.min(...skews.map(({ maxSkew }) => maxSkew));
}

/** A set of remedies, split into what they are and how large they are. */
export interface Amounts {
  /** Equal for sets that differ in amounts only. */
  readonly skeleton: string;
  /** How much each of them changes; in the order of the skeleton. */
  readonly sizes: readonly number[];
}

/**
 * Splits the remedies. What nodes should have more of is no amount in this sense: it is about the
 * one node, and the least there already.
 */
export function amountsOf(remedies: readonly Remedy[]): Amounts {
  const parts = remedies.map(amountOf).sort((a, b) => compareText(a.what, b.what));
  return { skeleton: parts.map(({ what }) => what).join(), sizes: parts.map(({ size }) => size) };
}

/**
 * Of sets in their order those of which none before asks for less, or as little, in everything.
 * Cost: O(sets × those that are kept with the same skeleton).
 */
export function withoutLarger<Item extends { readonly amounts: Amounts }>(
  items: readonly Item[],
): readonly Item[] {
  const kept = new Map<string, Item[]>();
  return items.filter((item) => {
    const { skeleton, sizes } = item.amounts;
    const alike = kept.get(skeleton) ?? [];
    const isLarger = alike.some((other) =>
      sizes.every((size, at) => size >= (other.amounts.sizes[at] ?? 0)),
    );
    if (isLarger) return false;
    kept.set(skeleton, [...alike, item]);
    return true;
  });
}

function amountOf(remedy: Remedy): { readonly what: string; readonly size: number } {
  switch (remedy.type) {
    case 'reservation':
      return { what: `${remedy.type} ${remedy.resource}`, size: -remedy.amount };
    case 'generic-reservation':
      return { what: `${remedy.type} ${remedy.kind}`, size: -remedy.count };
    case 'device-reservation':
      return { what: `${remedy.type} ${remedy.kind}`, size: -remedy.count };
    case 'max-skew':
      return { what: `${remedy.type} ${remedy.topologyKey}`, size: remedy.value };
    case 'max-replicas':
      return { what: remedy.type, size: remedy.value };
    default:
      return { what: canonicalJson(remedy), size: 0 };
  }
}
