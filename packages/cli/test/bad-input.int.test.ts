/**
 * Bad input: each fault is named with its place or its object and field and with what would be
 * right, and nothing is half applied.
 */
import { describe, expect, it } from '@jest/globals';
import { createCluster } from 'skep';
import { EXIT } from '../src/surroundings.js';
import { skep, type Files } from './shell.js';

/** A stack of one service, with more lines of it and what follows it. */
function stack(service: string, rest = ''): Files {
  return { 's.yml': `services:\n  web:\n    image: nginx\n${service}${rest}` };
}

/** Ten lists, each nine times the one before. */
const BOMB = [...'bcdefghij']
  .map((letter, index) => {
    const inner = Array.from({ length: 9 }, () => `*${'abcdefghij'[index] ?? ''}`);
    return `x-${letter}: &${letter} [${inner.join(', ')}]\n`;
  })
  .join('');

const manifest = (kind: string, name: string, spec: string): string =>
  `apiVersion: skep/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`;

interface Case {
  readonly fault: string;
  readonly files: Files;
  readonly says: readonly RegExp[];
  readonly options?: string;
}

const FORM: readonly Case[] = [
  {
    fault: 'an unknown key',
    files: stack('    imagee: x\n'),
    says: [/^s\.yml:4:5: error: services\.web\.imagee: .*did you mean image\?.*\[unknown-field\]/],
  },
  {
    fault: 'a wrong type',
    files: stack('    ports: 8080\n    deploy: { replicas: two }\n'),
    says: [
      /^s\.yml:4:12: error: services\.web\.ports: must be a list.*\[invalid-type\]/m,
      /^s\.yml:5:25: error: services\.web\.deploy\.replicas: must be an integer.*\[invalid-type\]/m,
      /^2 errors$/m,
    ],
  },
  {
    fault: 'a tab',
    files: { 's.yml': 'services:\n\tweb:\n\t\timage: nginx\n' },
    says: [/^s\.yml:2:1: error: .*\(use spaces\) \[tab-indentation\]/],
  },
  {
    fault: 'a duplicate key',
    files: stack('    image: apache\n'),
    says: [/^s\.yml:4:5: error: services\.web\.image: .* line 3 .*keep one.*\[duplicate-key\]/],
  },
  {
    fault: 'an alias bomb',
    files: stack('', `x-a: &a [lol]\n${BOMB}`),
    says: [/^s\.yml:\d+:\d+: error: .*500000 values \(use fewer aliases.*\[alias-bomb\]/],
  },
  {
    fault: 'a file of 10 MB',
    files: stack('    environment:\n', '      - A=b\n'.repeat(900_000)),
    says: [/^s\.yml:1:1: error: .*10800\d+ bytes.*limit of 2097152.*\[file-too-large\]/],
  },
  {
    fault: 'bytes that are not UTF-8',
    files: { 's.yml': new Uint8Array([0x73, 0x3a, 0x20, 0xff, 0xfe, 0x0a]) },
    says: [/^s\.yml:1:4: error: .*\(save it as UTF-8\) \[not-utf8\]/],
  },
  {
    fault: 'an empty file',
    files: { 's.yml': '' },
    says: [/^s\.yml:1:1: error: .*\[empty-file\]/],
  },
  {
    fault: 'a missing file',
    files: {},
    says: [/^skep: s\.yml: cannot be read: no such file.*\(check the path\)/],
  },
  {
    fault: 'a required variable that is not set',
    files: stack('    hostname: ${HOST:?say which}\n'),
    says: [/^s\.yml:4:15: error: services\.web\.hostname: .*HOST.*say which.*\(set HOST/],
  },
  {
    fault: 'an image reference that is none',
    files: { 's.yml': 'services:\n  web:\n    image: Foo:bar:baz\n' },
    says: [/^s\.yml:3:12: error: services\.web\.image: .*lower case \(write .*\[invalid-image\]/],
  },
  {
    fault: 'an unknown kind',
    files: { 's.yml': manifest('Servise', 'web', '{}') },
    says: [/^s\.yml:2:7: error: kind: .*Servise.*did you mean Service\?.*\[unknown-kind\]/],
  },
  {
    fault: 'an object that only the cluster itself writes',
    files: { 's.yml': manifest('Task', 'web', '{}') },
    says: [/^s\.yml:2:7: error: kind: .*known: Cluster, Config, Network, Node, Secret, Service/],
  },
  {
    fault: 'an unknown field and a wrong type in a manifest',
    files: { 's.yml': manifest('Service', 'web', '{ mode: { type: 5 }, tasc: {} }') },
    says: [/^s\.yml:4:\d+: error: spec\.mode\.type: /m, /error: spec\.tasc: .*did you mean task\?/],
  },
];

const MEANING: readonly Case[] = [
  {
    fault: 'an unknown network',
    files: stack('    networks: [nope]\n'),
    says: [/^s\.yml:4:16: error: services\.web\.networks\[0\]: .*'nope'.*\[undefined-network\]/],
  },
  {
    fault: 'a port twice in a service',
    files: stack('    ports: ["8080:80", "8080:81"]\n'),
    says: [/^s\.yml:4:24: error: services\.web\.ports\[1\]: .*8080\/tcp .*\[duplicate-port\]/],
  },
  {
    fault: 'two services on one published port',
    files: stack(
      '    ports: ["8080:80"]\n',
      '  api:\n    image: nginx\n    ports: ["8080:8080"]\n',
    ),
    says: [/^s\.yml:4:13: error: services\.web\.ports\[0\]: .*'api' \(publish another port/m],
  },
  {
    fault: '-1 replicas',
    files: stack('    deploy: { replicas: -1 }\n'),
    says: [
      /^s\.yml:4:25: error: services\.web\.deploy\.replicas: -1 is negative \(use 0 or more\)/,
    ],
  },
  {
    fault: 'subnets that overlap',
    files: stack(
      '    networks: [a, b]\n',
      'networks:\n  a: { ipam: { config: [{ subnet: 10.9.0.0/16 }] } }\n' +
        '  b: { ipam: { config: [{ subnet: 10.9.1.0/24 }] } }\n',
    ),
    says: [/^s\.yml:7:35: error: networks\.b\.ipam\.config\[0\]\.subnet: .*network 'a' \(take/m],
  },
  {
    fault: 'a subnet that overlaps with that of published ports',
    files: stack(
      '    networks: [a]\n',
      'networks: { a: { ipam: { config: [{ subnet: 10.0.0.0/16 }] } } }\n',
    ),
    says: [/^s\.yml:5:\d+: error: networks\.a\.ipam\.config\[0\]\.subnet: .*network 'ingress'/m],
  },
  {
    fault: 'less memory than a container can have',
    files: stack('    deploy: { resources: { limits: { memory: 1M } } }\n'),
    says: [/^s\.yml:4:46: error: .*limits\.memory: .*\(use 4M or more\) \[memory-too-small\]/],
  },
  {
    fault: 'a constraint with one equals sign',
    files: stack('    deploy: { placement: { constraints: [node.role = manager] } }\n'),
    says: [/^s\.yml:4:42: error: .*constraints\[0\]: .*write for example node\.role == worker/],
  },
  {
    fault: 'an external network that nobody provides',
    files: stack('    networks: [proxy]\n', 'networks: { proxy: { external: true } }\n'),
    says: [
      /^s\.yml:4:16: error: services\.web\.networks\[0\]: .*no network 'proxy'.*\[not-found\]/m,
      /^declared external: proxy \(--provide-external creates them\)$/m,
    ],
  },
  {
    fault: 'an empty secret',
    files: {
      ...stack('    secrets: [k]\n', 'secrets: { k: { file: ./k } }\n'),
      k: '',
    },
    says: [/^s\.yml:5:15: error: secrets\.k: .*empty \(give at least one byte/m],
  },
  {
    fault: 'a secret without its file',
    files: stack('    secrets: [k]\n', 'secrets: { k: { file: ./k } }\n'),
    says: [/^s\.yml:5:23: error: secrets\.k\.file: .*\/work\/k cannot be read.*\[missing-file\]/],
  },
  {
    fault: 'a pool that is too small for its subnets',
    files: { 's.yml': manifest('Cluster', 'default', '{ addressPools: [10.9.0.0/30] }') },
    says: [
      /^s\.yml:4:24: error: spec\.addressPools\[0\]: .*'10\.9\.0\.0\/30'.*\[invalid-argument\]/,
    ],
  },
  {
    fault: 'a second cluster',
    files: { 's.yml': manifest('Cluster', 'mine', '{}') },
    says: [/^s\.yml:1:1: error: .*'mine' \(there is one, and its name is default\)/],
  },
  {
    fault: 'two manifests for one node',
    files: { 's.yml': `${manifest('Node', 'n', '{}')}---\n${manifest('Node', 'n', '{}')}` },
    says: [/^s\.yml:6:1: error: the node n is declared in s\.yml:1 already \(give it another/],
  },
  {
    fault: 'a cluster without a manager',
    files: { 's.yml': manifest('Node', 'node1', '{ role: worker }') },
    says: [/^skep: no node is a manager \(raise --managers, or give/],
  },
  {
    fault: 'more managers than nodes',
    files: stack(''),
    options: '--managers 3',
    says: [/^skep: --managers 3 of --nodes 2: .*\(raise --nodes, or lower --managers\)/],
  },
];

describe('bad input is refused with exit code 2 and nothing on standard output', () => {
  it.each([...FORM, ...MEANING])('$fault', async ({ files, says, options = '' }) => {
    const args = ['simulate', '-f', 's.yml', ...options.split(' ').filter(Boolean)];
    const { code, out, err } = await skep(args, files);
    expect({ code, out }).toEqual({ code: EXIT.badInput, out: '' });
    for (const pattern of says) expect(err).toMatch(pattern);
  });

  it.each(FORM.filter(({ files }) => 's.yml' in files))(
    '$fault: by validate and convert, too',
    async ({ files, says }) => {
      const validated = await skep(['validate', '-f', 's.yml'], files);
      const converted = await skep(['convert', '--to', 'manifest', '-f', 's.yml'], files);
      for (const { code, out, err } of [validated, converted]) {
        expect({ code, out }).toEqual({ code: EXIT.badInput, out: '' });
        for (const pattern of says) expect(err).toMatch(pattern);
      }
    },
  );

  it.each([
    ['simulate', /required option '-f, --file <path>' not specified/],
    ['simulate -f', /option '-f, --file <path>' argument missing/],
    ['simulate -f s.yml --nods 3', /unknown option '--nods'\n\(Did you mean --nodes\?\)/],
    ['simulate -f s.yml --nodes none', /--nodes.*'none' is invalid.*a whole number of at least 1/],
    ['simulate -f s.yml --nodes 0', /--nodes.*'0' is invalid.*a whole number of at least 1/],
    ['simulate -f s.yml --nodes 99999', /--nodes.*'99999' is invalid\. expected at most 10000/],
    ['simulate -f s.yml --limit -1', /--limit.*'-1' is invalid.*a whole number of at least 1/],
    ['simulate -f s.yml --missing-files no', /--missing-files.*Allowed choices are error, empty/],
    ['convert -f s.yml --to xml', /--to.*Allowed choices are docker-api, manifest/],
    ['simulat -f s.yml', /unknown command 'simulat'\n\(Did you mean simulate\?\)/],
    ['', /Usage: skep/],
  ])('skep %s', async (line, says) => {
    const { code, out, err } = await skep(line.split(' ').filter(Boolean), stack(''));
    expect({ code, out }).toEqual({ code: EXIT.badInput, out: '' });
    expect(err).toMatch(says);
  });
});

describe('what only a cluster can find out ends with exit code 1 and a reason in each status', () => {
  interface Result {
    readonly problems: readonly {
      readonly kind: string;
      readonly name: string;
      readonly code: string;
      readonly message: string;
      readonly shortfalls?: unknown;
    }[];
  }

  const simulated = async (files: Files): Promise<Result> => {
    const names = Object.keys(files).flatMap((name) => ['-f', name]);
    const { code, out, err } = await skep(['simulate', '--json', ...names], files);
    expect({ code, err }).toEqual({ code: EXIT.unsettled, err: '' });
    return JSON.parse(out) as Result;
  };

  it('the address pool is exhausted: the networks, the service and the task say so', async () => {
    const { problems } = await simulated({
      ...stack('    networks: [a, b, c, d]\n', 'networks: {a: {}, b: {}, c: {}, d: {}}\n'),
      'c.yml': manifest('Cluster', 'default', '{ addressPools: [10.9.0.0/22] }'),
    });
    const reason = 'no free /24 in the address pools 10.9.0.0/22';
    expect(problems.map(({ kind, name, message }) => [kind, name.split('.')[0], message])).toEqual([
      ['Network', 'd', reason],
      ['Service', 'web', `network 'd' has no addresses: ${reason}`],
      ['Service', 'web', '0 of 1 replica is running'],
      ['Task', 'web', `service 'web' waits: network 'd' has no addresses: ${reason}`],
    ]);
  });

  it('no node is large enough: each with what it lacks', async () => {
    const { problems } = await simulated(
      stack('    deploy: { resources: { reservations: { memory: 9G, cpus: "5" } } }\n'),
    );
    expect(problems.find(({ kind }) => kind === 'Task')).toMatchObject({
      code: 'no-suitable-node',
      message: 'no suitable node (insufficient resources on 2 nodes)',
      shortfalls: [
        {
          nodes: ['node1', 'node2'],
          lacks: ['cpu needs 5 cores, has 4 cores', 'memory needs 9 GiB, has 8 GiB'],
        },
      ],
    });
  });

  it('more replicas than nodes with the port: one line for all that wait', async () => {
    const files = stack(
      '    ports: [{ target: 80, published: 8080, mode: host }]\n    deploy: { replicas: 4 }\n',
    );
    const { code, out } = await skep(['simulate', '-f', 's.yml'], files);
    expect(code).toBe(EXIT.unsettled);
    expect(out).toMatch(/Service web: 2 of 4 replicas are running \[replicas-missing\]/);
    expect(out).toMatch(/Task web\.\d\.\w+ and 1 more: no suitable node \(.*2 nodes\)/);
    expect(out).toMatch(/^ {4}node1, node2: host port tcp\/8080 needs free, has in use$/m);
  });

  it('there is not enough time: what it still waits for', async () => {
    const files = stack(
      '    healthcheck: { test: [CMD, x], interval: 30s }\n    deploy: { replicas: 2 }\n',
    );
    const { code, out } = await skep(['simulate', '--limit', '5', '-f', 's.yml'], files);
    expect(code).toBe(EXIT.unsettled);
    expect(out).toMatch(/^not settled after 5\.0 s of virtual time; it still waits for:\n {2}\w/m);
    expect(out).toMatch(/Service web: 0 of 2 replicas are running/);
  });
});

describe('a refusal leaves everything as it was', () => {
  it.each([
    ['a port that is taken', 'a: { image: x, ports: ["80:80"] }, b: { image: x, ports: ["80:8"] }'],
    ['an unknown key', 'a: { image: x }, b: { imagee: x }'],
    ['a network that is not there', 'a: { image: x, networks: [gone] }, b: { image: x }'],
  ])('%s', async (_fault, services) => {
    const cluster = await createCluster();
    await cluster.apply('services: { web: { image: nginx, ports: ["80"] } }');
    await cluster.settle();
    const { revision } = cluster.view();
    const text = `services: { ${services} }\nnetworks: { gone: { external: true } }\n`;
    await expect(cluster.apply(text)).rejects.toThrow(/^stack\.yml:\d+:\d+: error: /);
    expect(cluster.view().revision).toBe(revision);
    await cluster.stop();
  });
});
