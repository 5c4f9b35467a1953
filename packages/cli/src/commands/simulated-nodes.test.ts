import { describe, expect, it } from '@jest/globals';
import { loadManifests, type LoadedObject } from '@skep/manifest';
import { simulatedNodes } from './simulated-nodes.js';

function manifests(...nodes: readonly string[]): readonly LoadedObject[] {
  const text = nodes.map((rest) => `apiVersion: skep/v1\nkind: Node\n${rest}\n`).join('---\n');
  return loadManifests([{ path: 'n.yml', text }]).objects;
}

const named = (name: string, spec = ''): string => `metadata: { name: ${name} }\n${spec}`;

describe('simulatedNodes', () => {
  it('numbers nodes, managers first', () => {
    expect(simulatedNodes({ nodes: 3, managers: 2 }, [])).toEqual([
      { name: 'node1', role: 'manager' },
      { name: 'node2', role: 'manager' },
      { name: 'node3', role: 'worker' },
    ]);
  });

  it('takes from a manifest what it says', () => {
    const objects = manifests(
      'metadata: { name: node2, labels: { disk: ssd } }\nspec: { availability: pause }',
      named('node1', 'spec: { role: worker }'),
      named('node3', 'spec: { description: { platform: { os: linux, architecture: arm64 } } }'),
    );
    expect(simulatedNodes({ nodes: 3, managers: 2 }, objects)).toEqual([
      { name: 'node1', role: 'worker', availability: 'active', labels: {} },
      { name: 'node2', role: 'manager', availability: 'pause', labels: { disk: 'ssd' } },
      {
        name: 'node3',
        role: 'worker',
        availability: 'active',
        labels: {},
        description: { platform: { os: 'linux', architecture: 'arm64' } },
      },
    ]);
  });

  it('adds nodes of other names after the numbered ones, by name', () => {
    const objects = manifests(named('zoe'), named('adam', 'spec: { role: manager }'));
    expect(
      simulatedNodes({ nodes: 1, managers: 1 }, objects).map(({ name, role }) => [name, role]),
    ).toEqual([
      ['node1', 'manager'],
      ['adam', 'manager'],
      ['zoe', 'worker'],
    ]);
  });

  it.each([
    [
      'two manifests for a node',
      [named('a'), named('a')],
      { nodes: 1, managers: 1 },
      /^n\.yml:6:1: error: the node a is declared in n\.yml:1/,
    ],
    [
      'no manager',
      [named('node1', 'spec: { role: worker }')],
      { nodes: 1, managers: 1 },
      /no node/,
    ],
    ['too many managers', [], { nodes: 1, managers: 2 }, /--managers 2 of --nodes 1/],
  ])('refuses %s', (_fault, nodes, counts, message) => {
    expect(() => simulatedNodes(counts, manifests(...nodes))).toThrow(message);
  });
});
