/**
 * `skep explain TASK` and `skep why OBJECT`: reasons, from a running cluster.
 */
import { canonicalJson, Task } from '@skep/api';
import { renderExplanation, swarmPolicy } from '@skep/scheduler';
import { renderWhy } from 'skep';
import { EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import { withCluster, type ClusterChoice } from './connection.js';
import { objectMeant } from './object-meant.js';
import { expandedTask } from './references.js';
import { look } from './replica.js';

/** Options of `skep explain`. */
export interface ExplainCommandOptions extends ClusterChoice {
  readonly json?: boolean;
}

/** Where a task would go now, and why not elsewhere; exit code 1 when no node takes it. */
export function explainTask(
  task: string,
  options: ExplainCommandOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  return withCluster(options, surroundings, async ({ client }) => {
    const reference = expandedTask(await look(client, [Task]), task);
    const explanation = await client.explain(reference);
    const text =
      options.json === true
        ? canonicalJson(explanation, 2)
        : renderExplanation(explanation, { policy: swarmPolicy() });
    surroundings.out(`${text}\n`);
    return explanation.chosen === undefined ? EXIT.unsettled : EXIT.ok;
  });
}

/** Options of `skep why` on a running cluster. */
export interface LiveWhyOptions extends ClusterChoice {
  readonly field?: string;
  readonly change?: 'created' | 'updated' | 'deleted';
  readonly json?: boolean;
}

/** The commits that led to a change; exit code 1 when no such change is remembered. */
export function whyLive(
  reference: string,
  options: LiveWhyOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  return withCluster(options, surroundings, async (connected) => {
    const { kind, object } = await objectMeant(reference, connected);
    const { field, change } = options;
    const steps = await connected.client.why(kind.info.name, object.meta.id, {
      ...(field === undefined ? {} : { field }),
      ...(change === undefined ? {} : { change }),
    });
    surroundings.out(options.json === true ? `${canonicalJson(steps, 2)}\n` : renderWhy(steps));
    return steps.length > 0 ? EXIT.ok : EXIT.unsettled;
  });
}
