import { describe, expect, it } from '@jest/globals';
import type {
  ClusterSpec,
  ConfigSpec,
  ContainerSpec,
  NetworkSpec,
  NodeSpec,
  SecretSpec,
  ServiceSpec,
  VolumeSpec,
} from '@skep/api';
import { z } from 'zod';
import { toJsonSchema } from '../manifest/json-schema.js';
import { MANIFEST_KINDS } from './built-in.js';

/** The type with every field present, all the way down: forgetting one in a fixture is an error. */
type Full<T> = T extends readonly (infer Item)[]
  ? readonly Full<Item>[]
  : T extends object
    ? { readonly [K in keyof T]-?: Full<NonNullable<T[K]>> }
    : T;

const labels = { a: 'b' };
const driver = { name: 'd', options: labels };
const file = { name: 'f', uid: '0', gid: '0', mode: 292 };

const container: Full<ContainerSpec> = {
  image: 'nginx',
  labels,
  command: ['c'],
  args: ['a'],
  hostname: 'h',
  env: ['A=1'],
  workingDir: '/',
  user: 'u',
  groups: ['g'],
  privileges: {
    credentialSpec: { config: 'c', file: 'f', registry: 'r' },
    seLinuxContext: { isDisabled: true, user: 'u', role: 'r', type: 't', level: 'l' },
    seccomp: { mode: 'default', profile: 'p' },
    appArmor: { mode: 'default' },
    hasNoNewPrivileges: true,
  },
  hasTty: true,
  opensStdin: true,
  isReadOnly: true,
  hasInit: true,
  mounts: [
    {
      type: 'volume',
      source: 's',
      target: '/t',
      isReadOnly: true,
      consistency: 'c',
      bind: {
        propagation: 'rprivate',
        isNonRecursive: true,
        createsMountpoint: true,
        isReadOnlyNonRecursive: true,
        isReadOnlyForceRecursive: true,
      },
      volume: { hasNoCopy: true, labels, driver, subpath: 's' },
      tmpfs: { sizeBytes: 1, mode: 1, options: [['noexec']] },
      image: { subpath: 's' },
    },
  ],
  stopSignal: 'SIGTERM',
  stopGracePeriodMs: 1.5,
  healthCheck: {
    test: ['CMD', 'x'],
    intervalMs: 1,
    timeoutMs: 1,
    retries: 1,
    startPeriodMs: 1,
    startIntervalMs: 1,
  },
  hosts: ['1.2.3.4 h'],
  dns: { nameservers: ['1.1.1.1'], search: ['s'], options: ['o'] },
  secrets: [{ secretId: '', secretName: 's', file }],
  configs: [{ configId: '', configName: 'c', file, isRuntime: true }],
  isolation: 'default',
  sysctls: labels,
  capabilityAdd: ['CAP_X'],
  capabilityDrop: ['ALL'],
  ulimits: [{ name: 'n', soft: -1, hard: -1 }],
  oomScoreAdj: -1,
  pullOptions: { registryAuth: 'r' },
};

const update: Full<NonNullable<ServiceSpec['update']>> = {
  parallelism: 0,
  delayMs: 1,
  failureAction: 'rollback',
  monitorMs: 1,
  maxFailureRatio: 0.5,
  order: 'start-first',
  progressDeadlineMs: 1,
  isHeld: true,
};

const affinity = {
  required: [{ service: 'db', topologyKey: 'node.hostname' }],
  preferred: [{ weight: 1, term: { service: 'db', topologyKey: 'zone' } }],
};

const network = { target: 'n', aliases: ['a'], driverOptions: labels, addresses: ['1.2.3.4'] };

const service: Full<Omit<ServiceSpec, 'mode' | 'task'>> & {
  mode: ServiceSpec['mode'];
  task: Full<Omit<ServiceSpec['task'], 'resources'>> & {
    resources: ServiceSpec['task']['resources'];
  };
} = {
  mode: { type: 'replicated', replicas: 2 },
  task: {
    runtime: 'container',
    container,
    plugin: {
      name: 'n',
      remote: 'r',
      isDisabled: true,
      privileges: [{ name: 'n', description: 'd', values: ['v'] }],
      env: ['A=1'],
    },
    attachment: { containerId: 'c' },
    resources: {
      limits: { cpuNanos: 1, memoryBytes: 1, pids: 1 },
      reservations: {
        cpuNanos: 1,
        memoryBytes: 1,
        generic: [
          { kind: 'gpu', count: 1 },
          { kind: 'fpga', ids: ['a'] },
        ],
        devices: [{ kind: 'gpu', count: 1, milli: 500, models: ['T4'] }],
      },
      swapBytes: -1,
      memorySwappiness: 1,
    },
    restartPolicy: { condition: 'any', delayMs: 1, maxAttempts: 0, windowMs: 1 },
    placement: {
      constraints: ['node.role == worker'],
      preferences: [{ spread: 'node.labels.z' }],
      maxReplicasPerNode: 1,
      platforms: [{ os: 'linux', architecture: 'amd64' }],
      nodeAffinity: {
        required: [{ match: [{ key: 'zone', operator: 'In', values: ['a'] }] }],
        preferred: [{ weight: 5, term: { match: [{ key: 'n', operator: 'Gt', values: ['3'] }] } }],
      },
      serviceAffinity: affinity,
      serviceAntiAffinity: affinity,
      tolerations: [{ key: 'k', operator: 'Equal', value: 'v', effect: 'NoSchedule' }],
      topologySpread: [{ topologyKey: 'zone', maxSkew: 1, otherwise: 'prefer' }],
      priority: -1,
    },
    networks: [network],
    logDriver: driver,
    forceUpdate: 1,
  },
  update,
  rollback: update,
  endpoint: {
    mode: 'vip',
    ports: [
      { name: 'p', protocol: 'tcp', targetPort: 80, publishedPort: 8080, publishMode: 'ingress' },
    ],
    weights: [{ specVersion: 1, label: { key: 'k', value: 'v' }, weight: 1 }],
    algorithm: 'maglev',
    affinity: { type: 'client-ip', timeoutMs: 1 },
    isLocalOnly: true,
    slowStartMs: 1,
  },
  networks: [network],
};

const networkSpec: Full<NetworkSpec> = {
  driver,
  isInternal: true,
  isAttachable: true,
  isIngress: false,
  enablesIpv4: true,
  enablesIpv6: true,
  ipam: {
    driver: 'default',
    options: labels,
    configs: [
      {
        subnet: '10.1.0.0/16',
        ipRange: '10.1.1.0/24',
        gateway: '10.1.0.1',
        auxiliaryAddresses: { r: '10.1.0.2' },
      },
    ],
  },
  scope: 'swarm',
  isConfigOnly: false,
  configFrom: 'x',
};

const volume: Full<VolumeSpec> = {
  group: 'g',
  driver,
  access: { scope: 'multi', sharing: 'all', type: 'mount', fsType: 'ext4', mountFlags: ['ro'] },
  availability: 'active',
  secrets: labels,
  capacity: { requiredBytes: 1, limitBytes: 2 },
  accessibility: { requisite: [labels], preferred: [labels] },
};

const secret: Full<SecretSpec> = { data: 'aGk=', driver, templating: driver };
const config: Full<ConfigSpec> = { data: 'aGk=', templating: driver };

const node: Full<Omit<NodeSpec, 'description'>> & Pick<NodeSpec, 'description'> = {
  role: 'manager',
  availability: 'drain',
  description: {
    hostname: 'h',
    platform: { os: 'linux', architecture: 'arm64' },
    resources: {
      cpuNanos: 1,
      memoryBytes: 1,
      generic: [{ kind: 'gpu', count: 2 }],
      devices: [{ kind: 'gpu', model: 'T4', capacityMilli: 1_000 }],
    },
    engine: { version: '1', labels, plugins: [{ type: 'Volume', name: 'local' }] },
    topology: labels,
    images: [{ names: ['nginx:1'], sizeBytes: 1 }],
  },
  taints: [{ key: 'k', value: 'v', effect: 'NoExecute' }],
};

const cluster: Full<ClusterSpec> = {
  taskHistoryLimit: -1,
  heartbeatPeriodMs: 1,
  heartbeatGrace: 3,
  orphanAfterMs: 1,
  addressPools: ['10.0.0.0/8'],
  subnetPrefix: 24,
  dataPathPort: 4789,
  dataplane: 'nftables',
  dynamicPorts: { first: 30_000, last: 32_767 },
  dnsTtlMs: 1,
  drainTimeoutMs: 1,
  logDriver: driver,
};

const SPECS: Readonly<Record<string, unknown>> = {
  Cluster: cluster,
  Config: config,
  Network: networkSpec,
  Node: node,
  Secret: secret,
  Service: service,
  Volume: volume,
};

describe('the schemas of the built-in kinds', () => {
  it('are there for every kind that is written by users', () => {
    expect(MANIFEST_KINDS.map(({ name }) => name)).toEqual(Object.keys(SPECS).sort());
  });

  it.each(MANIFEST_KINDS.map((kind) => [kind.name, kind] as const))(
    'take every field of %s, and no other',
    (name, kind) => {
      const validate = kind.schema?.['~standard'].validate;
      expect(validate?.(SPECS[name])).toEqual({ value: SPECS[name] });
      expect(validate?.({ ...(SPECS[name] as object), extra: 1 })).toHaveProperty('issues');
    },
  );

  it.each(['global', 'global-job', 'replicated-job'] as const)('know the mode %s', (type) => {
    const kind = MANIFEST_KINDS.find(({ name }) => name === 'Service');
    const spec = { mode: { type }, task: {} };
    expect(kind?.schema?.['~standard'].validate(spec)).toEqual({ value: spec });
  });

  it('fill in what a node may leave out', () => {
    const kind = MANIFEST_KINDS.find(({ name }) => name === 'Node');
    expect(kind?.schema?.['~standard'].validate({})).toEqual({
      value: { role: 'worker', availability: 'active' },
    });
  });

  it('can be shown as JSON Schema', () => {
    expect(toJsonSchema('manifest')).toHaveProperty('oneOf');
    expect(z.toJSONSchema(z.any())).toBeDefined();
  });
});
