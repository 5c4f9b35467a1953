/** What is removed of the folder of a cluster, and what never is. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { removeClusterFiles, removePassingFiles } from './cluster-files.js';
import { placeOf, type ClusterPaths } from './place.js';

let root: string;
let paths: ClusterPaths;

function put(...names: readonly string[]): void {
  mkdirSync(paths.folder, { recursive: true });
  for (const name of names) {
    const isFolder = name.endsWith('/');
    if (isFolder) mkdirSync(join(paths.folder, name), { recursive: true });
    else writeFileSync(join(paths.folder, name), '{}');
  }
}

const OWN = ['cluster.json', 'store/', 'nodes/node1/runtime/', 'log/', 'processes/'];
const PASSING = ['manager.sock', 'supervisor.json', 'supervisor.json.12.next'];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'skt-files-'));
  paths = placeOf({ cluster: 'demo', stateRoot: root });
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('the folder of a cluster', () => {
  it('goes as a whole', () => {
    put(...OWN, ...PASSING);
    expect(removeClusterFiles(paths)).toEqual([`state ${paths.folder}`]);
    expect(existsSync(paths.folder)).toBe(false);
    expect(removeClusterFiles(paths)).toEqual([]);
  });

  it('goes when a crash has left it empty', () => {
    put();
    expect(removeClusterFiles(paths)).toEqual([`state ${paths.folder}`]);
  });

  it('stays as it is without settings: somebody named the wrong one', () => {
    put('log/', 'store/', 'nodes/', 'letters.txt');
    const before = readdirSync(paths.folder);
    expect(() => removeClusterFiles(paths)).toThrow(
      `${paths.folder} stays: it holds what is no cluster's (letters.txt, log, nodes, store); ` +
        'look, and remove it by hand',
    );
    removePassingFiles(paths);
    expect(readdirSync(paths.folder)).toEqual(before);
  });

  it('keeps what others put into it, and says so', () => {
    put(...OWN, ...PASSING, 'letters.txt', 'log.old');
    expect(() => removeClusterFiles(paths)).toThrow("no cluster's (letters.txt, log.old)");
    expect(readdirSync(paths.folder).sort()).toEqual(['letters.txt', 'log.old']);
  });

  it('keeps what the next `up` needs, when asked to', () => {
    put(...OWN, ...PASSING, 'nodes/node1/dataplane-nftables.json', 'letters.txt');
    removePassingFiles(paths);
    expect(readdirSync(paths.folder).sort()).toEqual([
      'cluster.json',
      'letters.txt',
      'log',
      'nodes',
      'store',
    ]);
    expect(readdirSync(join(paths.folder, 'nodes/node1'))).toEqual(['runtime']);
  });
});
