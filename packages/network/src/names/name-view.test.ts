import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { changeBetween, nodeState } from '../__fixtures__/cluster.js';
import { randomCluster } from '../__fixtures__/random-cluster.js';
import { VOTE_CLUSTER } from '../__fixtures__/vote.js';
import { buildNameView, updateNameView } from './name-view.js';

describe('updateNameView', () => {
  it('gives what a full build gives, after any sequence of changes', () => {
    fc.assert(
      fc.property(fc.array(randomCluster(), { minLength: 1, maxLength: 4 }), (clusters) => {
        let state = nodeState(
          { ...VOTE_CLUSTER, networks: [], services: [], tasks: [] },
          'node1',
          0,
        );
        let view = buildNameView(state);
        for (const [index, cluster] of clusters.entries()) {
          const next = nodeState(cluster, 'node1', index + 1);
          view = updateNameView(view, next, changeBetween(state, next));
          expect(view).toEqual(buildNameView(next));
          state = next;
        }
      }),
      { numRuns: 50 },
    );
  });

  it('shares with the previous view what did not change', () => {
    const state = nodeState(VOTE_CLUSTER, 'node1');
    const view = buildNameView(state);
    const none = { networks: [], services: [], slices: [], peers: ['x/y'], tasks: [] };
    expect(updateNameView(view, state, none).networks).toBe(view.networks);
    expect(updateNameView(view, state, undefined)).toEqual(view);
  });
});
