/** A cluster whose tasks are containers: the same life, on an engine of the test's own. */
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { missingPrograms, suiteThatNeeds } from '../../../scripts/test-needs.js';
import { TestEngine } from '../../adapter-hosts/test/docker-engine.js';
import {
  ClusterProgram,
  fetched,
  freePort,
  LocalCluster,
  noTraces,
  until,
} from './local-cluster.js';

const PROGRAMS = [
  'dockerd',
  'docker',
  'tar',
  'nsenter',
  'ip',
  'bridge',
  'nft',
  'conntrack',
  'busybox',
];
const { suite, lack } = suiteThatNeeds(missingPrograms(PROGRAMS));
const SERVE = 'mkdir -p /www && hostname > /www/index.html && exec busybox httpd -f -p 80 -h /www';

jest.setTimeout(120_000);

suite(`a cluster of containers on this machine${lack}`, () => {
  let engine: TestEngine;
  let program: ClusterProgram;
  let cluster: LocalCluster;

  beforeAll(async () => {
    engine = new TestEngine();
    program = new ClusterProgram();
    cluster = new LocalCluster(`skt-${process.pid}d`, program);
    await engine.start();
    engine.importBusybox('skt-busybox:1');
  });

  afterAll(async () => {
    await cluster.down({ timeoutMs: 100 });
    await engine.remove();
    program.remove();
    rmSync(cluster.place.stateRoot, { recursive: true, force: true });
  });

  const containers = (): readonly string[] => {
    const label = `label=io.skep.cluster=${cluster.place.cluster}`;
    const words = ['-H', `unix://${engine.socketPath}`, 'ps', '-a', '-q', '--filter', label];
    return execFileSync('docker', words, { encoding: 'utf8' }).split('\n').filter(Boolean).sort();
  };

  it('goes on after kill -9 of all, and leaves no container', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/`;
    await cluster.up({ nodes: 2, runtime: 'docker', dockerSocket: engine.socketPath });
    const container = {
      image: 'skt-busybox:1',
      command: ['sh', '-c', SERVE],
      stopGracePeriodMs: 500,
    };
    await cluster.ask((client) =>
      client.declare([
        { kind: 'Network', name: 'net', spec: { driver: { name: 'overlay' } } },
        {
          kind: 'Service',
          name: 'vote',
          spec: {
            mode: { type: 'replicated', replicas: 4 },
            task: { container, networks: [{ target: 'net' }] },
            endpoint: { ports: [{ targetPort: 80, publishedPort: port }] },
          },
        },
      ]),
    );
    const answers = async (): Promise<readonly string[] | undefined> => {
      const said = new Set<string>();
      for (let times = 0; times < 12; times += 1) said.add(await fetched(url));
      const isWhole = [...said].every((name) => /^[0-9a-z]{12}$/.test(name)) && said.size === 4;
      return isWhole ? [...said].sort() : undefined;
    };
    const before = await until('four that answer', answers);
    const made = containers();
    expect(made).toHaveLength(4);
    cluster.kill('supervisor', 'manager', 'agent');
    await cluster.up();
    expect(await until('four that answer', answers)).toEqual(before);
    expect(containers()).toEqual(made);
    expect((await cluster.down({ timeoutMs: 2_000 })).removed).toContain('4 tasks');
    expect(containers()).toEqual([]);
    expect(await cluster.traces(['node1', 'node2'])).toEqual(noTraces(['node1', 'node2']));
  });
});
