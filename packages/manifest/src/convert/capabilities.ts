/**
 * Kernel capabilities as the Docker client sends them.
 * **Source:** docker/cli `opts.EffectiveCapAddCapDrop`.
 */
import { compareText } from '@skep/api';

const ALL = 'ALL';
const RESET = 'RESET';

/** Upper case, with `CAP_`, without repetition, sorted; what is added is not dropped. */
export function effectiveCapabilities(
  add: readonly string[],
  drop: readonly string[],
): { readonly add: readonly string[]; readonly drop: readonly string[] } {
  const added = normalized(add);
  const dropped = normalized(drop);
  return {
    add: [...added].sort(compareText),
    drop: [...dropped].filter((capability) => !added.has(capability)).sort(compareText),
  };
}

function normalized(names: readonly string[]): ReadonlySet<string> {
  const all = names.map((name) => {
    const upper = name.trim().toUpperCase();
    return upper === ALL || upper === RESET || upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  });
  if (all.includes(ALL)) return new Set([ALL]);
  return new Set(all.filter((name) => name !== RESET));
}
