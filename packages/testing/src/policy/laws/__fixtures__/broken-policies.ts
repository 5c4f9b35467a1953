/**
 * For each law a policy that breaks it, and little else: Swarm's with one mistake of the kind that
 * people make.
 */
import { hash32 } from '@skep/api';
import { readyFilter, resourceFilter, swarmPolicy } from '@skep/scheduler';
import type {
  ClusterView,
  Filter,
  GroupTerm,
  NodeInfo,
  NodeTerm,
  Policy,
} from '@skep/scheduler';
import type { PolicyLawName } from '../law.js';

const swarm = swarmPolicy();

const without = (filter: Filter): readonly Filter[] =>
  swarm.filters.filter((one) => one !== filter);

function term(name: string, value: (node: NodeInfo) => number): NodeTerm {
  return { scope: 'node', name, label: name, value };
}

/** Forgot the filter of resources. */
const greedy: Policy = { ...swarm, name: 'greedy', filters: without(resourceFilter) };

/** Forgot that nodes may be drained. */
const eager: Policy = { ...swarm, name: 'eager', filters: without(readyFilter) };

/** Remembers how often it was asked: a round robin that lives outside of the cluster. */
function roundRobin(): Policy {
  let turn = 0;
  const turns: GroupTerm = {
    scope: 'group',
    name: 'turn',
    label: 'its turn',
    prepare: ({ state }) => {
      turn += 1;
      const now = turn;
      return { value: (node) => (node.ordinal + now) % state.nodes.length };
    },
  };
  return { ...swarm, name: 'round-robin', rank: [turns] };
}

/** Takes the node that it happens to see first. */
const firstSeen: Policy = {
  ...swarm,
  name: 'first-seen',
  rank: [
    {
      scope: 'group',
      name: 'first-seen',
      label: 'seen first',
      prepare: ({ state, group }) => {
        const [first] = state.activeTasksOf(group.serviceId).nodes();
        return { value: (node) => (node === first ? 0 : 1) };
      },
    },
  ],
};

/** Hashes names for a spread that looks random. */
const hashed: Policy = {
  ...swarm,
  name: 'hashed',
  rank: [term('hash', (node) => hash32(node.name) % 7)],
};

/** Wants no zone to have more tasks than half of the nodes have. */
const anxious: Policy = {
  ...swarm,
  name: 'anxious',
  filters: [
    ...swarm.filters,
    {
      name: 'quorum',
      describe: (nodes) => `too many nodes: ${nodes}`,
      prepare: (_group, state) =>
        state.nodes.length <= 2
          ? undefined
          : { key: 'quorum', check: () => [{ what: 'nodes', needed: 3, available: 2 }] },
    },
  ],
};

/** Counts once for the whole group, so that all of it goes to one node. */
const hasty: Policy = {
  ...swarm,
  name: 'hasty',
  rank: [
    {
      scope: 'group',
      name: 'tasks',
      label: 'fewer tasks',
      prepare: ({ state }) => {
        const counts = new Map(state.nodes.map((node) => [node, node.activeTasks]));
        return { value: (node) => counts.get(node) ?? 0 };
      },
    },
  ],
};

/** Says by its key that all services are alike, and looks at the service. */
const careless: Policy = {
  ...swarm,
  name: 'careless',
  filters: [
    ...swarm.filters,
    {
      name: 'apart',
      describe: (nodes) => `too close on ${nodes}`,
      prepare: ({ serviceName }) => ({
        key: 'apart',
        check: (node) =>
          node.ordinal % 2 === serviceName.length % 2
            ? [{ what: 'distance', needed: 1, available: 0 }]
            : undefined,
      }),
    },
  ],
};

/** Names the capacity where what is free is meant. */
const boastful: Policy = {
  ...swarm,
  name: 'boastful',
  filters: [
    ...without(resourceFilter),
    {
      ...resourceFilter,
      prepare: (group, state) => {
        const prepared = resourceFilter.prepare(group, state);
        if (prepared === undefined) return undefined;
        return {
          ...prepared,
          check: (node) =>
            prepared
              .check(node)
              ?.map((lack) => (lack.what === 'cpuNanos' ? { ...lack, available: 64e9 } : lack)),
        };
      },
    },
  ],
};

/** Does not forgive: a node that was busy in a cluster is refused there for ever. */
function resentful(): Policy {
  const used = new WeakMap<ClusterView, Set<string>>();
  return {
    ...swarm,
    name: 'resentful',
    filters: [
      ...swarm.filters,
      {
        name: 'resentment',
        describe: (nodes) => `used before: ${nodes}`,
        prepare: (_group, state) => {
          const before = used.get(state) ?? new Set();
          used.set(state, before);
          return {
            dependsOn: 'cluster',
            check: (node) => {
              if (node.activeTasks > 0) before.add(node.id);
              else if (before.has(node.id)) {
                return [{ what: 'innocence', needed: 1, available: 0 }];
              }
              return undefined;
            },
          };
        },
      },
    ],
  };
}

/** A policy that breaks the law; a new one each time, since some remember. */
export const BROKEN_POLICIES: Readonly<Record<PolicyLawName, () => Policy>> = {
  capacity: () => greedy,
  demands: () => eager,
  'same-again': roundRobin,
  order: () => firstSeen,
  names: () => hashed,
  'more-nodes': () => anxious,
  batch: () => hasty,
  cache: () => careless,
  explanation: () => boastful,
  again: resentful,
};
