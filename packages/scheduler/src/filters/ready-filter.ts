/**
 * Nodes that take new tasks: READY, and ACTIVE.
 *
 * **Source:** SwarmKit manager/scheduler/filter.go, ReadyFilter.
 */
import type { Filter, Lack, PreparedFilter } from '../policy.js';
import type { NodeInfo } from '../node-info.js';
import { onNodes } from './wording.js';

const prepared: PreparedFilter = Object.freeze({
  key: '',
  ignoresUse: true,
  passes: ({ node }: NodeInfo) =>
    node.status.state === 'ready' && node.spec.availability === 'active',
  check: ({ node }: NodeInfo): readonly Lack[] | undefined => {
    const { state } = node.status;
    const { availability } = node.spec;
    if (state === 'ready' && availability === 'active') return undefined;
    return [
      ...(state === 'ready' ? [] : [{ what: 'state', needed: 'ready', available: state }]),
      ...(availability === 'active'
        ? []
        : [{ what: 'availability', needed: 'active', available: availability }]),
    ];
  },
});

/** Refuses nodes that are not ready, paused or drained. Always active. */
export const readyFilter: Filter = Object.freeze({
  name: 'ready',
  prepare: () => prepared,
  describe: (nodes: number) => `${onNodes(nodes)} not available for new tasks`,
});
