/**
 * Running a packet through a chain and those it jumps to.
 */
import { matchesRule, type FilterRule, type MatchContext, type Target } from './filter-rule.js';
import type { ChainConfig } from './namespace-config.js';

/** How a chain ended: with its policy, or by the rule that decided. */
export type Verdict = Exclude<Target, { readonly type: 'JUMP' | 'MARK' | 'RETURN' | 'NONE' }>;

/** Deeper jumps are refused by the kernel. */
const DEPTH_MAX = 16;

/** Told of every rule that does something: its target, and its text with the chain's name. */
export type RuleListener = (target: string, text: string) => void;

/**
 * Runs the chain on the packet of the context. MARK changes the packet and goes on.
 * Cost: O(rules), as in the kernel.
 */
export function runChain(
  chains: ReadonlyMap<string, ChainConfig>,
  name: string,
  context: MatchContext,
  listen: RuleListener,
  depth = 0,
): Verdict {
  return runRules(chains, name, context, listen, depth) ?? policyOf(chains.get(name));
}

function policyOf(chain: ChainConfig | undefined): Verdict {
  return { type: chain?.policy ?? 'ACCEPT' };
}

/** Undefined: the end was reached, or a RETURN. */
function runRules(
  chains: ReadonlyMap<string, ChainConfig>,
  name: string,
  context: MatchContext,
  listen: RuleListener,
  depth: number,
): Verdict | undefined {
  if (depth > DEPTH_MAX) return { type: 'DROP' };
  for (const rule of chains.get(name)?.rules ?? []) {
    if (!matchesRule(rule, context)) continue;
    const { target } = rule;
    switch (target.type) {
      case 'NONE':
        break;
      case 'RETURN':
        return undefined;
      case 'MARK': {
        const { packet } = context;
        // --set-xmark: the bits of the mask are cleared, then the value is mixed in.
        packet.mark = ((packet.mark & ~target.mask) ^ target.value) >>> 0;
        report(listen, name, rule);
        break;
      }
      case 'JUMP': {
        const verdict = runRules(chains, target.chain, context, listen, depth + 1);
        if (verdict !== undefined) return verdict;
        break;
      }
      case 'ACCEPT':
      case 'DROP':
      case 'MASQUERADE':
      case 'REDIRECT':
      case 'DNAT':
      case 'SNAT':
        report(listen, name, rule);
        return target;
    }
  }
  return undefined;
}

function report(listen: RuleListener, chain: string, rule: FilterRule): void {
  listen(rule.target.type, `${chain} ${rule.text}`);
}
