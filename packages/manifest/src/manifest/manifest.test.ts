import { describe, expect, it } from '@jest/globals';
import { defineKind } from '@skep/api';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { z } from 'zod';
import { formatComplaint, type ComplaintCode } from '../complaint.js';
import { MANIFEST_KINDS } from '../kinds/built-in.js';
import { toJsonSchema } from './json-schema.js';
import { loadManifests, type ManifestOptions } from './load.js';

function load(text: string, options: ManifestOptions = {}) {
  return loadManifests([{ path: 'm.yml', text }], options);
}

function manifest(kind: string, name: string, spec: string): string {
  return `apiVersion: skep/v1\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
}

describe('our own form', () => {
  it('gives objects of several documents, sorted', () => {
    const text = [
      manifest('Service', 'web', '{task: {container: {image: nginx}, networks: [{target: n}]}}'),
      manifest('Network', 'n', '{}'),
      'apiVersion: skep/v1\nkind: Node\nmetadata:\n  name: one\n  labels: {zone: a}\n  annotations: {note: x}\n',
    ].join('---\n');
    const { objects, complaints } = load(text);
    expect(complaints).toEqual([]);
    expect(objects).toMatchObject([
      { kind: 'Network', name: 'n', labels: {}, spec: {}, place: { line: 6 } },
      {
        kind: 'Node',
        name: 'one',
        labels: { zone: 'a' },
        annotations: { note: 'x' },
        spec: { role: 'worker', availability: 'active' },
      },
      { kind: 'Service', name: 'web', spec: { task: { container: { image: 'nginx' } } } },
    ]);
  });

  it('skips documents in which there is nothing', () => {
    const { objects, complaints } = load(
      `---\n---\n${manifest('Node', 'n', '{}')}---\n# end\n---\n`,
    );
    expect(complaints).toEqual([]);
    expect(objects.map(({ name }) => name)).toEqual(['n']);
  });

  it.each<[string, string, ComplaintCode, string]>([
    [
      'another version',
      'apiVersion: skep/v2\nkind: Node\nmetadata: {name: x}',
      'unsupported-version',
      '1:13',
    ],
    ['no version', 'kind: Node\nmetadata: {name: x}', 'missing-field', '1:1'],
    [
      'an unknown kind',
      'apiVersion: skep/v1\nkind: Servce\nmetadata: {name: x}',
      'unknown-kind',
      '2:7',
    ],
    ['no kind', 'apiVersion: skep/v1\nmetadata: {name: x}', 'missing-field', '1:1'],
    [
      'a kind that is a number',
      'apiVersion: skep/v1\nkind: 1\nmetadata: {name: x}',
      'invalid-type',
      '2:7',
    ],
    ['no name', 'apiVersion: skep/v1\nkind: Node', 'missing-field', '1:1'],
    [
      'a name that is a number',
      'apiVersion: skep/v1\nkind: Node\nmetadata: {name: 1}',
      'invalid-type',
      '3:18',
    ],
    [
      'a field too many',
      'apiVersion: skep/v1\nkind: Node\nmetadata: {name: x}\nstatus: {}',
      'unknown-field',
      '4:1',
    ],
    [
      'a field too many in metadata',
      'apiVersion: skep/v1\nkind: Node\nmetadata: {name: x, lables: {}}',
      'unknown-field',
      '3:21',
    ],
    [
      'labels that are no texts',
      'apiVersion: skep/v1\nkind: Node\nmetadata: {name: x, labels: {a: 1}}',
      'invalid-type',
      '3:33',
    ],
    [
      'labels that are a list',
      'apiVersion: skep/v1\nkind: Node\nmetadata: {name: x, labels: []}',
      'invalid-type',
      '3:29',
    ],
    [
      'a field too many in the spec',
      manifest('Node', 'x', '{rol: worker}'),
      'unknown-field',
      '4:8',
    ],
    ['a wrong value in the spec', manifest('Node', 'x', '{role: boss}'), 'invalid-value', '4:14'],
    ['a wrong type in the spec', manifest('Service', 'x', '{task: []}'), 'invalid-type', '4:14'],
    ['a missing part', manifest('Service', 'x', '{}'), 'missing-field', '4:7'],
    [
      'a number below its bound',
      manifest(
        'Service',
        'x',
        '{mode: {type: replicated, replicas: -1}, task: {container: {image: x}}}',
      ),
      'invalid-value',
      '4:43',
    ],
    [
      'a wrong branch',
      manifest(
        'Service',
        'x',
        '{task: {container: {image: x}, resources: {reservations: {generic: [{kind: g, count: x}]}}}}',
      ),
      'invalid-type',
      '4:92',
    ],
  ])('refuses %s', (_, text, code, at) => {
    const { complaints, objects } = load(text);
    expect(complaints.map((found) => [found.code, `${found.line}:${found.column}`])).toEqual([
      [code, at],
    ]);
    expect(objects).toEqual([]);
  });

  it('names the nearest field and value', () => {
    const texts = load(
      manifest('Service', 'x', '{taks: {}, task: {container: {imge: x, image: y}}}'),
    );
    const messages = texts.complaints.map(formatComplaint).join('\n');
    expect(messages).toContain('did you mean task?');
    expect(messages).toContain('did you mean image?');
    expect(load(manifest('Node', 'x', '{role: mnager}')).complaints[0]?.hint).toBe(
      'did you mean manager?',
    );
  });

  it('refuses the same name twice, without regard to case', () => {
    const text = `${manifest('Network', 'n', '{}')}---\n${manifest('Network', 'N', '{}')}`;
    expect(load(text).complaints.map(({ code, line }) => [code, line])).toEqual([
      ['duplicate-object', 1],
    ]);
    const nodes = `${manifest('Node', 'n', '{}')}---\n${manifest('Node', 'n', '{}')}`;
    expect(load(nodes).objects).toHaveLength(2);
  });

  it('takes custom kinds with any validator', () => {
    const schema = {
      '~standard': {
        version: 1 as const,
        vendor: 'mine',
        validate: (value: unknown) =>
          (value as { size?: unknown }).size === 1
            ? { value }
            : { issues: [{ message: 'Size must be 1', path: [{ key: 'size' }] }] },
      },
    };
    const plain = defineKind<unknown, object>({ name: 'Plain', initialStatus: {} });
    const sized = defineKind<unknown, object>({ name: 'Sized', initialStatus: {}, schema });
    const kinds = [...MANIFEST_KINDS, plain, sized];
    expect(load(manifest('Plain', 'p', '{any: thing}'), { kinds }).objects).toMatchObject([
      { kind: 'Plain', spec: { any: 'thing' } },
    ]);
    expect(load(manifest('Sized', 's', '{size: 1}'), { kinds }).objects).toHaveLength(1);
    expect(load(manifest('Sized', 's', '{size: 2}'), { kinds }).complaints).toMatchObject([
      { code: 'invalid-value', message: 'size must be 1', field: 'spec.size', column: 14 },
    ]);
  });

  it('does not wait for validators', () => {
    const schema = {
      '~standard': {
        version: 1 as const,
        vendor: 'x',
        validate: () => Promise.resolve({ value: 1 }),
      },
    };
    const kinds = [defineKind<unknown, object>({ name: 'Slow', initialStatus: {}, schema })];
    expect(() => load(manifest('Slow', 's', '{}'), { kinds })).toThrow(/asynchronous/);
  });
});

describe('what a manager refuses', () => {
  const service = (task: string, rest = ''): string =>
    manifest('Service', 'web', `{task: {container: {image: nginx}${task}}${rest}}`);

  it.each<[string, string, ComplaintCode, string]>([
    [
      'a constraint',
      service(', placement: {constraints: [a = b]}'),
      'invalid-constraint',
      'spec.task.placement.constraints[0]',
    ],
    [
      'little memory',
      service(', resources: {limits: {memoryBytes: 4194303}}'),
      'memory-too-small',
      'spec.task.resources.limits.memoryBytes',
    ],
    [
      'little processor',
      service(', resources: {reservations: {cpuNanos: 999999}}'),
      'cpu-too-small',
      'spec.task.resources.reservations.cpuNanos',
    ],
    [
      'a port twice',
      service(
        '',
        ', endpoint: {ports: [{targetPort: 1, publishedPort: 9}, {targetPort: 2, publishedPort: 9}]}',
      ),
      'duplicate-port',
      'spec.endpoint.ports[1]',
    ],
    [
      'dnsrr with an ingress port',
      service('', ', endpoint: {mode: dnsrr, ports: [{targetPort: 1}]}'),
      'ingress-with-dnsrr',
      'spec.endpoint.ports[0]',
    ],
    [
      'the ingress network',
      service(', networks: [{target: ingress}]'),
      'reserved-network',
      'spec.task.networks[0]',
    ],
    [
      'a network twice',
      service(', networks: [{target: host}, {target: host}]'),
      'duplicate-item',
      'spec.task.networks[1]',
    ],
    ['no container', manifest('Service', 'web', '{task: {}}'), 'missing-field', 'spec.task'],
    [
      'no image',
      manifest('Service', 'web', '{task: {container: {image: ""}}}'),
      'missing-image',
      'spec.task.container.image',
    ],
    [
      'a bad image',
      manifest('Service', 'web', '{task: {container: {image: A b}}}'),
      'invalid-image',
      'spec.task.container.image',
    ],
    [
      'two mounts at one place',
      manifest(
        'Service',
        'web',
        '{task: {container: {image: x, mounts: [{type: volume, target: /a}, {type: tmpfs, target: /a}]}}}',
      ),
      'invalid-mount',
      'spec.task.container.mounts[1]',
    ],
    [
      'a hasty health check',
      manifest(
        'Service',
        'web',
        '{task: {container: {image: x, healthCheck: {test: [], intervalMs: 0.5}}}}',
      ),
      'invalid-healthcheck',
      'spec.task.container.healthCheck.intervalMs',
    ],
    [
      'a name with a dot',
      manifest('Service', 'a.b', '{task: {container: {image: x}}}'),
      'invalid-name',
      '',
    ],
    ['a long name', manifest('Network', 'x'.repeat(64), '{}'), 'invalid-name', ''],
    [
      'a subnet',
      manifest('Network', 'n', '{ipam: {configs: [{subnet: 10.0.0.0}]}}'),
      'invalid-subnet',
      'spec.ipam.configs[0].subnet',
    ],
    [
      'overlapping subnets',
      manifest('Network', 'n', '{ipam: {configs: [{subnet: 10.0.0.0/8}, {subnet: 10.1.0.0/16}]}}'),
      'invalid-subnet',
      'spec.ipam.configs[1].subnet',
    ],
    [
      'a gateway elsewhere',
      manifest('Network', 'n', '{ipam: {configs: [{subnet: 10.0.0.0/8, gateway: 1.1.1.1}]}}'),
      'invalid-address',
      'spec.ipam.configs[0].gateway',
    ],
    [
      'a range elsewhere',
      manifest('Network', 'n', '{ipam: {configs: [{subnet: 10.0.0.0/8, ipRange: 11.0.0.0/16}]}}'),
      'invalid-subnet',
      'spec.ipam.configs[0].ipRange',
    ],
    [
      'an attachable ingress',
      manifest('Network', 'n', '{isIngress: true, isAttachable: true}'),
      'reserved-network',
      'spec.isAttachable',
    ],
    [
      'an ingress of another driver',
      manifest('Network', 'n', '{isIngress: true, driver: {name: bridge}}'),
      'reserved-network',
      'spec.driver',
    ],
    [
      'a large secret',
      manifest('Secret', 's', `{data: ${'A'.repeat(700_000)}}`),
      'content-too-large',
      'spec.data',
    ],
    [
      'a pool',
      manifest('Cluster', 'default', '{addressPools: [ten]}'),
      'invalid-subnet',
      'spec.addressPools[0]',
    ],
    [
      'a range of ports',
      manifest('Cluster', 'default', '{dynamicPorts: {first: 9, last: 8}}'),
      'invalid-value',
      'spec.dynamicPorts.last',
    ],
  ])('%s', (_, text, code, field) => {
    const { complaints } = load(text, { existing: {} });
    expect(complaints.map((found) => [found.severity, found.code, found.field])).toEqual([
      ['error', code, field],
    ]);
  });

  it('warns of two services on one port, unless both publish it on their nodes', () => {
    const of = (name: string, port: string): string =>
      manifest('Service', name, `{task: {container: {image: x}}, endpoint: {ports: [${port}]}}`);
    const ingress = '{targetPort: 1, publishedPort: 80}';
    const host = '{targetPort: 1, publishedPort: 80, publishMode: host}';
    const udp = '{targetPort: 1, publishedPort: 80, protocol: udp}';
    const codes = (...ports: string[]) =>
      load(ports.map((port, i) => of(`s${i}`, port)).join('---\n')).complaints.map(
        ({ severity, code, field }) => `${severity} ${code} ${field}`,
      );
    expect(codes(ingress, ingress)).toEqual(['warning duplicate-port spec.endpoint.ports[0]']);
    expect(codes(host, ingress)).toEqual(['warning duplicate-port spec.endpoint.ports[0]']);
    expect(codes(host, host, udp)).toEqual([]);
  });

  it('is not judged where only the client judges', () => {
    const text = service(', placement: {constraints: [a = b]}');
    expect(load(text, { validate: 'client' }).objects).toHaveLength(1);
  });

  it.each(['{}', '{data: ""}'])('refuses an empty secret, as the front door does: %s', (spec) => {
    const { objects, complaints } = load(manifest('Secret', 's', spec));
    expect(objects).toEqual([]);
    expect(complaints.map(({ severity, code, message }) => [severity, code, message])).toEqual([
      ['error', 'content-empty', 'the secret is empty'],
    ]);
  });

  it('warns of empty contents and mounts without a target', () => {
    const text = `${manifest('Config', 'c', '{}')}---\n${manifest('Service', 'web', '{task: {container: {image: x, mounts: [{type: volume, target: ""}]}}}')}`;
    const { objects, complaints } = load(text);
    expect(objects).toHaveLength(2);
    expect(complaints.map(({ severity, code }) => [severity, code])).toEqual([
      ['warning', 'content-empty'],
      ['warning', 'invalid-mount'],
    ]);
  });
});

describe('references', () => {
  const text = manifest(
    'Service',
    'web',
    '{task: {container: {image: x, secrets: [{secretId: "", secretName: s, file: {name: s, uid: "0", gid: "0", mode: 292}}], configs: [{configId: "", configName: c}]}, networks: [{target: n}, {target: host}]}}',
  );

  it('are warned about when nothing is known of the cluster', () => {
    const { complaints, objects } = load(text);
    expect(objects).toHaveLength(1);
    expect(complaints.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      'warning undefined-network',
      'warning undefined-secret',
      'warning undefined-config',
    ]);
  });

  it('are refused when they do not exist, and fine when they do', () => {
    expect(load(text, { existing: { networks: ['n'] } }).complaints).toMatchObject([
      { severity: 'error', code: 'undefined-secret', field: 'spec.task.container.secrets[0]' },
      { severity: 'error', code: 'undefined-config' },
    ]);
    const existing = { networks: ['n'], secrets: ['s'], configs: ['c'] };
    expect(load(text, { existing }).complaints).toEqual([]);
  });
});

describe('compose files', () => {
  const text = `services:
  web:
    image: nginx
    ports: ["80:80", "80:81"]
    deploy:
      placement: {constraints: [node.role = worker]}
      restart_policy: {condition: always}
      resources: {limits: {memory: 1M, cpus: "0.0001"}}
      update_config: {max_failure_ratio: 2}
    networks: [front]
networks:
  front: {ipam: {config: [{subnet: nonsense}]}}
`;

  it('are recognised and judged, with places in the file', () => {
    const { complaints } = load(text);
    expect(complaints.map(({ code, line, column }) => [code, `${line}:${column}`])).toEqual([
      ['invalid-value', '7:35'],
      ['invalid-value', '9:42'],
      ['invalid-subnet', '12:36'],
    ]);
    const rest = load(
      text.replace('condition: always', 'condition: any').replace('ratio: 2', 'ratio: 1'),
    );
    expect(rest.complaints.map(({ code, line, column }) => [code, `${line}:${column}`])).toEqual([
      ['invalid-subnet', '12:36'],
      ['cpu-too-small', '8:46'],
      ['memory-too-small', '8:36'],
      ['invalid-constraint', '6:33'],
      ['duplicate-port', '4:22'],
    ]);
  });

  it('are merged as one stack and mixed with manifests', () => {
    const { objects, externals, compose } = loadManifests(
      [
        {
          path: 'a.yml',
          text: 'services: {a: {image: x, networks: [e]}}\nnetworks: {e: {external: true}}',
        },
        {
          path: 'b.yml',
          text: `${manifest('Node', 'n1', '{}')}---\nservices: {a: {image: y}, b: {image: z}}`,
        },
      ],
      { stack: 'st' },
    );
    expect(objects.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'Network st_default',
      'Node n1',
      'Service st_a',
      'Service st_b',
    ]);
    expect(externals.networks).toEqual(['e']);
    expect(compose?.services).toHaveLength(2);
    expect(objects[2]?.spec).toMatchObject({ task: { container: { image: 'y:latest' } } });
  });

  it('want their external objects to exist, where that is known', () => {
    const file =
      'services: {a: {image: x, networks: [e, h]}}\nnetworks: {e: {external: true}, h: {external: true, name: host}}';
    expect(load(file, { existing: {} }).complaints).toMatchObject([
      { severity: 'error', code: 'undefined-network', field: 'networks.e', line: 2 },
    ]);
    expect(load(file, { existing: { networks: ['e'] } }).complaints).toEqual([]);
  });

  it('count once for each file', () => {
    const { objects, complaints } = load(
      'services: {a: {image: x}}\n---\nservices: {b: {image: y}}',
    );
    expect(objects.map(({ name }) => name)).toEqual(['default', 'a']);
    expect(complaints.map(({ code }) => code)).toEqual(['extra-documents']);
  });
});

describe('JSON Schema', () => {
  const ajv = new Ajv2020({ strict: false, allowUnionTypes: true });

  it('accepts manifests that are accepted, and refuses others', () => {
    const kind = defineKind<unknown, object>({
      name: 'Sized',
      initialStatus: {},
      schema: z.strictObject({ size: z.number() }),
    });
    const validate = ajv.compile(toJsonSchema('manifest', { kinds: [...MANIFEST_KINDS, kind] }));
    const frame = { apiVersion: 'skep/v1', metadata: { name: 'x' } };
    expect(validate({ ...frame, kind: 'Node' })).toBe(true);
    expect(validate({ ...frame, kind: 'Sized', spec: { size: 1 } })).toBe(true);
    expect(
      validate({ ...frame, kind: 'Service', spec: { task: { container: { image: 'x' } } } }),
    ).toBe(true);
    expect(validate({ ...frame, kind: 'Sized', spec: { size: 'x' } })).toBe(false);
    expect(validate({ ...frame, kind: 'Other' })).toBe(false);
    expect(validate({ ...frame, kind: 'Service', spec: { taks: {} } })).toBe(false);
  });

  it('accepts compose files that are accepted, and refuses others', () => {
    const validate = ajv.compile(toJsonSchema('compose'));
    const good = {
      version: '3.8',
      'x-any': [1],
      services: {
        a: {
          image: 'x',
          ports: ['80:80', 90, { target: 1 }],
          deploy: { replicas: '${N}', update_config: { delay: '10s' } },
          environment: { A: 1, B: null },
          labels: ['x=y'],
        },
      },
    };
    expect(validate(good)).toBe(true);
    expect(validate({ services: { a: { imge: 'x' } } })).toBe(false);
    expect(validate({ services: { a: { deploy: { replicas: 'three' } } } })).toBe(false);
    expect(validate({ services: { a: { stop_grace_period: 'soon' } } })).toBe(false);
  });
});
