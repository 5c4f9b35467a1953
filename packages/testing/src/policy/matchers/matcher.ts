/**
 * What all matchers have in common: what they take, and how they say what is wrong.
 */
import { SkepError } from '@skep/api';
import { nameOf } from '../build/service.js';
import type { Decision } from '../placed-cluster.js';
import type { TaskSelection } from '../placement-result.js';

/** What a matcher answers: the form of jest and of vitest. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/** Tasks that a message explains one by one; of more only the first. */
const EXPLAINED_MAX = 3;

/**
 * What a matcher speaks about.
 * @throws invalid-argument for anything but a result of `place` or a part of one.
 */
export function selectionOf(received: unknown, matcher: string): TaskSelection {
  if (typeof received === 'object' && received !== null) {
    const { result, decisions, label } = received as Partial<TaskSelection>;
    if (result !== undefined && Array.isArray(decisions) && typeof label === 'string') {
      return received as TaskSelection;
    }
  }
  throw new SkepError(
    'invalid-argument',
    `${matcher} is for what place() gives, and its task('web.1') and service('web'); ` +
      `it got ${received === null ? 'null' : typeof received}`,
  );
}

/** The tasks of the selection. @throws failed-precondition when there are none. */
export function someDecisions(selection: TaskSelection, matcher: string): readonly Decision[] {
  if (selection.decisions.length > 0) return selection.decisions;
  throw new SkepError(
    'failed-precondition',
    `${matcher} would hold for anything: no task was to be placed`,
  );
}

/** What a matcher found. */
export interface Finding {
  readonly selection: TaskSelection;
  /** `to be placed on n1`. */
  readonly wish: string;
  /** What speaks against it, a line each; empty when the wish holds. */
  readonly faults: readonly string[];
  /** What holds, for a `not` that fails. */
  readonly fact: string;
  /** The decisions that are explained in a message. */
  readonly about: readonly Decision[];
}

/** The answer: whether there is no fault, with the cluster, the reasons and the scores as text. */
export function verdict(finding: Finding): MatcherResult {
  const pass = finding.faults.length === 0;
  return { pass, message: () => messageOf(finding, pass) };
}

function messageOf({ selection, wish, faults, fact, about }: Finding, pass: boolean): string {
  const { result, label } = selection;
  const head = pass
    ? `expected ${label} not ${wish}, but ${fact}`
    : `expected ${label} ${wish}, but ${faults.length > 1 ? '\n  ' : ''}${faults.join('\n  ')}`;
  const explained = about.slice(0, EXPLAINED_MAX).map(({ task }) => result.why(nameOf(task)));
  const policy = `policy ${result.policy.name}`;
  return [head, `${policy}\n${result.toString()}`, ...explained].join('\n\n');
}

/** `it is on n1`, `it waits (no suitable node …)`. */
export function whereIs({ task, placement, unplaced }: Decision, of: TaskSelection): string {
  const subject = of.decisions.length === 1 ? 'it' : nameOf(task);
  if (placement !== undefined) return `${subject} is on ${of.result.nodeName(placement.nodeId)}`;
  return `${subject} waits: ${unplaced.explanation.message}`;
}
