/**
 * The nftables content of a namespace. Filled by commands only.
 */
import { seededRandom } from '@skep/api';
import type { NftContext, NftVerdict } from './context.js';
import type { ValueType } from './value.js';

/** Families of tables that are understood. */
export type NftFamily = 'inet' | 'ip' | 'ip6' | 'bridge';

/** Where a base chain hangs. */
export interface NftHook {
  readonly type: 'filter' | 'nat' | 'route';
  readonly hook: string;
  readonly priority: number;
  readonly policy: 'accept' | 'drop';
}

/** A rule, ready to be asked: its own counters are in it. */
export interface NftRule {
  readonly text: string;
  /** Decides, or says `continue` for the next rule. `undefined`: it did not match. */
  readonly run: (context: NftContext) => NftVerdict | undefined;
  /** Chains that it leads to. */
  readonly leadsTo: readonly string[];
}

/** A chain. */
export interface NftChain {
  readonly name: string;
  base: NftHook | undefined;
  rules: NftRule[];
}

/** A set or map. */
export interface NftSet {
  readonly name: string;
  readonly types: readonly ValueType[];
  /** Of a map; `verdict` for one that leads to chains. */
  readonly data?: readonly ValueType[] | 'verdict';
  /** Key → data: a value, a verdict, or true in a set. */
  readonly elements: Map<string, NftVerdict | string | true>;
}

/** A table. */
export interface NftTable {
  readonly family: NftFamily;
  readonly name: string;
  readonly sets: Map<string, NftSet>;
  readonly chains: Map<string, NftChain>;
}

/** A chain that hangs in a hook. */
export interface NftBaseChain {
  readonly table: NftTable;
  readonly chain: NftChain;
  readonly base: NftHook;
}

/** See the module comment. Mutable; owned by the namespace that holds it. */
export class NftRuleset {
  /** By `FAMILY NAME`. */
  readonly tables = new Map<string, NftTable>();
  /** Random bits for `numgen random`: the same in every run. */
  private readonly source = seededRandom('nft');

  /** The next 32 random bits. */
  readonly random = (): number => this.source.int(2 ** 32);

  /** Whether there is any table. */
  get isEmpty(): boolean {
    return this.tables.size === 0;
  }

  private bases: readonly NftBaseChain[] | undefined;

  /** Says that tables or chains came or went. */
  chainsChanged(): void {
    this.bases = undefined;
  }

  /** Base chains of a hook with their tables, by priority. */
  chainsOf(hook: string): readonly NftBaseChain[] {
    this.bases ??= [...this.tables.values()]
      .flatMap((table) =>
        [...table.chains.values()].flatMap((chain) =>
          chain.base === undefined ? [] : [{ table, chain, base: chain.base }],
        ),
      )
      .sort((a, b) => a.base.priority - b.base.priority);
    return this.bases.filter(({ base }) => base.hook === hook);
  }
}
