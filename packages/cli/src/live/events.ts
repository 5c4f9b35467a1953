/**
 * `skep events`: what happened to objects, as the cluster noted it.
 */
import { Event } from '@skep/api';
import type { ExitCode, Surroundings } from '../surroundings.js';
import type { Output } from '../views/get/output.js';
import { withCluster, type ClusterChoice } from './connection.js';
import { getTargets } from './get.js';
import { objectMeant } from './object-meant.js';

/** Options of `skep events`. */
export interface EventsOptions extends ClusterChoice {
  readonly output: Output;
  readonly watch?: boolean;
  readonly warnings?: boolean;
  readonly headers: boolean;
}

/** Shows events, the newest last; of one object when it is named. */
export function events(
  reference: string | undefined,
  options: EventsOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  return withCluster(options, surroundings, async (connected) => {
    const fields: string[] = options.warnings === true ? ['spec.type=warning'] : [];
    if (reference !== undefined) {
      const { kind, object } = await objectMeant(reference, connected);
      fields.push(`spec.regarding.kind=${kind.info.name}`, `spec.regarding.id=${object.meta.id}`);
    }
    const targets = [{ kind: connected.kinds.kind(Event.name) }];
    const { output, watch = false, headers } = options;
    const getOptions = { output, watch, headers, fieldSelector: fields.join(',') };
    return getTargets(targets, getOptions, connected, surroundings);
  });
}
