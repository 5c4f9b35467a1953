import { describe, expect, it } from '@jest/globals';
import { runCommand } from './__fixtures__/run-command.js';
import { CLUSTER_HELP } from './cluster-help.js';
import { EXIT } from './surroundings.js';
import type { LocalClusters } from './live/local-clusters.js';

const UP = {
  cluster: 'skep',
  nodes: [],
  changes: [],
  hosts: '',
  runtime: '',
  dataplane: '',
  subnet: '',
};

/** Everything that examples expect to be there. */
const SURROUNDINGS = {
  readFile: () => new TextEncoder().encode('services: { web: { image: web } }\n'),
  interruption: () => AbortSignal.abort(),
  local: () =>
    Promise.resolve({
      placeOf: () => ({ controlSocket: '/x' }),
      up: () => Promise.resolve(UP),
      down: () => Promise.resolve({ wasThere: true, removed: [] }),
      status: () => Promise.resolve({ state: 'absent', processes: [], ports: [] }),
      listClusters: () => Promise.resolve([]),
    } as unknown as LocalClusters),
};

describe.each(Object.keys(CLUSTER_HELP))('skep help %s', (name) => {
  it('fits into a hundred columns, and says how to begin', async () => {
    const { code, out } = await runCommand(['help', name]);
    expect(code).toBe(EXIT.ok);
    expect(out.split('\n').filter((line) => line.length > 100)).toEqual([]);
    expect(out).toMatch(/^Examples:\n {2}\S/m);
  });

  it('has examples that are understood', async () => {
    const text = CLUSTER_HELP[name as keyof typeof CLUSTER_HELP];
    const examples = [...text.matchAll(/(?:^ {2}|\| |\()skep ([^\n]*?)(?: {2,}.*| >.*|\).*)?$/gm)];
    expect(examples.length).toBeGreaterThan(0);
    for (const [, example = ''] of examples) {
      const words = [...example.matchAll(/'([^']*)'|(\S+)/g)].map(([, a, b]) => a ?? b ?? '');
      const { err } = await runCommand(words, {}, SURROUNDINGS);
      // Names in examples need not be there, but options and their values have to be right.
      expect({ example, err }).not.toMatchObject({ err: expect.stringMatching(/^error: /m) });
      expect({ example, err }).not.toMatchObject({ err: expect.stringMatching(/fault of skep/) });
    }
  });
});

it('skep --help names every command that is not hidden', async () => {
  const { out } = await runCommand('--help');
  for (const name of Object.keys(CLUSTER_HELP))
    expect(out).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  expect(out.split('\n').filter((line) => line.length > 100)).toEqual([]);
});
