import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fromDockerApi, toDockerApi, type DockerObject } from './codec.js';
import type { DockerRequest, DockerServiceBody } from './types.js';

const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,6}$/);
const words = fc.array(word, { minLength: 1, maxLength: 3 });
const map = fc.dictionary(word, word, { minKeys: 1, maxKeys: 3 });
const nanos = fc.integer({ min: 1, max: 1_000_000 }).map((ms) => ms * 1_000_000);
const positive = fc.integer({ min: 1, max: 1_000_000 });

/** Any subset of the fields. */
function some<T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) {
  return fc.record(fields, { requiredKeys: [] });
}

/** Like {@link some}, but never without a field: what is empty is left out by the client. */
function filled<T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) {
  return some(fields).filter((value) => Object.keys(value).length > 0);
}

const fileTarget = fc.record({ Name: word, UID: word, GID: word, Mode: positive });

const mount = fc.oneof(
  fc.record({
    Type: fc.constant('volume'),
    Target: word,
    Source: word,
    VolumeOptions: some({
      NoCopy: fc.constant(true),
      Labels: map,
      Subpath: word,
      DriverConfig: some({ Name: word, Options: map }),
    }),
  }),
  fc.record({
    Type: fc.constant('bind'),
    Target: word,
    Source: word,
    ReadOnly: fc.constant(true),
    BindOptions: some({
      Propagation: word,
      NonRecursive: fc.constant(true),
      CreateMountpoint: fc.constant(true),
    }),
  }),
  fc.record({
    Type: fc.constant('tmpfs'),
    Target: word,
    TmpfsOptions: some({
      SizeBytes: positive,
      Mode: positive,
      Options: fc.array(words, { minLength: 1 }),
    }),
  }),
  fc.record({
    Type: fc.constant('cluster'),
    Target: word,
    Source: word,
    ClusterOptions: fc.constant({}),
  }),
  fc.record({ Type: fc.constant('image'), Target: word, ImageOptions: some({ Subpath: word }) }),
);

const privileges = fc.record(
  {
    CredentialSpec: fc.oneof(
      fc.constant(null),
      fc.record({ Config: word, File: word, Registry: word }),
    ),
    SELinuxContext: fc.oneof(
      fc.constant(null),
      fc.record({ Disable: fc.boolean(), User: word, Role: word, Type: word, Level: word }),
    ),
    Seccomp: fc.record({ Mode: word, Profile: word }),
    AppArmor: fc.record({ Mode: word }),
    NoNewPrivileges: fc.boolean(),
  },
  { requiredKeys: ['CredentialSpec', 'SELinuxContext', 'NoNewPrivileges'] },
);

const container = fc.record(
  {
    Image: word,
    Labels: map,
    Command: words,
    Args: words,
    Hostname: word,
    Env: words,
    Dir: word,
    User: word,
    Groups: words,
    Privileges: privileges,
    Init: fc.boolean(),
    StopSignal: word,
    TTY: fc.constant(true),
    OpenStdin: fc.constant(true),
    ReadOnly: fc.constant(true),
    Mounts: fc.array(mount, { minLength: 1, maxLength: 3 }),
    StopGracePeriod: fc.oneof(fc.constant(0), nanos),
    Healthcheck: some({
      Test: words,
      Interval: nanos,
      Timeout: nanos,
      StartPeriod: nanos,
      StartInterval: nanos,
      Retries: positive,
    }),
    Hosts: words,
    DNSConfig: some({ Nameservers: words, Search: words, Options: words }),
    Secrets: fc.array(fc.record({ File: fileTarget, SecretID: word, SecretName: word }), {
      minLength: 1,
    }),
    Configs: fc.array(
      fc.oneof(
        fc.record({ File: fileTarget, ConfigID: word, ConfigName: word }),
        fc.record({ Runtime: fc.constant({}), ConfigID: word, ConfigName: word }),
      ),
      { minLength: 1 },
    ),
    Isolation: word,
    Sysctls: map,
    CapabilityAdd: words,
    CapabilityDrop: words,
    Ulimits: fc.array(fc.record({ Name: word, Hard: positive, Soft: positive }), { minLength: 1 }),
    OomScoreAdj: positive,
  },
  { requiredKeys: ['Image', 'Privileges'] },
);

const update = fc.record(
  {
    Parallelism: fc.nat(9),
    Delay: nanos,
    FailureAction: fc.constantFrom('pause', 'continue', 'rollback'),
    Monitor: nanos,
    MaxFailureRatio: fc.constantFrom(0, 0.1, 0.25, 1),
    Order: fc.constantFrom('', 'start-first', 'stop-first'),
  },
  { requiredKeys: ['Parallelism', 'MaxFailureRatio', 'Order'] },
);

const attachment = fc.record(
  { Target: word, Aliases: words, DriverOpts: map },
  { requiredKeys: ['Target'] },
);

const generic = fc.oneof(
  fc.record({ DiscreteResourceSpec: fc.record({ Kind: word, Value: positive }) }),
  fc.record({ NamedResourceSpec: fc.record({ Kind: word, Value: word }) }),
);

const service = fc.record(
  {
    Name: word,
    Labels: map,
    TaskTemplate: fc.record(
      {
        ContainerSpec: container,
        Resources: some({
          Limits: some({ NanoCPUs: positive, MemoryBytes: positive, Pids: positive }),
          Reservations: some({
            NanoCPUs: positive,
            MemoryBytes: positive,
            GenericResources: fc.array(generic, { minLength: 1 }),
          }),
          SwapBytes: positive,
          MemorySwappiness: positive,
        }),
        RestartPolicy: some({
          Condition: fc.constantFrom('any', 'none', 'on-failure'),
          Delay: nanos,
          MaxAttempts: fc.nat(9),
          Window: nanos,
        }),
        Placement: some({
          Constraints: words,
          Preferences: fc.array(fc.record({ Spread: fc.record({ SpreadDescriptor: word }) }), {
            minLength: 1,
          }),
          MaxReplicas: positive,
          Platforms: fc.array(filled({ Architecture: word, OS: word }), { minLength: 1 }),
        }),
        Networks: fc.array(attachment, { maxLength: 3 }),
        LogDriver: some({ Name: word, Options: map }),
        ForceUpdate: fc.nat(9),
        Runtime: fc.constantFrom('container', 'plugin', 'attachment'),
      },
      { requiredKeys: ['ContainerSpec', 'Resources', 'Placement', 'ForceUpdate'] },
    ),
    Mode: fc.oneof(
      fc.record({ Replicated: some({ Replicas: fc.nat(9) }) }),
      fc.record({ Global: fc.constant({}) }),
      fc.record({ GlobalJob: fc.constant({}) }),
      fc.record({ ReplicatedJob: some({ MaxConcurrent: positive, TotalCompletions: positive }) }),
    ),
    UpdateConfig: update,
    RollbackConfig: update,
    Networks: fc.array(attachment, { minLength: 1, maxLength: 2 }),
    EndpointSpec: some({
      Mode: fc.constantFrom('vip', 'dnsrr'),
      Ports: fc.array(
        fc.record(
          {
            Name: word,
            Protocol: fc.constantFrom('tcp', 'udp', 'sctp'),
            TargetPort: positive,
            PublishedPort: positive,
            PublishMode: fc.constantFrom('ingress', 'host'),
          },
          { requiredKeys: ['TargetPort'] },
        ),
        { minLength: 1, maxLength: 3 },
      ),
    }),
  },
  { requiredKeys: ['Name', 'Labels', 'TaskTemplate', 'Mode', 'EndpointSpec'] },
);

const network = fc.record(
  {
    Driver: word,
    Scope: fc.constantFrom('', 'swarm'),
    EnableIPv4: fc.boolean(),
    EnableIPv6: fc.boolean(),
    IPAM: fc.oneof(
      fc.constant(null),
      fc.record({
        Driver: fc.oneof(fc.constant(''), word),
        Options: fc.oneof(fc.constant(null), map),
        Config: fc.oneof(
          fc.constant(null),
          fc.array(filled({ Subnet: word, IPRange: word, Gateway: word, AuxiliaryAddresses: map })),
        ),
      }),
    ),
    Internal: fc.boolean(),
    Attachable: fc.boolean(),
    Ingress: fc.boolean(),
    ConfigOnly: fc.boolean(),
    ConfigFrom: fc.oneof(fc.constant(null), fc.record({ Network: word })),
    Options: fc.oneof(fc.constant(null), fc.constant({}), map),
    Labels: map,
    Name: word,
  },
  {
    requiredKeys: [
      'Driver',
      'Scope',
      'IPAM',
      'Internal',
      'Attachable',
      'Ingress',
      'ConfigOnly',
      'ConfigFrom',
      'Options',
      'Labels',
      'Name',
    ],
  },
);

const fileObject = fc.record(
  { Name: word, Labels: map, Data: word, Templating: fc.record({ Name: word, Options: map }) },
  { requiredKeys: ['Name', 'Labels'] },
);

const topology = fc.array(fc.record({ Segments: map }), { minLength: 1, maxLength: 2 });

const volume = fc.record(
  {
    Name: word,
    Driver: word,
    DriverOpts: map,
    Labels: map,
    ClusterVolumeSpec: fc.record(
      {
        Group: word,
        AccessMode: fc
          .tuple(
            fc.constantFrom('single', 'multi'),
            fc.constantFrom('none', 'readonly', 'onewriter', 'all'),
            fc.oneof(
              fc.record({ BlockVolume: fc.constant({}) }),
              fc.record({ MountVolume: some({ FsType: word, MountFlags: words }) }),
            ),
          )
          .map(([Scope, Sharing, use]) => ({ Scope, Sharing, ...use })),
        AccessibilityRequirements: some({ Requisite: topology, Preferred: topology }),
        CapacityRange: some({ RequiredBytes: positive, LimitBytes: positive }),
        Secrets: fc.uniqueArray(fc.record({ Key: word, Secret: word }), {
          minLength: 1,
          maxLength: 2,
          selector: ({ Key }) => Key,
        }),
        Availability: fc.constantFrom('active', 'pause', 'drain'),
      },
      { requiredKeys: ['AccessMode'] },
    ),
  },
  { requiredKeys: ['Name', 'Driver', 'ClusterVolumeSpec'] },
);

const request: fc.Arbitrary<DockerRequest> = fc.oneof(
  service.map((body): DockerRequest => ({ method: 'POST', path: '/services/create', body })),
  network.map((body): DockerRequest => ({ method: 'POST', path: '/networks/create', body })),
  fileObject.map((body): DockerRequest => ({ method: 'POST', path: '/configs/create', body })),
  fc
    .tuple(fileObject, some({ Driver: fc.record({ Name: word, Options: map }) }))
    .map(([body, driver]): DockerRequest => ({
      method: 'POST',
      path: '/secrets/create',
      body: { ...body, ...driver },
    })),
  volume.map((body): DockerRequest => ({ method: 'POST', path: '/volumes/create', body })),
);

describe('fromDockerApi and toDockerApi', () => {
  it('give every request back', () => {
    fc.assert(
      fc.property(request, (original) => {
        expect(toDockerApi([fromDockerApi(original)])).toEqual([original]);
      }),
      { numRuns: 150, seed: 11 },
    );
  });

  it('give every object back', () => {
    fc.assert(
      fc.property(request, (original) => {
        const object = fromDockerApi(original);
        const [sent] = toDockerApi([object]);
        expect(sent && fromDockerApi(sent)).toEqual(object);
      }),
      { numRuns: 100, seed: 12 },
    );
  });

  it('sort requests by path, then name', () => {
    const objects: DockerObject[] = [
      { kind: 'Secret', name: 'b', labels: {}, spec: {} },
      { kind: 'Network', name: 'z', labels: {}, spec: {} },
      { kind: 'Secret', name: 'a', labels: {}, spec: {} },
    ];
    expect(toDockerApi(objects).map(({ path, body }) => `${path} ${body.Name}`)).toEqual([
      '/networks/create z',
      '/secrets/create a',
      '/secrets/create b',
    ]);
  });

  it('read plugins and stand-alone attachments', () => {
    const body: DockerServiceBody = {
      Name: 'p',
      Labels: null,
      TaskTemplate: {
        PluginSpec: {
          Name: 'n',
          Remote: 'r',
          Disabled: true,
          PluginPrivilege: [{ Name: 'a', Description: 'b', Value: ['c'] }],
          Env: ['X=1'],
        },
        NetworkAttachmentSpec: { ContainerID: 'c' },
        ForceUpdate: 3,
      },
      Mode: {},
    };
    const object = fromDockerApi({ method: 'POST', path: '/services/create', body });
    expect(object).toEqual({
      kind: 'Service',
      name: 'p',
      labels: {},
      spec: {
        task: {
          plugin: {
            name: 'n',
            remote: 'r',
            isDisabled: true,
            privileges: [{ name: 'a', description: 'b', values: ['c'] }],
            env: ['X=1'],
          },
          attachment: { containerId: 'c' },
          forceUpdate: 3,
        },
      },
    });
    expect(toDockerApi([object])[0]?.body).toMatchObject({
      TaskTemplate: {
        PluginSpec: body.TaskTemplate.PluginSpec,
        NetworkAttachmentSpec: { ContainerID: 'c' },
        ForceUpdate: 3,
      },
    });
  });

  it('keep fractions of milliseconds', () => {
    const body: DockerServiceBody = {
      Name: 'x',
      Labels: {},
      TaskTemplate: { RestartPolicy: { Delay: 1_500_000, Window: 1 }, ForceUpdate: 0 },
      Mode: {},
    };
    const object = fromDockerApi({ method: 'POST', path: '/services/create', body });
    expect(object.spec).toMatchObject({
      task: { restartPolicy: { delayMs: 1.5, windowMs: 0.000001 } },
    });
    expect(toDockerApi([object])[0]?.body).toMatchObject({
      TaskTemplate: { RestartPolicy: { Delay: 1_500_000, Window: 1 } },
    });
  });
});
