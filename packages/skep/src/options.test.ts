import { describe, expect, it } from '@jest/globals';
import { wantedNodes } from './options.js';

const rolesOf = (options: Parameters<typeof wantedNodes>[0]): readonly string[] =>
  wantedNodes(options).map(({ name, role }) => `${name} ${role}`);

describe('wantedNodes', () => {
  it('are two, the first a manager, unless somebody says otherwise', () => {
    expect(rolesOf({})).toEqual(['node1 manager', 'node2 worker']);
  });

  it.each([
    [{ nodes: 0 }, []],
    [{ nodes: 1 }, ['node1 manager']],
    [{ nodes: 3, managers: 2 }, ['node1 manager', 'node2 manager', 'node3 worker']],
    [{ nodes: 2, managers: 0 }, ['node1 worker', 'node2 worker']],
    [{ nodes: 2, managers: 5 }, ['node1 manager', 'node2 manager']],
  ])('of %j', (options, expected) => {
    expect(rolesOf(options)).toEqual(expected);
  });

  it('are as they are described, and by their place where they are not', () => {
    const labels = { disk: 'ssd' };
    const nodes = [{ name: 'edge', role: 'worker' as const }, {}, { labels }];
    expect(wantedNodes({ nodes, managers: 2 })).toEqual([
      { name: 'edge', role: 'worker' },
      { name: 'node2', role: 'manager' },
      { name: 'node3', role: 'worker', labels },
    ]);
  });

  it.each([
    { nodes: -1 },
    { nodes: 1.5 },
    { nodes: NaN },
    { managers: -1 },
    { managers: Infinity },
  ])('cannot be %j', (options) => {
    expect(() => wantedNodes(options)).toThrow(/give a whole number, 0 or more/);
  });
});
