/**
 * Letting changes of users in: plan, commit, and plan again where a loop was first.
 */
import { SkepError } from '@skep/api';
import { admissionError, type AdmissionPlan, type AdmissionResult } from '@skep/orchestrator';
import type { Store, View } from '@skep/store';

/** Attempts at a commit that others get ahead of. */
const ATTEMPTS_MAX = 100;

/**
 * Plans on the newest view and commits what was planned.
 * @throws what the complaints say, all of them in `details.complaints`; aborted when others were
 * first a hundred times in a row.
 */
export async function admitChanges(
  store: Store,
  plan: (view: View) => AdmissionPlan,
): Promise<readonly AdmissionResult[]> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const { complaints, changes, results } = plan(store.view());
    if (complaints.length > 0) throw admissionError(complaints);
    const { conflict } = await store.batch({ actor: 'user', changes });
    if (conflict === undefined) return results;
  }
  throw new SkepError('aborted', `others were first ${ATTEMPTS_MAX} times in a row`);
}
