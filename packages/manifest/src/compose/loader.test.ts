import { describe, expect, it } from '@jest/globals';
import { formatComplaint } from '../complaint.js';
import { loadCompose, type ComposeOptions } from './loader.js';
import type { ComposeService } from './model.js';

function load(text: string, options: ComposeOptions = {}) {
  return loadCompose([{ path: 'stack.yml', text }], { workingDirectory: '/w', ...options });
}

function complaintsOf(text: string, options: ComposeOptions = {}): string[] {
  return load(text, options).complaints.map(formatComplaint);
}

/** The service `a` of a file that holds these fields of it. */
function service(fields: string, options: ComposeOptions = {}): ComposeService {
  const indented = fields.replace(/^/gm, '    ');
  const { config, complaints } = load(`services:\n  a:\n    image: x\n${indented}\n`, options);
  const [first] = config?.services ?? [];
  if (first === undefined) throw new Error(complaints.map(formatComplaint).join('\n'));
  return first;
}

describe('faults of shape', () => {
  it.each([
    [
      'services:\n  a: {imge: x}',
      'stack.yml:2:7: error: services.a.imge: the field imge is not allowed here (did you mean image?) [unknown-field]',
    ],
    ['servics: {}', 'did you mean services?'],
    ['services:\n  a: {image: x, scale: 3}', '(use deploy.replicas) [unknown-field]'],
    [
      'services:\n  a: {image: [x]}',
      'stack.yml:2:14: error: services.a.image: must be a string, but is a list [invalid-type]',
    ],
    ['services: []', 'services: must be a mapping, but is a list'],
    ['services:\n  a: {image: x, labels: {b: true}}', '(put it in quotes) [invalid-type]'],
    [
      'services:\n  a: {image: x, deploy: {replicas: "3"}}',
      '(write it without quotes) [invalid-type]',
    ],
    [
      'services:\n  a: {image: x, ports: ["80:80", "80:80"]}',
      'services.a.ports[1]: the same as item 0 of this list (remove one of the two) [duplicate-item]',
    ],
    [
      'services:\n  a: {image: x, volumes: [{target: /x}]}',
      'type is required (add type) [missing-field]',
    ],
    ['services:\n  a: {image: x, stop_grace_period: 10}', 'must be a string, but is an integer'],
    ['services:\n  a: {image: x, stop_grace_period: ten}', '[invalid-duration]'],
    [
      'services:\n  a: {image: x, deploy: {update_config: {order: start-frist}}}',
      '(did you mean start-first?) [invalid-value]',
    ],
    [
      'services:\n  a b: {image: x}',
      "the name 'a b' is not allowed (use letters, digits, . _ and -) [unknown-field]",
    ],
    [
      'services:\n  a: {image: x, volumes: [{type: tmpfs, target: /x, tmpfs: {size: -1}}]}',
      '-1 is less than 0',
    ],
    [
      'services:\n  a: {image: x, deploy: {update_config: {max_failure_ratio: .inf}}}',
      'not a number that can be used',
    ],
    ['hello', 'the file is not a mapping'],
    [
      'version: "2"\nservices: {}',
      'stack.yml:1:10: error: version: unsupported version of the compose format: 2',
    ],
    ['version: "3.14"', '[unsupported-version]'],
    [
      'version: 3.8',
      'version: must be a string, but is a number (put it in quotes) [invalid-type]',
    ],
    ['services:\n  a: {extends: b}', '[forbidden-option]'],
  ])('%s', (text, expected) => {
    expect(complaintsOf(text).join('\n')).toContain(expected);
    expect(load(text).config).toBeUndefined();
  });

  it('names several faults at once, those of the first step first', () => {
    const text = 'services:\n  a:\n    mem_limit: 1\n    image: ${.}\n    ports: 80\n    foo: 1\n';
    expect(load(text).complaints.map(({ code }) => code)).toEqual([
      'forbidden-option',
      'invalid-interpolation',
      'invalid-type',
      'unknown-field',
    ]);
  });

  it.each([
    ['3.0', 'secrets: {}', false],
    ['3.1', 'secrets: {}', true],
    ['3.2', 'configs: {}', false],
    ['3.3', 'configs: {}', true],
    ['3.3', 'x-a: 1', false],
    ['3.4', 'x-a: 1', true],
    ['3.6', 'services: {a: {image: x, init: true}}', false],
    ['3.7', 'services: {a: {image: x, init: true, x-b: 1}}', true],
    ['3.1', 'services: {a: {image: x, ports: [{target: 80}]}}', false],
    ['3.2', 'services: {a: {image: x, ports: [{target: 80}]}}', true],
    ['3.8', 'services: {a: {image: x, deploy: {placement: {max_replicas_per_node: 1}}}}', true],
    ['3.12', 'services: {a: {image: x, oom_score_adj: 1}}', false],
    ['3.13', 'services: {a: {image: x, oom_score_adj: 1}}', true],
    ['3', 'services: {a: {image: x, oom_score_adj: 1}}', true],
  ])('version %s with %s: %p', (version, text, isAccepted) => {
    expect(load(`version: "${version}"\n${text}`).config !== undefined).toBe(isAccepted);
  });

  it('says since when a field exists', () => {
    const text = 'version: "3.6"\nservices: {a: {image: x, init: true}}';
    expect(complaintsOf(text).join()).toContain('it came with version 3.7');
  });
});

describe('warnings', () => {
  it('names what is ignored, deprecated or dropped, each at its place', () => {
    const text =
      'services:\n  a:\n    image: x\n    restart: always\n    expose: ["80"]\n    depends_on: [b]\n  b: {image: y}\n';
    const { config, complaints } = load(text);
    expect(config).toBeDefined();
    expect(complaints.map(({ code, line, field }) => [code, line, field])).toEqual([
      ['unsupported-option', 4, 'services.a.restart'],
      ['deprecated-option', 5, 'services.a.expose'],
      ['ignored-option', 6, 'services.a.depends_on'],
    ]);
  });

  it('warns of host addresses, mount options and unquoted dates', () => {
    const text =
      'services:\n  a:\n    image: x\n    ports: ["127.0.0.1:80:80"]\n    volumes: ["/a:/b:z"]\n    labels: {d: 2020-01-02}\n    secrets: [{source: s, more: 1}]\n';
    expect(load(text).complaints.map(({ code }) => code)).toEqual([
      'ambiguous-scalar',
      'ignored-option',
      'ignored-address',
      'ignored-option',
    ]);
  });

  it('warns of volumes whose name looks like a drive', () => {
    const text = 'services: {a: {image: x, volumes: ["v:/data"]}}';
    expect(load(text).complaints.map(({ code }) => code)).toEqual(['invalid-volume']);
  });

  it('says each unset variable once', () => {
    const text = 'services: {a: {image: "$X", command: "$X $Y"}}';
    expect(load(text).complaints.map(({ code }) => code)).toEqual([
      'unset-variable',
      'unset-variable',
    ]);
  });
});

describe('variables', () => {
  it('casts what a variable changed', () => {
    const fields = 'deploy: {replicas: $N}\ntty: $B\nhealthcheck: {retries: "${N}"}';
    expect(service(fields, { environment: { N: '3', B: 'Yes' } })).toMatchObject({
      deploy: { replicas: 3 },
      hasTty: true,
      healthCheck: { retries: 3 },
    });
  });

  it('refuses what cannot be cast', () => {
    const text = 'services: {a: {image: x, deploy: {replicas: "${N}"}, tty: "$B"}}';
    const { complaints } = load(text, { environment: { N: '3.5', B: 'maybe' } });
    expect(complaints.map(({ code, field }) => [code, field])).toEqual([
      ['invalid-cast', 'services.a.deploy.replicas'],
      ['invalid-cast', 'services.a.tty'],
    ]);
  });

  it('does not look at the prototype of the environment', () => {
    expect(complaintsOf('services: {a: {image: "${constructor:?no}"}}').join()).toContain(
      '[missing-variable]',
    );
  });
});

describe('services', () => {
  it('reads commands, hosts, limits and lists', () => {
    const read = service(
      [
        'command: echo "a b" c',
        'entrypoint: [sh, -c]',
        'extra_hosts: ["h:1.2.3.4", "i=[::1]", "j:::1"]',
        'ulimits: {nproc: 5, nofile: {soft: 1, hard: 2}}',
        'dns: 1.1.1.1',
        'sysctls: [a=1, b]',
        'cap_add: [NET_ADMIN]',
        'env_file: []',
      ].join('\n'),
    );
    expect(read.command).toEqual(['echo', 'a b', 'c']);
    expect(read.entrypoint).toEqual(['sh', '-c']);
    expect(read.extraHosts).toEqual(['h:1.2.3.4', 'i:::1', 'j:::1']);
    expect([...read.ulimits]).toEqual([
      ['nproc', { single: 5, soft: 0, hard: 0 }],
      ['nofile', { single: 0, soft: 1, hard: 2 }],
    ]);
    expect(read.dns).toEqual(['1.1.1.1']);
    expect([...read.sysctls]).toEqual([
      ['a', '1'],
      ['b', ''],
    ]);
  });

  it('sorts hosts that are written as a mapping', () => {
    expect(service('extra_hosts: {b: 1.1.1.1, a: 2.2.2.2, c: }').extraHosts).toEqual([
      'a:2.2.2.2',
      'b:1.1.1.1',
    ]);
  });

  it.each([
    ['command: "a \\"b"', 'invalid-command'],
    ['ports: ["x"]', 'invalid-port'],
    ['ports: [{target: -1}]', 'invalid-port'],
    ['volumes: [":/x"]', 'invalid-volume'],
    ['volumes: [{type: bind, target: /x}]', 'invalid-volume'],
    ['deploy: {replicas: -1}', 'invalid-value'],
    ['deploy: {resources: {limits: {memory: lots}}}', 'invalid-size'],
    ['env_file: no.env', 'missing-file'],
    ['healthcheck: {interval: 10}', 'invalid-type'],
    ['ulimits: {a_b: {x: 1}}', 'invalid-type'],
  ])('refuses %s as %s', (fields, code) => {
    const text = `services:\n  a:\n    image: x\n    ${fields}\n`;
    const errors = load(text).complaints.filter(({ severity }) => severity === 'error');
    expect(errors.map((complaint) => complaint.code)).toEqual([code]);
  });

  it('resolves the sources of bind mounts', () => {
    const fields = 'volumes: ["./a:/a", "~/b:/b", "/c:/c", {type: bind, source: ../d, target: /d}]';
    const sources = (options: ComposeOptions) =>
      service(fields, options).mounts.map((m) => m.source);
    expect(sources({ homeDirectory: '/home/me' })).toEqual(['/w/a', '/home/me/b', '/c', '/d']);
    expect(sources({ environment: { HOME: '/h' } })[1]).toBe('/h/b');
    expect(sources({})[1]).toBe('/w/~/b');
  });

  it('takes relative paths from the folder of the first file', () => {
    const { config } = loadCompose([
      { path: '/x/stack.yml', text: 'services: {a: {image: x, volumes: ["./d:/d"]}}' },
    ]);
    expect(config?.services[0]?.mounts[0]?.source).toBe('/x/d');
  });
});

describe('environment', () => {
  const files: Record<string, string> = {
    '/w/a.env': 'A=file\nB=file\nC\nD=',
    '/w/b.env': 'B=two',
  };
  const readFile = (path: string) => files[path];

  it('puts files first, then the mapping, and the client where there is no value', () => {
    const fields = 'env_file: [a.env, b.env]\nenvironment: {A: own, N: 1, E: , D: x, F: }';
    const environment = { C: 'client', E: 'client' };
    expect([...service(fields, { readFile, environment }).environment]).toEqual([
      ['A', 'own'],
      ['B', 'two'],
      ['C', 'client'],
      ['D', 'x'],
      ['N', '1'],
      ['E', 'client'],
      ['F', undefined],
    ]);
  });

  it('reads lists', () => {
    expect([...service('environment: [A=1, B, C=, D=x=y]').environment]).toEqual([
      ['A', '1'],
      ['B', undefined],
      ['C', ''],
      ['D', 'x=y'],
    ]);
  });

  it('takes missing files as empty where asked to', () => {
    expect(service('env_file: gone.env', { missingFiles: 'empty' }).environment.size).toBe(0);
  });

  it('names the wrong line of an env file', () => {
    const options = { readFile: () => new TextEncoder().encode('A=1\nB C=2\n') };
    expect(complaintsOf('services: {a: {image: x, env_file: e}}', options).join()).toMatch(
      /services\.a\.env_file: line 2 of \/w\/e the variable name .* \[invalid-env-file\]/,
    );
  });
});

describe('top-level objects', () => {
  it('names external objects, in both forms', () => {
    const { config, complaints } = load(
      'networks:\n  a: {external: true}\n  b: {external: true, name: bb}\n  c: {external: {name: cc}}\n  d:\n',
    );
    const networks = [...(config?.networks ?? [])].map(([key, { name, isExternal }]) => [
      key,
      name,
      isExternal,
    ]);
    expect(networks).toEqual([
      ['a', 'a', true],
      ['b', 'bb', true],
      ['c', 'cc', true],
      ['d', '', false],
    ]);
    expect(complaints.map(({ code }) => code)).toEqual(['deprecated-external-name']);
  });

  it.each([
    ['volumes: {a: {external: true, driver: x}}'],
    ['volumes: {a: {external: true, labels: {b: c}}}'],
    ['networks: {a: {external: {name: x}, name: y}}'],
    ['secrets: {a: {driver: x, file: y}}'],
  ])('refuses %s', (text) => {
    expect(complaintsOf(text).join()).toContain('[external-conflict]');
  });

  it('reads cluster volumes', () => {
    const { config } = load(
      'volumes:\n  v:\n    driver: csi\n    x-cluster-spec: {group: g, access_mode: {scope: multi, block_volume: {}}, capacity_range: {required_bytes: 1G}, secrets: [{key: k, secret: s}]}\n',
    );
    expect(config?.volumes.get('v')?.cluster).toMatchObject({
      group: 'g',
      scope: 'multi',
      isBlock: true,
      requiredBytes: 1024 ** 3,
      secrets: [{ key: 'k', secret: 's' }],
    });
  });
});

describe('the Compose specification beyond docker stack', () => {
  const text = [
    'name: shop',
    'services:',
    '  a:',
    '    image: x',
    '    depends_on: {b: {condition: service_healthy}}',
    '    env_file: [{path: e.env, required: false}]',
    '    group_add: [docker, 44]',
    '    platform: linux/arm64',
    '    pull_policy: always',
    '    ports: [{target: 80, published: "8080", name: web}]',
    '    deploy: {resources: {limits: {cpus: 0.5}}}',
    '  b: {image: y, profiles: [debug]}',
    'configs: {c: {content: hello}}',
  ].join('\n');

  it('is accepted, with a warning for what is not acted on', () => {
    const { config, complaints } = load(text);
    expect(config?.name).toBe('shop');
    expect(config?.services.map(({ name }) => name)).toEqual(['a']);
    expect(config?.services[0]).toMatchObject({
      groups: ['docker', '44'],
      platform: 'linux/arm64',
      ports: [{ published: 8080, name: 'web' }],
    });
    expect(config?.configs.get('c')?.content).toBe('hello');
    expect(complaints.map(({ code }) => code)).toEqual([
      'ignored-option',
      'ignored-option',
      'inactive-profile',
    ]);
  });

  it('takes in the services of the profiles asked for', () => {
    expect(load(text, { profiles: ['debug'] }).config?.services).toHaveLength(2);
    expect(load(text, { profiles: ['*'] }).config?.services).toHaveLength(2);
  });

  it('is refused in the dialect of docker', () => {
    const { config, complaints } = load(text, { dialect: 'docker' });
    expect(config).toBeUndefined();
    expect(complaints.filter(({ severity }) => severity === 'error').length).toBeGreaterThan(7);
  });
});

describe('several files', () => {
  const merge = (...texts: string[]) =>
    loadCompose(
      texts.map((text, index) => ({ path: `${index}.yml`, text })),
      { workingDirectory: '/w' },
    );

  it('overrides, appends and merges by key', () => {
    const { config } = merge(
      `services:
  a:
    image: one
    command: [x]
    environment: {A: 1, B: 1}
    labels: {l: 1, m: 1}
    ports: ["80:80", "443:443"]
    volumes: ["vol:/data", "web:/w"]
    dns: [1.1.1.1]
    tty: true
    networks: {n: {aliases: [x], ipv4_address: 1.2.3.4}}
    logging: {driver: syslog, options: {a: 1, b: 1}}
    healthcheck: {test: [CMD, a], retries: 3}
    deploy:
      replicas: 2
      placement: {constraints: [a==b]}
      resources: {limits: {cpus: "1", memory: 1G}}
  b: {image: b}
volumes: {vol: , web: {driver: d}}
networks: {n: }`,
      `services:
  a:
    image: two
    command: [y]
    environment: [A=2, B=]
    labels: {m: "", n: 2}
    ports: ["80:80", "22:22"]
    volumes: ["./d:/data"]
    dns: [2.2.2.2]
    tty: false
    networks: {n: {aliases: [y]}}
    logging: {options: {b: 2}}
    healthcheck: {retries: 0, interval: 5s}
    deploy: {replicas: 0, placement: {constraints: [c==d]}, resources: {limits: {memory: 2G}}}
  c: {image: c}
volumes: {web: {}}`,
    );
    expect(config?.services.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    const [a] = config?.services ?? [];
    expect(a).toMatchObject({
      image: 'two',
      command: ['y'],
      dns: ['1.1.1.1', '2.2.2.2'],
      hasTty: true,
      healthCheck: { test: ['CMD', 'a'], retries: 0, interval: 5e9 },
    });
    expect(a?.deploy).toMatchObject({
      replicas: 0,
      constraints: ['a==b', 'c==d'],
      limits: { cpus: '1', memory: 2 * 1024 ** 3 },
    });
    expect([...(a?.environment ?? [])]).toEqual([
      ['A', '2'],
      ['B', '1'],
    ]);
    expect(Object.fromEntries(a?.labels ?? [])).toEqual({ l: '1', m: '', n: '2' });
    expect(a?.ports.map(({ published }) => published)).toEqual([22, 80, 443]);
    expect(a?.mounts.map(({ source, target }) => [source, target])).toEqual([
      ['/w/d', '/data'],
      ['web', '/w'],
    ]);
    expect(a?.networks.get('n')).toMatchObject({ aliases: ['y'], ipv4Address: '1.2.3.4' });
    expect(Object.fromEntries(a?.logging?.options ?? [])).toEqual({ a: '1', b: '2' });
    expect(config?.volumes.get('web')?.driver).toBe('');
  });

  it('replaces the options of another log driver', () => {
    const { config } = merge(
      'services: {a: {image: x, logging: {driver: a, options: {k: 1}}}}',
      'services: {a: {logging: {driver: b}}}',
    );
    expect(config?.services[0]?.logging).toEqual({ driver: 'b', options: undefined });
  });

  it('finds fields in the file that has them', () => {
    const { config } = merge(
      'services: {a: {image: x}}',
      '\nservices: {a: {deploy: {replicas: 1}}}',
    );
    const where = (...steps: string[]) => config?.locate(['services', 'a', ...steps]).path;
    expect(where('image')).toBe('0.yml');
    expect(where('deploy', 'replicas')).toBe('1.yml');
    expect(where('deploy', 'mode')).toBe('1.yml');
  });

  it('wants one version', () => {
    const { complaints } = merge('version: "3.7"', 'version: "3.8"');
    expect(complaints.map(({ code }) => code)).toEqual(['version-mismatch']);
  });

  it('wants at least one file', () => {
    expect(merge().complaints.map(({ code }) => code)).toEqual(['empty-file']);
  });
});
