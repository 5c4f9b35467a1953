/**
 * What a task of a service is made from, now.
 *
 * **Source:** SwarmKit manager/orchestrator/task.go (NewTask).
 */
import type { ClusterSettings, ServiceSpec, TaskTemplate } from '@skep/api';

/**
 * The template with the networks of the service where it names none of its own, and the cluster's
 * log driver where it names none. Shares the spec's own object when nothing has to be added.
 */
export function taskTemplate(
  spec: ServiceSpec,
  cluster: Pick<ClusterSettings, 'logDriver'>,
): TaskTemplate {
  const template = specTemplate(spec);
  if (template.logDriver !== undefined || cluster.logDriver === undefined) return template;
  return { ...template, logDriver: cluster.logDriver };
}

/** The template as the service alone declares it: without the cluster's defaults. */
export function specTemplate(spec: ServiceSpec): TaskTemplate {
  if (spec.task.networks !== undefined || spec.networks === undefined) return spec.task;
  return { ...spec.task, networks: spec.networks };
}
