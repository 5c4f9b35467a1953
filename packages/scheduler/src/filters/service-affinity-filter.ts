/**
 * Places with tasks of the services that the task requires, and without those that it must not
 * meet.
 *
 * **Source:** kube-scheduler interpodaffinity/filtering.go, with services for pod selectors. As
 * there, distance is mutual, and the first task of a service that requires its own kind may go
 * anywhere.
 */
import type { ServiceAffinityTerm } from '@skep/api';
import type { ClusterView } from '../cluster-view.js';
import type { NodeInfo } from '../node-info.js';
import type { Filter, Lack, PreparedFilter } from '../policy.js';
import type { TaskGroup } from '../task-group.js';
import { TopologyCounts } from '../topology-counts.js';
import { topologyValue } from '../topology-value.js';
import { onNodes } from './wording.js';

/**
 * Refuses nodes in places that lack an active task of a service in
 * `placement.serviceAffinity.required`, or have one of a service in
 * `placement.serviceAntiAffinity.required`, or have a task that requires distance from this
 * service.
 */
export const serviceAffinityFilter: Filter = Object.freeze({
  name: 'service-affinity',
  prepare: (group, state): PreparedFilter | undefined => {
    const { serviceAffinity, serviceAntiAffinity } = group.template.placement ?? {};
    const isOfNobody = serviceAffinity === undefined && serviceAntiAffinity === undefined;
    if (isOfNobody && state.tasksWithAntiAffinity().length === 0) return undefined;
    const rules = [
      ...(serviceAffinity?.required ?? NONE).map((term) => nearRule(term, group, state)),
      ...(serviceAntiAffinity?.required ?? NONE).map((term) => farRule(term, state)),
      ...mutualRules(group, state),
    ];
    if (rules.length === 0) return undefined;
    return {
      dependsOn: 'cluster',
      passes: (node) => rules.every((rule) => rule(node) === undefined),
      check: (node) => {
        const lacks = rules.flatMap((rule): readonly Lack[] => {
          const lack = rule(node);
          return lack === undefined ? [] : [lack];
        });
        return lacks.length === 0 ? undefined : lacks;
      },
    };
  },
  describe: (nodes) => `service affinity not satisfied on ${onNodes(nodes)}`,
} satisfies Filter);

const NONE: readonly never[] = Object.freeze([]);

/** What stands in the way on a node. */
type Rule = (node: NodeInfo) => Lack | undefined;

function nearRule(
  { service, topologyKey }: ServiceAffinityTerm,
  group: TaskGroup,
  state: ClusterView,
): Rule {
  const serviceId = state.serviceId(service);
  const counts = new TopologyCounts(state, serviceId, topologyKey);
  const isOwn = serviceId === group.serviceId;
  return (node) => {
    if (counts.near(node) > 0) return undefined;
    // Somebody has to be the first, in any place that is one.
    if (isOwn && counts.total === 0 && counts.placeOf(node) !== -1) return undefined;
    return { what: `near ${service} by ${topologyKey}`, needed: 1, available: 0 };
  };
}

function farRule({ service, topologyKey }: ServiceAffinityTerm, state: ClusterView): Rule {
  const counts = new TopologyCounts(state, state.serviceId(service), topologyKey);
  return (node) => {
    const near = counts.near(node);
    if (near === 0) return undefined;
    return { what: `away from ${service} by ${topologyKey}`, needed: 'none', available: near };
  };
}

/** Distance that tasks on nodes require from this service. */
function mutualRules({ serviceId }: TaskGroup, state: ClusterView): readonly Rule[] {
  if (serviceId === undefined) return NONE;
  const places = new Map<string, Map<string, string>>();
  for (const { task, node, isActive } of state.tasksWithAntiAffinity()) {
    const { serviceAntiAffinity } = task.spec.template.placement ?? {};
    for (const { service, topologyKey } of serviceAntiAffinity?.required ?? NONE) {
      if (!isActive || state.serviceId(service) !== serviceId) continue;
      const known = state.node(node.id);
      const place = known === undefined ? undefined : topologyValue(known, topologyKey);
      if (place === undefined) continue;
      const taken = places.get(topologyKey) ?? new Map<string, string>();
      if (!taken.has(place)) taken.set(place, task.spec.serviceName);
      places.set(topologyKey, taken);
    }
  }
  return [...places].map(([topologyKey, taken]): Rule => (node) => {
    const place = topologyValue(node, topologyKey);
    const other = place === undefined ? undefined : taken.get(place);
    if (other === undefined) return undefined;
    return { what: `distance that ${other} requires`, needed: 'kept', available: topologyKey };
  });
}
