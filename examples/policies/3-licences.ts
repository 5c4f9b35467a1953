/**
 * A filter of one's own: nodes have so many seats of a licence (`licences=2`), and a task of a
 * service that needs one takes a seat.
 */
import { composePolicy, swarmPolicy, type Filter, type Policy } from '@skep/scheduler';

/** Services of which each task takes a seat. */
const LICENSED = new Set(['cad', 'render']);

const licenceFilter: Filter = {
  name: 'licence',
  describe: (nodes) => `no licence left on ${nodes} ${nodes === 1 ? 'node' : 'nodes'}`,
  prepare: ({ serviceName }, state) => {
    if (!LICENSED.has(serviceName)) return undefined;
    const services = [...LICENSED].map((name) => state.serviceId(name));
    return {
      // No key: the answer depends on tasks of other services, and not on the node alone.
      check: (node) => {
        const seats = Number(node.facts.labels['licences'] ?? 0);
        const taken = services.reduce((sum, id) => sum + state.activeTasksOf(id).on(node), 0);
        return taken < seats
          ? undefined
          : [{ what: 'licence seats', needed: 1, available: seats - taken }];
      },
    };
  },
};

/** Swarm's policy, and nobody works without a licence. */
export const licencePolicy: Policy = composePolicy({
  name: 'licences',
  base: swarmPolicy(),
  moreFilters: [licenceFilter],
});
