import { describe, expect, it } from '@jest/globals';
import { nodeNamespace, nodeOfNamespace, nodePrefix, underlayNamespace } from './cluster-names.js';

describe('names of namespaces', () => {
  it('begin with the cluster, then the node', () => {
    expect(underlayNamespace('vote')).toBe('vote.underlay');
    expect(nodeNamespace('vote', 'node1')).toBe('vote.node1');
    expect(nodePrefix('vote', 'node1')).toBe('vote.node1.');
  });

  it('tell the node of each namespace', () => {
    const names = ['vote.node1', 'vote.node1.task_x', 'vote.node1.1-net', 'vote.node12'];
    expect(names.map((name) => nodeOfNamespace('vote', name))).toEqual([
      'node1',
      'node1',
      'node1',
      'node12',
    ]);
  });

  it.each(['vote.underlay', 'vote-2.node1', 'voter.node1', 'other', 'vote'])(
    '%s is none of a node of the cluster vote',
    (name) => expect(nodeOfNamespace('vote', name)).toBeUndefined(),
  );

  it.each(['', 'A', '-a', 'a-', 'a.b', 'a b', 'a/b', 'x'.repeat(33)])(
    'the cluster id %j is refused',
    (id) => {
      expect(() => underlayNamespace(id)).toThrow('small letters and digits');
    },
  );

  it.each(['', 'underlay', 'a.b', 'a/b', '..', '-a', 'a b', 'x'.repeat(64)])(
    'the node name %j is refused',
    (name) => {
      expect(() => nodeNamespace('vote', name)).toThrow('letters and digits are needed');
    },
  );
});
