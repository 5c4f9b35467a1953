import { describe, expect, it } from '@jest/globals';
import { node, task } from './__fixtures__/builders.js';
import type { ActiveFilter } from './active-plugins.js';
import { ClusterState } from './cluster-state.js';
import { composePolicy } from './policies/compose-policy.js';
import type { Filter } from './policy.js';
import { VerdictCache } from './verdict-cache.js';

/** A filter for nodes with at most so many tasks. */
const few: Filter = {
  name: 'few',
  prepare: () => undefined,
  describe: () => 'too many tasks',
};

function fewer(most: number): readonly ActiveFilter[] {
  const key = `at most ${most}`;
  const lack = [{ what: 'tasks', needed: most, available: 0 }];
  const check: ActiveFilter['prepared']['check'] = ({ activeTasks }) =>
    activeTasks <= most ? undefined : lack;
  return [{ filter: few, prepared: { key, check }, key }];
}

const policy = composePolicy({ name: 'one', filters: [few] });
const other = composePolicy({ name: 'other', filters: [few] });

describe('verdicts that are kept', () => {
  const state = new ClusterState({ nodes: [node({ id: 'a' }), node({ id: 'b' })] });
  const cache = new VerdictCache();
  const bitsOf = (by: typeof policy, most: number): readonly number[] => [
    ...cache.get(state.table, by, fewer(most)).get(),
  ];

  it('are those of the policy and of the keys, whatever was asked before', () => {
    const first = cache.get(state.table, policy, fewer(0));
    expect(cache.get(state.table, policy, fewer(0))).toBe(first);
    expect(cache.get(state.table, policy, fewer(1))).not.toBe(first);
    expect(cache.get(state.table, policy, fewer(0))).toBe(first);
    expect(cache.get(state.table, other, fewer(0))).not.toBe(first);
    expect(cache.get(state.table, policy, [])).not.toBe(first);
    expect(cache.get(state.table, policy, fewer(0))).toBe(first);
  });

  it('ask a filter that ignores use once for each version of a node', () => {
    const nodes = ['a', 'b'].map((id) => node({ id }));
    const own = new ClusterState({ nodes });
    const asked: string[] = [];
    const check: ActiveFilter['prepared']['check'] = ({ id, node: { meta } }) => {
      asked.push(id);
      return meta.labels['bad'] === undefined ? undefined : [];
    };
    const verdicts = new VerdictCache().get(own.table, policy, [
      { filter: few, prepared: { key: '', ignoresUse: true, check }, key: '' },
    ]);
    expect([...verdicts.get()]).toEqual([1, 1]);
    own.place(task({ id: 't1' }), 'b');
    own.place(task({ id: 't2' }), 'a');
    expect([...verdicts.get()]).toEqual([1, 1]);
    expect(asked).toEqual(['a', 'b']);
    own.upsertNode(node({ id: 'b', labels: { bad: 'yes' } }));
    own.place(task({ id: 't3' }), 'b');
    expect([...verdicts.get(), verdicts.count]).toEqual([1, 0, 1]);
    own.release('t3');
    expect([...verdicts.get()]).toEqual([1, 0]);
    own.upsertNode(node({ id: 'b' }));
    expect([...verdicts.get(), verdicts.count]).toEqual([1, 1, 2]);
    // Each time the node was touched: by its new version, and by the tasks beside it.
    expect(asked.slice(2)).toEqual(['b', 'b', 'b']);
  });

  it('follow what changes on nodes', () => {
    expect(bitsOf(policy, 0)).toEqual([1, 1]);
    state.place(task({ id: 't1' }), 'b');
    expect(bitsOf(policy, 0)).toEqual([1, 0]);
    expect(bitsOf(policy, 1)).toEqual([1, 1]);
    state.place(task({ id: 't2' }), 'b');
    expect(bitsOf(policy, 1)).toEqual([1, 0]);
    expect(bitsOf(other, 0)).toEqual([1, 0]);
    state.release('t1');
    state.release('t2');
    expect([bitsOf(policy, 0), bitsOf(policy, 1)]).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });
});
