/** A policy for a night of batch work: fill nodes up, so that large jobs find an empty one. */
import { composePolicy, swarmPolicy, type NodeTerm } from '@skep/scheduler';

const leastCpuLeft: NodeTerm = {
  scope: 'node',
  name: 'cpu-left',
  label: 'less cpu left',
  value: (node) => node.availableCpuNanos / 1e9,
};

/** Swarm's filters, and the fullest node that takes the task. */
export const packing = composePolicy({
  name: 'packing',
  base: swarmPolicy(),
  rank: [leastCpuLeft],
});

/** A night: small jobs come and go, then the large ones. */
export const NIGHT = `event,name,count,cpus,memory
node,n,4,8,32GiB
arrive,small,12,1,2GiB
leave,small.3
leave,small.7
arrive,large,3,8,16GiB
`;
