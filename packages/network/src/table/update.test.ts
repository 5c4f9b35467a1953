import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { changeBetween, nodeState, type FixtureCluster } from '../__fixtures__/cluster.js';
import { randomCluster } from '../__fixtures__/random-cluster.js';
import { VOTE_CLUSTER, voteNode } from '../__fixtures__/vote.js';
import { freshLocal } from '../__fixtures__/world.js';
import { buildTables } from './build.js';
import { applyTableDiff, diffTables, isEmptyDiff } from './diff.js';
import { planNodeLocal } from './node-local-plan.js';
import type { NodeTables, TableContent } from './node-tables.js';
import { omit } from './omit.js';
import { updateTables } from './update.js';

const FAMILIES = ['ipv4', 'dual', 'ipv6'] as const;

const contentOf = (tables: NodeTables): TableContent => omit(tables, 'index');

function walk(
  clusters: readonly FixtureCluster[],
  check: (step: {
    readonly updated: NodeTables;
    readonly built: NodeTables;
    readonly before: NodeTables;
  }) => void,
): void {
  let state = nodeState({ ...VOTE_CLUSTER, networks: [], services: [], tasks: [] }, 'node1', 0);
  let local = freshLocal({ ...VOTE_CLUSTER, families: 'dual' }, 'node1');
  let tables = buildTables(state, local);
  for (const [index, cluster] of clusters.entries()) {
    const next = nodeState(cluster, 'node1', index + 1);
    const change = changeBetween(state, next);
    local = planNodeLocal(local, next, change);
    const updated = updateTables(tables, next, change, local);
    check({ updated, built: buildTables(next, local), before: tables });
    tables = updated;
    state = next;
  }
}

describe('updateTables', () => {
  it('gives what a full build gives, after any sequence of changes', () => {
    fc.assert(
      fc.property(
        fc.array(randomCluster({ families: FAMILIES }), { minLength: 1, maxLength: 4 }),
        (clusters) => {
          walk(clusters, ({ updated, built }) => expect(updated).toEqual(built));
        },
      ),
    );
  });

  it('shares with the previous tables whatever did not change', () => {
    const { state, local } = voteNode('node1');
    const tables = buildTables(state, local);
    const drained = {
      ...VOTE_CLUSTER,
      tasks: VOTE_CLUSTER.tasks.map((task) =>
        task.id === 'vote2' ? { ...task, state: 'draining' as const } : task,
      ),
    };
    const next = nodeState(drained, 'node1', 1);
    const change = changeBetween(state, next);
    expect(change.slices).toHaveLength(2);
    const updated = updateTables(tables, next, change, planNodeLocal(local, next, change));
    expect(updated.tasks).toBe(tables.tasks);
    expect(updated.networks.get('overlay1')?.peers).toBe(tables.networks.get('overlay1')?.peers);
    expect(updated.networks.get('overlay1')?.vips.get('10.0.9.7')).toBe(
      tables.networks.get('overlay1')?.vips.get('10.0.9.7'),
    );
  });

  it('builds everything when it is not told what changed', () => {
    const { state, local } = voteNode('node1');
    const tables = buildTables(state, local);
    expect(updateTables(tables, state, undefined, local)).toEqual(tables);
  });
});

describe('diffTables', () => {
  it('leads from one table to the other, and back', () => {
    fc.assert(
      fc.property(
        fc.array(randomCluster({ families: FAMILIES }), { minLength: 2, maxLength: 3 }),
        (clusters) => {
          walk(clusters, ({ updated, before }) => {
            const [a, b] = [contentOf(before), contentOf(updated)];
            expect(applyTableDiff(a, diffTables(a, b))).toEqual(b);
            expect(applyTableDiff(b, diffTables(b, a))).toEqual(a);
          });
        },
      ),
    );
  });

  it('is empty between equal tables', () => {
    const { state, local } = voteNode('node1');
    const diff = diffTables(buildTables(state, local), buildTables(state, local));
    expect(isEmptyDiff(diff)).toBe(true);
  });
});
