/**
 * `skep simulate`: what it prints, that it repeats itself, and what may be in the files.
 */
import { describe, expect, it } from '@jest/globals';
import { EXIT } from '../src/surroundings.js';
import { skep, type Files } from './shell.js';

const VOTE = `
services:
  vote:
    image: example/vote:1
    ports: ["8080:80"]
    deploy: { replicas: 2 }
  client: { image: example/client:1 }
`;

interface Result {
  readonly isSettled: boolean;
  readonly nodes: readonly {
    readonly name: string;
    readonly role: string;
    readonly availability: string;
    readonly state: string;
  }[];
  readonly networks: readonly { readonly name: string; readonly subnets: readonly Subnet[] }[];
  readonly services: readonly { readonly name: string; readonly mode: { replicas?: number } }[];
  readonly tasks: readonly { readonly name: string; readonly node: string | null }[];
  readonly problems: readonly unknown[];
}

interface Subnet {
  readonly subnet: string;
}

/** Runs all files in one simulation that has to settle. */
async function simulated(files: Files, ...options: string[]): Promise<Result> {
  const names = Object.keys(files).filter((name) => name.endsWith('.yml'));
  const args = ['simulate', '--json', ...names.flatMap((name) => ['-f', name]), ...options];
  const { code, out, err } = await skep(args, files);
  expect({ code, err: err.replace(/^.*: warning: .*\n/gm, '') }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as Result;
}

const namesOf = (objects: readonly { readonly name: string }[]): readonly string[] =>
  objects.map(({ name }) => name);

describe('what it prints', () => {
  it('nodes, services and how it ended', async () => {
    const { code, out, err } = await skep(['simulate', '-f', 's.yml'], { 's.yml': VOTE });
    expect({ code, err }).toEqual({ code: EXIT.ok, err: '' });
    expect(out).toMatch(/│ node1 │ manager │ ready │ active {7}│ 192\.168\.50\.11 │ \d {5}│/);
    expect(out).toMatch(/│ vote {4}│ replicated │ 2\/2 .*│ 8080→80\/tcp │ node1, node2 │/);
    expect(out).toMatch(
      /\n\nsettled as declared after \d\.\d s of virtual time: 2 services, 3 running tasks\n$/,
    );
  });

  it('every step before that, with --trace', async () => {
    const { out } = await skep(['simulate', '-f', 's.yml', '--trace'], { 's.yml': VOTE });
    expect(out).toMatch(/^ +0\.\d{3} s {2}\S+ +\S/);
    expect(out.split('\n\n')[0]?.split('\n').length).toBeGreaterThan(15);
  });

  it('what it could do without: global services for which no node qualifies', async () => {
    const text = `
services:
  agent: { image: x, deploy: { mode: global } }
  gpu: { image: x, deploy: { mode: global, placement: { constraints: [node.labels.gpu == a] } } }
`;
    const { code, out } = await skep(['simulate', '-f', 's.yml', '--nodes', '3'], {
      's.yml': text,
    });
    expect(code).toBe(EXIT.ok);
    expect(out).toMatch(/│ agent {3}│ global │ 3\/3 /);
    expect(out).toMatch(/│ gpu {5}│ global │ 0\/0 /);
    expect(out).toContain('\n\nno node qualifies for: gpu\n\n');
  });

  it('nothing but JSON, with --json', async () => {
    const { nodes, services, tasks, problems, isSettled } = await simulated({ 's.yml': VOTE });
    expect({ isSettled, problems }).toEqual({ isSettled: true, problems: [] });
    expect(namesOf(nodes)).toEqual(['node1', 'node2']);
    expect(namesOf(services)).toEqual(['client', 'vote']);
    expect(tasks).toHaveLength(3);
  });
});

describe('same seed, same bytes', () => {
  const files = { 's.yml': VOTE };
  const args = ['simulate', '-f', 's.yml', '--nodes', '5', '--managers', '3'];

  it.each([['--json'], ['--trace']])('%s', async (form) => {
    const first = await skep([...args, form, '--seed', '7'], files);
    const second = await skep([...args, form, '--seed', '7'], files);
    const other = await skep([...args, form, '--seed', '8'], files);
    expect(second).toEqual(first);
    expect(other.code).toBe(EXIT.ok);
    expect(other.out).not.toBe(first.out);
  });
});

describe('what may be in the files', () => {
  it('several stack files: later ones over earlier ones', async () => {
    const { services } = await simulated({
      'a.yml': VOTE,
      'b.yml': 'services:\n  vote: { deploy: { replicas: 3 } }\n  extra: { image: x }\n',
    });
    expect(namesOf(services)).toEqual(['client', 'extra', 'vote']);
    expect(services.at(-1)?.mode.replicas).toBe(3);
  });

  it('profiles, when they are named', async () => {
    const files = { 's.yml': `${VOTE}  debug: { image: x, profiles: [dev] }\n` };
    const without = await simulated(files);
    const within = await simulated(files, '--profile', 'dev');
    expect(namesOf(without.services)).toEqual(['client', 'vote']);
    expect(namesOf(within.services)).toEqual(['client', 'debug', 'vote']);
  });

  it('variables, unless they are to count as unset', async () => {
    const files = { 's.yml': 'services: { web: { image: x, deploy: { replicas: "${N:-1}" } } }\n' };
    const replicas = async (...options: string[]): Promise<unknown> => {
      const args = ['simulate', '-f', 's.yml', '--json', ...options];
      const { out } = await skep(args, files, { N: '3' });
      return (JSON.parse(out) as Result).services[0]?.mode.replicas;
    };
    expect([await replicas(), await replicas('--no-env')]).toEqual([3, 1]);
  });

  it('a name for the stack', async () => {
    const { services, networks } = await simulated({ 's.yml': VOTE }, '--stack', 'st');
    expect(namesOf(services)).toEqual(['st_client', 'st_vote']);
    expect(namesOf(networks)).toContain('st_default');
  });

  it('manifests of our own form beside a stack file', async () => {
    const manifest = `
apiVersion: skep/v1
kind: Network
metadata: { name: own }
spec: { driver: { name: overlay }, ipam: { configs: [{ subnet: 10.77.0.0/24 }] } }
---
apiVersion: skep/v1
kind: Service
metadata: { name: web }
spec:
  mode: { type: replicated, replicas: 2 }
  task: { container: { image: nginx }, networks: [{ target: own }] }
`;
    const { services, networks } = await simulated({ 's.yml': VOTE, 'm.yml': manifest });
    expect(namesOf(services)).toEqual(['client', 'vote', 'web']);
    expect(networks.find(({ name }) => name === 'own')?.subnets).toMatchObject([
      { subnet: '10.77.0.0/24' },
    ]);
  });

  it('what `skep convert --to manifest` prints: the same cluster', async () => {
    const files = { 's.yml': VOTE };
    const { out } = await skep(['convert', '--to', 'manifest', '-f', 's.yml'], files);
    const [direct, converted] = [await simulated(files), await simulated({ 'm.yml': out })];
    expect(converted).toEqual(direct);
  });

  it('a stack on standard input', async () => {
    const { code } = await skep(['simulate', '-f', '-'], { '-': VOTE });
    expect(code).toBe(EXIT.ok);
  });
});

describe('what stands in for what is not there', () => {
  const files = {
    's.yml': `
services:
  web: { image: x, secrets: [key, own], configs: [set], networks: [proxy], env_file: [web.env] }
secrets: { key: { file: ./key.txt }, own: { external: true } }
configs: { set: { external: true, name: settings } }
networks: { proxy: { external: true } }
`,
  };

  it('missing files, with a warning, and externals', async () => {
    const options = ['--missing-files', 'empty', '--provide-external'];
    const { code, err } = await skep(['simulate', '-f', 's.yml', ...options], files);
    expect(code).toBe(EXIT.ok);
    expect(err.split('\n').filter((line) => line.includes('missing'))).toEqual([
      '/work/web.env: warning: the file is missing; a line break stands for it',
      '/work/key.txt: warning: the file is missing; a line break stands for it',
    ]);
  });

  it('externals that are declared beside it are these', async () => {
    const own = `
apiVersion: skep/v1
kind: Network
metadata: { name: proxy }
spec: { ipam: { configs: [{ subnet: 10.88.0.0/24 }] } }
`;
    const { networks } = await simulated(
      { ...files, 'own.yml': own },
      ...['--missing-files', 'empty', '--provide-external'],
    );
    expect(networks.find(({ name }) => name === 'proxy')?.subnets).toMatchObject([
      { subnet: '10.88.0.0/24' },
    ]);
  });

  it('predefined networks are there already', async () => {
    const text = `
services: { a: { image: x, networks: [outside] }, b: { image: x, networks: [local] } }
networks: { outside: { external: true, name: host }, local: { external: true, name: bridge } }
`;
    const { tasks } = await simulated({ 's.yml': text });
    expect(tasks).toHaveLength(2);
  });
});

describe('nodes from manifests', () => {
  const node = (name: string, spec: string, labels = '{}'): string =>
    `apiVersion: skep/v1\nkind: Node\nmetadata: { name: ${name}, labels: ${labels} }\n` +
    `spec: ${spec}\n---\n`;
  const web = (deploy: string): string =>
    `services: { web: { image: x, deploy: { ${deploy} } } }\n`;

  it('labels of a numbered node, and one more node', async () => {
    const { nodes, tasks } = await simulated({
      's.yml': web('replicas: 4, placement: { constraints: [node.labels.disk == ssd] }'),
      'n.yml': node('node2', '{}', '{ disk: ssd }') + node('big', '{}', '{ disk: ssd }'),
    });
    expect(namesOf(nodes)).toEqual(['big', 'node1', 'node2']);
    expect(tasks.map((task) => task.node).sort()).toEqual(['big', 'big', 'node2', 'node2']);
  });

  it('what a manifest leaves out stays: a manager without a word about its role', async () => {
    const { nodes } = await simulated(
      {
        's.yml': web('replicas: 1'),
        'n.yml':
          node('node1', '{ availability: drain }') + node('node3', '{ availability: pause }'),
      },
      ...['--nodes', '3', '--managers', '2'],
    );
    expect(nodes.map(({ name, role, availability }) => [name, role, availability])).toEqual([
      ['node1', 'manager', 'drain'],
      ['node2', 'manager', 'active'],
      ['node3', 'worker', 'pause'],
    ]);
  });

  it('roles as written', async () => {
    const { nodes } = await simulated({
      's.yml': web('replicas: 1'),
      'n.yml': node('node1', '{ role: worker }') + node('node2', '{ role: manager }'),
    });
    expect(nodes.map(({ role }) => role)).toEqual(['worker', 'manager']);
  });

  it('descriptions change what they name and nothing else', async () => {
    const reservation = 'resources: { reservations: { memory: 20G, cpus: "4" } }';
    const { tasks } = await simulated({
      's.yml': web(`replicas: 1, ${reservation}`),
      'n.yml': node('node2', '{ description: { resources: { memoryBytes: 34359738368 } } }'),
    });
    expect(tasks.map((task) => task.node)).toEqual(['node2']);
  });

  it('plugins that are there are not missing', async () => {
    const plugins =
      '{ version: "28", labels: {}, plugins: [{ type: Volume, name: nfs },' +
      ' { type: Network, name: overlay }, { type: Log, name: json-file }] }';
    const { tasks } = await simulated({
      's.yml':
        'services: { web: { image: x, volumes: ["data:/data"] } }\n' +
        'volumes: { data: { driver: nfs } }\n',
      'n.yml': node('node2', `{ description: { engine: ${plugins} } }`),
    });
    expect(tasks.map((task) => task.node)).toEqual(['node2']);
  });
});

describe('the settings of the cluster from a manifest', () => {
  it('count from the start: ingress is cut from the declared pool', async () => {
    const { networks } = await simulated({
      's.yml': VOTE,
      'c.yml':
        'apiVersion: skep/v1\nkind: Cluster\nmetadata: { name: default }\n' +
        'spec: { addressPools: [10.50.0.0/16], subnetPrefix: 26 }\n',
    });
    const subnets = networks.flatMap((network) => network.subnets).map(({ subnet }) => subnet);
    expect(subnets.sort()).toEqual(['10.50.0.0/26', '10.50.0.64/26']);
  });
});
