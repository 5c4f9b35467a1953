/**
 * Matchers about tasks that wait.
 */
import { nameOf } from '../build/service.js';
import type { Decision } from '../placed-cluster.js';
import type { TaskSelection } from '../placement-result.js';
import { selectionOf, someDecisions, verdict, whereIs, type MatcherResult } from './matcher.js';

/** Why a task is expected to wait. */
export interface PendingOptions {
  /**
   * The name of a filter that refuses at least one node (`resource`), or a part of the reason, or
   * a pattern: of the message, or of what any node lacks (`memory needs 8 GiB, has 1 GiB`).
   */
  readonly because?: string | RegExp;
}

/** Every task of the selection waits, for that reason if one is given. */
export function toBePending(received: unknown, { because }: PendingOptions = {}): MatcherResult {
  const selection = selectionOf(received, 'toBePending');
  const decisions = someDecisions(selection, 'toBePending');
  const others = decisions.filter(
    (decision) => decision.unplaced === undefined || !isBecause(decision, selection, because),
  );
  return verdict({
    selection,
    wish: `to be pending${because === undefined ? '' : ` because of ${String(because)}`}`,
    faults: others.map((decision) => whereIs(decision, selection)),
    fact: decisions.map((decision) => whereIs(decision, selection)).join(', '),
    about: others.length > 0 ? others : decisions,
  });
}

function isBecause(
  { task, unplaced }: Decision,
  { result }: TaskSelection,
  because: PendingOptions['because'],
): boolean {
  if (because === undefined || unplaced === undefined) return true;
  const { message, filters = [] } = unplaced.explanation;
  // Only the reasons: what would help names amounts that are no reason.
  const lacks = result.renderExplanation(result.explain(nameOf(task)));
  if (typeof because === 'string') {
    const isFilter = filters.some(({ filter }) => filter === because);
    return isFilter || message.includes(because) || lacks.includes(because);
  }
  return message.search(because) >= 0 || lacks.search(because) >= 0;
}
