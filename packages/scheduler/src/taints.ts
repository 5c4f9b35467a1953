/**
 * Which taints of a node matter to a task.
 */
import type { Taint, Toleration } from '@skep/api';

/**
 * Whether the toleration covers the taint.
 * **Source:** Kubernetes `Toleration.ToleratesTaint`: an absent effect covers every effect, an
 * absent key with `Exists` every key; `Exists` looks at no value.
 */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  const { key = '', operator = 'Equal', value = '', effect } = toleration;
  if (effect !== undefined && effect !== taint.effect) return false;
  if (key === '') return operator === 'Exists';
  if (key !== taint.key) return false;
  return operator === 'Exists' || value === (taint.value ?? '');
}

/** Taints of these effects that no toleration covers. */
export function untolerated(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[],
  effects: readonly Taint['effect'][],
): readonly Taint[] {
  if (taints === undefined || taints.length === 0) return NONE;
  return taints.filter(
    (taint) => effects.includes(taint.effect) && !tolerations.some((one) => tolerates(one, taint)),
  );
}

const NONE: readonly Taint[] = Object.freeze([]);

/** `key=value:NoSchedule`. */
export function taintText({ key, value, effect }: Taint): string {
  return `${key}${value === undefined || value === '' ? '' : `=${value}`}:${effect}`;
}
