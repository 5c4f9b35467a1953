/**
 * Running a packet through the base chains of a hook.
 *
 * **Source:** Linux net/netfilter/nf_tables_core.c: an accepted packet leaves its base chain and
 * goes on to the next one, a dropped one goes nowhere.
 */
import type { NftContext, NftDecision } from './context.js';
import type { NftChain, NftHook, NftRuleset, NftTable } from './ruleset.js';

/** Deeper jumps are refused by the kernel. */
const DEPTH_MAX = 16;

/** Told of every rule that decides: what it does, and its text with the chain's name. */
export type NftListener = (action: string, text: string) => void;

/** Which chains of a hook are asked. */
export interface NftStage {
  readonly hook: string;
  readonly isWanted: (base: NftHook) => boolean;
  readonly isBridge?: boolean;
}

/** The decision of the chains of a stage; `accept` when none of them decides otherwise. */
export function runStage(
  ruleset: NftRuleset,
  { hook, isWanted, isBridge = false }: NftStage,
  context: NftContext,
  listen: NftListener,
): NftDecision {
  const isV6 = context.packet.destination.includes(':');
  const families = isBridge ? ['bridge'] : ['inet', isV6 ? 'ip6' : 'ip'];
  for (const { table, chain, base } of ruleset.chainsOf(hook)) {
    if (!families.includes(table.family) || !isWanted(base)) continue;
    const verdict = runChain(table, chain, context, listen, 0);
    const decision = verdict ?? { type: base.policy };
    if (decision.type !== 'accept') return decision;
  }
  return { type: 'accept' };
}

/** Undefined: the end was reached. */
function runChain(
  table: NftTable,
  chain: NftChain,
  context: NftContext,
  listen: NftListener,
  depth: number,
): NftDecision | undefined {
  if (depth > DEPTH_MAX) return { type: 'drop' };
  for (const rule of chain.rules) {
    const verdict = rule.run(context);
    if (verdict === undefined) continue;
    if (verdict.type === 'continue') {
      if (rule.text.includes(' set ')) listen('set', `${chain.name} ${rule.text}`);
      continue;
    }
    if (verdict.type === 'return') return undefined;
    if (verdict.type === 'jump' || verdict.type === 'goto') {
      const target = table.chains.get(verdict.chain);
      const decision =
        target === undefined ? undefined : runChain(table, target, context, listen, depth + 1);
      if (decision !== undefined) return decision;
      // After a goto nobody comes back to this chain.
      if (verdict.type === 'goto') return undefined;
      continue;
    }
    listen(actionOf(verdict), `${chain.name} ${rule.text}`);
    return verdict;
  }
  return undefined;
}

function actionOf(verdict: NftDecision): string {
  return verdict.type === 'dnat' ? `dnat to ${verdict.address}` : verdict.type;
}
