import { describe, expect, it } from '@jest/globals';
import type { ComplaintCode } from '../complaint.js';
import { loadCompose } from '../compose/loader.js';
import type { DockerRequest, DockerServiceBody } from '../docker-api/types.js';
import { convertCompose, type ConversionOptions } from './convert.js';
import { toSpecs } from './to-specs.js';

function load(text: string) {
  const loaded = loadCompose([{ path: 's.yml', text }], { workingDirectory: '/w' });
  if (!loaded.config) throw new Error(JSON.stringify(loaded.complaints));
  return loaded.config;
}

function convert(text: string, options: ConversionOptions = { stack: 'st' }) {
  return convertCompose(load(text), options);
}

function requests(text: string, options?: ConversionOptions): readonly DockerRequest[] {
  return convert(text, options).requests.map(({ request }) => request);
}

/** The body of the service `a` with these fields. */
function body(fields: string, rest = '', options?: ConversionOptions): DockerServiceBody {
  const indented = fields.replace(/^/gm, '    ');
  const text = `services:\n  a:\n    image: nginx\n${indented}\n${rest}\n`;
  const found = requests(text, options).find(({ path }) => path === '/services/create');
  if (found?.path !== '/services/create') {
    throw new Error(JSON.stringify(convert(text, options).complaints));
  }
  return found.body;
}

const container = (...args: Parameters<typeof body>) => body(...args).TaskTemplate.ContainerSpec;

describe('a service', () => {
  it('is sent with everything the client always sends', () => {
    expect(requests('services: {a: {image: nginx}}')).toEqual([
      {
        method: 'POST',
        path: '/networks/create',
        body: {
          Driver: 'overlay',
          Scope: '',
          IPAM: null,
          Internal: false,
          Attachable: false,
          Ingress: false,
          ConfigOnly: false,
          ConfigFrom: null,
          Options: null,
          Labels: { 'com.docker.stack.namespace': 'st' },
          Name: 'st_default',
        },
      },
      {
        method: 'POST',
        path: '/services/create',
        body: {
          Name: 'st_a',
          Labels: {
            'com.docker.stack.image': 'nginx',
            'com.docker.stack.namespace': 'st',
          },
          TaskTemplate: {
            ContainerSpec: {
              Image: 'nginx:latest',
              Labels: { 'com.docker.stack.namespace': 'st' },
              Privileges: { CredentialSpec: null, SELinuxContext: null, NoNewPrivileges: false },
            },
            Resources: {},
            Placement: {},
            Networks: [{ Target: 'st_default', Aliases: ['a'] }],
            ForceUpdate: 0,
          },
          Mode: { Replicated: {} },
          EndpointSpec: {},
        },
      },
    ]);
  });

  it('keeps bare names and sets no labels without a stack', () => {
    const [network, service] = requests('services: {a: {image: nginx}}', {});
    expect(network?.body).toMatchObject({ Name: 'default', Labels: {} });
    expect(service?.body).toMatchObject({ Name: 'a', Labels: {} });
  });

  it('has its container', () => {
    const fields = `command: run "it now"
entrypoint: [/bin/e]
environment: {B: 2, A: 1, C: }
labels: [x=y]
hostname: h
working_dir: /d
user: u
tty: true
stdin_open: true
read_only: true
init: false
isolation: default
stop_grace_period: 0s
stop_signal: SIGINT
extra_hosts: ["n:1.2.3.4"]
dns: [9.9.9.9]
dns_search: s.example
sysctls: {b: 1, a: 2}
cap_add: [net_admin, CAP_SYS_TIME]
cap_drop: [ALL]
ulimits: {nproc: 9, nofile: {soft: 1, hard: 2}}
oom_score_adj: -5
healthcheck: {test: "curl x", interval: 1m, retries: 2, start_interval: 2s}`;
    expect(container(fields)).toMatchObject({
      Args: ['run', 'it now'],
      Command: ['/bin/e'],
      Env: ['A=1', 'B=2', 'C'],
      Labels: { x: 'y', 'com.docker.stack.namespace': 'st' },
      Hostname: 'h',
      Dir: '/d',
      User: 'u',
      TTY: true,
      OpenStdin: true,
      ReadOnly: true,
      Init: false,
      Isolation: 'default',
      StopGracePeriod: 0,
      StopSignal: 'SIGINT',
      Hosts: ['1.2.3.4 n'],
      DNSConfig: { Nameservers: ['9.9.9.9'], Search: ['s.example'] },
      Sysctls: { a: '2', b: '1' },
      CapabilityAdd: ['CAP_NET_ADMIN', 'CAP_SYS_TIME'],
      CapabilityDrop: ['ALL'],
      Ulimits: [
        { Name: 'nofile', Soft: 1, Hard: 2 },
        { Name: 'nproc', Soft: 9, Hard: 9 },
      ],
      OomScoreAdj: -5,
      Healthcheck: {
        Test: ['CMD-SHELL', 'curl x'],
        Interval: 60e9,
        Retries: 2,
        StartInterval: 2e9,
      },
    });
  });

  it('has all of deploy', () => {
    const fields = `deploy:
  mode: replicated
  replicas: 0
  labels: {l: 1}
  endpoint_mode: DNSRR
  update_config:
    {parallelism: 0, delay: 10s, failure_action: rollback, monitor: 1s,
    max_failure_ratio: 0.1, order: start-first}
  rollback_config: {}
  restart_policy: {condition: on-failure, delay: 5s, max_attempts: 0, window: 2m}
  resources:
    limits: {cpus: "0.5", memory: 64M, pids: 7}
    reservations:
      cpus: "1/4"
      memory: 1k
      generic_resources: [{discrete_resource_spec: {kind: gpu, value: 2}}]
  placement:
    constraints: [node.role==worker]
    preferences: [{spread: node.labels.z}]
    max_replicas_per_node: 3
logging: {driver: json-file, options: {max-size: 1}}`;
    expect(body(fields)).toMatchObject({
      Labels: { l: '1' },
      Mode: { Replicated: { Replicas: 0 } },
      UpdateConfig: {
        Parallelism: 0,
        Delay: 10e9,
        FailureAction: 'rollback',
        Monitor: 1e9,
        MaxFailureRatio: 0.1,
        Order: 'start-first',
      },
      RollbackConfig: { Parallelism: 1, MaxFailureRatio: 0, Order: '' },
      EndpointSpec: { Mode: 'dnsrr' },
      TaskTemplate: {
        RestartPolicy: { Condition: 'on-failure', Delay: 5e9, MaxAttempts: 0, Window: 120e9 },
        Resources: {
          Limits: { NanoCPUs: 5e8, MemoryBytes: 64 * 1024 ** 2, Pids: 7 },
          Reservations: {
            NanoCPUs: 25e7,
            MemoryBytes: 1024,
            GenericResources: [{ DiscreteResourceSpec: { Kind: 'gpu', Value: 2 } }],
          },
        },
        Placement: {
          Constraints: ['node.role==worker'],
          Preferences: [{ Spread: { SpreadDescriptor: 'node.labels.z' } }],
          MaxReplicas: 3,
        },
        LogDriver: { Name: 'json-file', Options: { 'max-size': '1' } },
      },
    });
  });

  it.each([
    ['global', { Global: {} }],
    ['global-job', { GlobalJob: {} }],
    ['replicated-job', { ReplicatedJob: {} }],
  ])('has the mode %s', (mode, expected) => {
    expect(body(`deploy: {mode: ${mode}}`).Mode).toEqual(expected);
  });

  it.each([
    ['"no"', undefined],
    ['always', { Condition: 'any' }],
    ['unless-stopped', { Condition: 'any' }],
    ['on-failure', { Condition: 'on-failure', MaxAttempts: 0 }],
    ['on-failure:3', { Condition: 'on-failure', MaxAttempts: 3 }],
  ])('takes restart: %s where deploy says nothing', (restart, expected) => {
    expect(body(`restart: ${restart}`).TaskTemplate.RestartPolicy).toEqual(expected);
  });

  it('publishes ports, sorted by published port', () => {
    expect(
      body('ports: ["443:443", 80, {target: 53, published: 53, protocol: udp, mode: host}]'),
    ).toHaveProperty('EndpointSpec', {
      Ports: [
        { Protocol: 'tcp', TargetPort: 80, PublishMode: 'ingress' },
        { Protocol: 'udp', TargetPort: 53, PublishedPort: 53, PublishMode: 'host' },
        { Protocol: 'tcp', TargetPort: 443, PublishedPort: 443, PublishMode: 'ingress' },
      ],
    });
  });

  it('disables health checks', () => {
    expect(container('healthcheck: {disable: true}')).toHaveProperty('Healthcheck', {
      Test: ['NONE'],
    });
  });
});

describe('mounts', () => {
  const rest =
    'volumes: {data: {driver: d, driver_opts: {o: 1}, labels: {l: m}}, plain: , ext: {external: true, name: outer}, named: {name: own}}';

  it.each([
    ['/anon', { Type: 'volume', Target: '/anon' }],
    [
      './b:/b:ro,rslave',
      {
        Type: 'bind',
        Source: '/w/b',
        Target: '/b',
        ReadOnly: true,
        BindOptions: { Propagation: 'rslave' },
      },
    ],
    [
      'plain:/p:nocopy',
      {
        Type: 'volume',
        Source: 'st_plain',
        Target: '/p',
        VolumeOptions: { NoCopy: true, Labels: { 'com.docker.stack.namespace': 'st' } },
      },
    ],
    ['ext:/e', { Type: 'volume', Source: 'outer', Target: '/e', VolumeOptions: {} }],
    [
      'named:/n',
      {
        Type: 'volume',
        Source: 'own',
        Target: '/n',
        VolumeOptions: { Labels: { 'com.docker.stack.namespace': 'st' } },
      },
    ],
    [
      'data:/d',
      {
        Type: 'volume',
        Source: 'st_data',
        Target: '/d',
        VolumeOptions: {
          Labels: { l: 'm', 'com.docker.stack.namespace': 'st' },
          DriverConfig: { Name: 'd', Options: { o: '1' } },
        },
      },
    ],
    [
      '{type: tmpfs, target: /t, tmpfs: {size: 5}}',
      { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 5 } },
    ],
    ['{type: npipe, source: p, target: q}', { Type: 'npipe', Source: 'p', Target: 'q' }],
    [
      '{type: cluster, source: "group:g", target: /c}',
      { Type: 'cluster', Source: 'group:g', Target: '/c', ClusterOptions: {} },
    ],
    [
      '{type: cluster, source: plain, target: /c}',
      { Type: 'cluster', Source: 'st_plain', Target: '/c', ClusterOptions: {} },
    ],
  ])('%s', (volume, expected) => {
    expect(container(`volumes:\n  - ${volume}`, rest)?.Mounts).toEqual([expected]);
  });

  it.each<[string, ComplaintCode]>([
    ['none:/x', 'undefined-volume'],
    ['{type: volme, target: /x}', 'invalid-mount'],
    ['{type: tmpfs, source: x, target: /x}', 'invalid-mount'],
    ['{type: npipe, target: /x}', 'invalid-mount'],
    ['{type: volume, target: /x, bind: {}}', 'invalid-mount'],
    ['{type: bind, source: /x, target: /x, volume: {}}', 'invalid-mount'],
    ['{type: cluster, source: none, target: /x}', 'undefined-volume'],
    ['./x:/x:nocopy', 'invalid-mount'],
  ])('refuses %s as %s', (volume, code) => {
    const text = `services:\n  a:\n    image: x\n    volumes:\n      - ${volume}\n${rest}\n`;
    const { complaints, requests: none } = convert(text);
    expect(complaints.map((complaint) => [complaint.code, complaint.line])).toEqual([[code, 5]]);
    expect(none).toEqual([]);
  });

  it('drops the short tmpfs as the client does, or passes it on', () => {
    const text = 'services: {a: {image: x, tmpfs: ["/run:size=64m,mode=1777,ro,noexec"]}}';
    expect(convert(text).complaints.map(({ code }) => code)).toEqual(['ignored-option']);
    const [, service] = convert(text, { isComplete: true }).requests;
    expect(service?.request.body).toMatchObject({
      TaskTemplate: {
        ContainerSpec: {
          Mounts: [
            {
              Type: 'tmpfs',
              Target: '/run',
              ReadOnly: true,
              TmpfsOptions: { SizeBytes: 64 * 1024 ** 2, Mode: 0o1777, Options: [['noexec']] },
            },
          ],
        },
      },
    });
  });
});

describe('networks', () => {
  it('creates those that services use, and no others', () => {
    const text = `services:
  a:
    image: x
    networks: {n: {aliases: [q], driver_opts: {k: 1}}, host: , e: }
networks:
  n:
    {driver: weave, driver_opts: {a: 1}, internal: true, attachable: true, labels: {l: m},
    enable_ipv6: true, ipam: {driver: default, config: [{subnet: 10.1.0.0/16,
    gateway: 10.1.0.1, ip_range: 10.1.2.0/24, aux_addresses: {r: 10.1.0.9}}]}}
  e: {external: true}
  host: {external: true, name: host}
  unused: {}`;
    const { requests: all, externals } = convert(text);
    expect(all.map(({ request }) => request.body.Name)).toEqual(['st_n', 'st_a']);
    expect(all[0]?.request.body).toEqual({
      Driver: 'weave',
      Scope: '',
      EnableIPv6: true,
      IPAM: {
        Driver: 'default',
        Options: null,
        Config: [
          {
            Subnet: '10.1.0.0/16',
            Gateway: '10.1.0.1',
            IPRange: '10.1.2.0/24',
            AuxiliaryAddresses: { r: '10.1.0.9' },
          },
        ],
      },
      Internal: true,
      Attachable: true,
      Ingress: false,
      ConfigOnly: false,
      ConfigFrom: null,
      Options: { a: '1' },
      Labels: { l: 'm', 'com.docker.stack.namespace': 'st' },
      Name: 'st_n',
    });
    expect(all[1]?.request.body).toMatchObject({
      TaskTemplate: {
        Networks: [
          { Target: 'e', Aliases: ['a'] },
          { Target: 'host' },
          { Target: 'st_n', Aliases: ['q', 'a'], DriverOpts: { k: '1' } },
        ],
      },
    });
    expect(externals.networks).toEqual(['e', 'host']);
  });

  it('refuses undefined ones', () => {
    const { complaints } = convert('services: {a: {image: x, networks: [n]}}');
    expect(complaints).toMatchObject([
      { code: 'undefined-network', field: 'services.a.networks[0]', column: 37 },
    ]);
  });

  it('keeps static addresses for our specs, with a warning', () => {
    const config = load(
      'services: {a: {image: x, networks: {n: {ipv4_address: 1.2.3.4}}}}\nnetworks: {n: }',
    );
    const { objects, complaints } = toSpecs(config);
    expect(objects.find(({ kind }) => kind === 'Service')?.spec).toMatchObject({
      task: { networks: [{ target: 'n', addresses: ['1.2.3.4'] }] },
    });
    expect(complaints.map(({ code }) => code)).toEqual(['ignored-option']);
  });
});

describe('secrets and configs', () => {
  const files: Record<string, string> = { '/w/s.txt': 'hello', '/w/c.txt': 'é' };
  const options: ConversionOptions = {
    stack: 'st',
    readFile: (path) => files[path],
    secretId: (name) => `sec_${name}`,
    configId: (name) => `cfg_${name}`,
  };
  const text = `services:
  a:
    image: x
    secrets: [s, {source: ext, target: t, uid: "1", gid: "2", mode: 0400}]
    configs: [{source: c}]
    credential_spec: {config: c}
secrets:
  s: {file: ./s.txt, labels: {l: m}}
  ext: {external: true, name: outer}
  d: {driver: vault, driver_opts: {o: 1}, template_driver: golang}
configs:
  c: {file: c.txt, template_driver: golang}`;

  it('are created with their content and used by id', () => {
    const [config, , driven, secret, service] = requests(text, options).map(({ body: b }) => b);
    expect(config).toEqual({
      Name: 'st_c',
      Labels: { 'com.docker.stack.namespace': 'st' },
      Data: 'w6k=',
      Templating: { Name: 'golang' },
    });
    expect(driven).toEqual({
      Name: 'st_d',
      Labels: { 'com.docker.stack.namespace': 'st' },
      Driver: { Name: 'vault', Options: { o: '1' } },
      Templating: { Name: 'golang' },
    });
    expect(secret).toMatchObject({ Name: 'st_s', Data: 'aGVsbG8=', Labels: { l: 'm' } });
    expect(service).toMatchObject({
      TaskTemplate: {
        ContainerSpec: {
          Secrets: [
            {
              SecretID: 'sec_outer',
              SecretName: 'outer',
              File: { Name: 't', UID: '1', GID: '2', Mode: 0o400 },
            },
            {
              SecretID: 'sec_st_s',
              SecretName: 'st_s',
              File: { Name: 's', UID: '0', GID: '0', Mode: 0o444 },
            },
          ],
          Configs: [
            { ConfigID: 'cfg_st_c', ConfigName: 'st_c', Runtime: {} },
            { ConfigID: 'cfg_st_c', ConfigName: 'st_c', File: { Name: 'c' } },
          ],
          Privileges: { CredentialSpec: { Config: 'cfg_st_c', File: '', Registry: '' } },
        },
      },
    });
  });

  it.each<[string, ComplaintCode]>([
    ['services: {a: {image: x, secrets: [n]}}', 'undefined-secret'],
    ['services: {a: {image: x, configs: [n]}}', 'undefined-config'],
    ['services: {a: {image: x, credential_spec: {config: n}}}', 'undefined-config'],
    [
      'services: {a: {image: x, credential_spec: {file: f, registry: r}}}',
      'invalid-credential-spec',
    ],
    [
      'services: {a: {image: x, secrets: [s, s]}}\nsecrets: {s: {external: true}}',
      'duplicate-target',
    ],
    ['secrets: {s: {file: gone}}', 'missing-file'],
    ['secrets: {s: {}}', 'missing-file'],
  ])('refuses %s', (bad, code) => {
    expect(convert(bad).complaints.map((complaint) => complaint.code)).toEqual([code]);
  });

  it('misses those that do not exist', () => {
    const bad = 'services: {a: {image: x, secrets: [s]}}\nsecrets: {s: {external: true}}';
    const { complaints } = convert(bad, { secretId: () => undefined });
    expect(complaints.map(({ code }) => code)).toEqual(['undefined-secret']);
  });
});

describe('refusals of the client', () => {
  it.each<[string, ComplaintCode]>([
    ['{build: .}', 'missing-image'],
    ['{image: "A b"}', 'invalid-image'],
    ['{image: x, deploy: {mode: global, replicas: 2}}', 'replicas-with-global'],
    ['{image: x, deploy: {mode: some}}', 'unknown-mode'],
    ['{image: x, restart: sometimes}', 'invalid-restart-policy'],
    ['{image: x, restart: "on-failure:x"}', 'invalid-restart-policy'],
    ['{image: x, healthcheck: {disable: true, test: x}}', 'invalid-healthcheck'],
    ['{image: x, deploy: {resources: {limits: {cpus: half}}}}', 'invalid-cpu'],
  ])('%s is %s', (fields, code) => {
    const { complaints } = convert(`services:\n  a: ${fields}\n`);
    expect(complaints.map((complaint) => complaint.code)).toEqual([code]);
  });

  it('does not judge what the manager judges', () => {
    const fields =
      '{image: x, deploy: {placement: {constraints: [nonsense]}, restart_policy: {condition: odd}}, ports: ["80:80", "80:81"]}';
    expect(convert(`services: {a: ${fields}}`).complaints).toEqual([]);
  });
});

describe('cluster volumes', () => {
  const text =
    'volumes: {v: {driver: csi, x-cluster-spec: {group: g, access_mode: {scope: multi, sharing: all, mount_volume: {fs_type: ext4}}, accessibility_requirements: {requisite: [{segments: {z: 1}}]}, secrets: [{key: k, secret: s}], availability: active}}}';

  it('are left out as the client leaves them out, or passed on', () => {
    expect(convert(text).complaints.map(({ code }) => code)).toEqual(['ignored-option']);
    expect(toSpecs(load(text), { stack: 'st' }).objects).toMatchObject([
      {
        kind: 'Volume',
        name: 'st_v',
        spec: {
          group: 'g',
          driver: { name: 'csi' },
          access: { scope: 'multi', sharing: 'all', type: 'mount', fsType: 'ext4' },
          accessibility: { requisite: [{ z: '1' }] },
          secrets: { k: 'st_s' },
          availability: 'active',
        },
      },
    ]);
  });
});
