/**
 * Whether something is a policy at all: what a typing error or a wrong import gives is not.
 */
import { SkepError } from '@skep/api';
import type { Policy } from '@skep/scheduler';

/**
 * @param where - for the message: `place()`.
 * @throws SkepError invalid-argument for what has no name, filters and rank.
 */
export function judgePolicy(where: string, policy: Policy | undefined): void {
  const { name, filters, rank } = (policy ?? {}) as Partial<Policy>;
  if (typeof name === 'string' && Array.isArray(filters) && Array.isArray(rank)) return;
  const given = policy === undefined || policy === null ? String(policy) : typeof policy;
  throw new SkepError(
    'invalid-argument',
    `${where}: this is no policy but ${given}; a policy is { name, filters: […], rank: […] }, ` +
      'such as swarmPolicy()',
  );
}
