import { describe, expect, it } from '@jest/globals';
import type { AssignedTask, ContainerSpec } from '@skep/api';
import { CONTEXT, taskOf } from '../__fixtures__/tasks.js';
import { containerConfig, LABELS, type ContainerPlace } from './container-config.js';
import { engineLogLines } from './docker-logs.js';
import { engineError } from './engine-errors.js';

const PLACE: ContainerPlace = {
  cluster: 'c1',
  node: 'node1',
  networkMode: 'none',
  nameserver: undefined,
  files: [],
  environment: { FROM_HOST: 'here' },
};

function config(
  container: Partial<ContainerSpec>,
  place: Partial<ContainerPlace> = {},
  change: Partial<AssignedTask> = {},
) {
  return containerConfig(taskOf('t1', container, change), CONTEXT, { ...PLACE, ...place });
}

describe('containerConfig', () => {
  it('says no more than the task does', () => {
    expect(config({})).toEqual({
      name: 'web.1.t1',
      Image: 'web',
      Env: [],
      Tty: false,
      OpenStdin: false,
      StopTimeout: 10,
      ExposedPorts: {},
      Labels: {
        [LABELS.cluster]: 'c1',
        [LABELS.node]: 'node1',
        [LABELS.task]: 't1',
        [LABELS.taskName]: 'web.1.t1',
        [LABELS.serviceName]: 'web',
        [LABELS.serviceId]: 's1',
      },
      HostConfig: {
        NetworkMode: 'none',
        RestartPolicy: { Name: 'no' },
        Mounts: [],
        PortBindings: {},
        SecurityOpt: [],
      },
    });
  });

  it('translates what a container is', () => {
    const said = config({
      command: ['entry'],
      args: ['a', 'b'],
      env: ['A={{.Task.Slot}}', 'FROM_HOST', 'GONE'],
      hostname: 'h-{{.Task.Slot}}',
      labels: { own: 'label', [LABELS.task]: 'forged' },
      stopSignal: 'SIGQUIT',
      stopGracePeriodMs: 1_500,
      healthCheck: { test: ['CMD', 'x'], intervalMs: 1_500, retries: 2, startIntervalMs: 10 },
    });
    expect(said).toMatchObject({
      Entrypoint: ['entry'],
      Cmd: ['a', 'b'],
      Env: ['A=1', 'FROM_HOST=here', 'GONE'],
      Hostname: 'h-1',
      StopSignal: 'SIGQUIT',
      StopTimeout: 2,
      Healthcheck: { Test: ['CMD', 'x'], Interval: 1.5e9, StartInterval: 1e7, Retries: 2 },
    });
    expect(said.Labels).toMatchObject({ own: 'label', [LABELS.task]: 't1' });
  });

  it('translates what the host gives it', () => {
    const resources = {
      limits: { memoryBytes: 1_000, cpuNanos: 5e8, pids: 7 },
      reservations: { memoryBytes: 500 },
      swapBytes: 200,
      memorySwappiness: 10,
    };
    const task = taskOf('t1', {
      capabilityAdd: ['NET_ADMIN'],
      sysctls: { 'net.core.somaxconn': '1' },
      ulimits: [{ name: 'nofile', soft: 1, hard: 2 }],
      hosts: ['10.0.0.1 a b'],
      dns: { search: ['example.org'] },
      privileges: { hasNoNewPrivileges: true, seccomp: { mode: 'unconfined' } },
      hasInit: true,
      isReadOnly: true,
      groups: ['50'],
    });
    const logDriver = { name: 'local', options: { 'max-size': '1m' } };
    const said = containerConfig(
      { ...task, template: { ...task.template, resources, logDriver } },
      CONTEXT,
      { ...PLACE, nameserver: '127.0.0.11' },
    );
    expect(said.HostConfig).toMatchObject({
      Memory: 1_000,
      MemorySwap: 1_200,
      MemoryReservation: 500,
      MemorySwappiness: 10,
      NanoCpus: 5e8,
      PidsLimit: 7,
      CapAdd: ['NET_ADMIN'],
      Sysctls: { 'net.core.somaxconn': '1' },
      Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
      ExtraHosts: ['a:10.0.0.1', 'b:10.0.0.1'],
      Dns: ['127.0.0.11'],
      DnsSearch: ['example.org'],
      DnsOptions: ['ndots:0'],
      SecurityOpt: ['no-new-privileges', 'seccomp=unconfined'],
      Init: true,
      ReadonlyRootfs: true,
      GroupAdd: ['50'],
      LogConfig: { Type: 'local', Config: { 'max-size': '1m' } },
    });
  });

  it('translates mounts, and binds files read-only', () => {
    const said = config(
      {
        mounts: [
          {
            type: 'bind',
            source: '/a',
            target: '/b',
            isReadOnly: true,
            bind: { propagation: 'rslave' },
          },
          { type: 'volume', source: 'v-{{.Task.Slot}}', target: '/v', volume: { hasNoCopy: true } },
          { type: 'tmpfs', target: '/t', tmpfs: { sizeBytes: 5, mode: 0o700 } },
        ],
      },
      { files: [{ source: '/state/0', target: '/run/secrets/key' }] },
    );
    expect(said.HostConfig?.Mounts).toEqual([
      {
        Type: 'bind',
        Source: '/a',
        Target: '/b',
        ReadOnly: true,
        BindOptions: { Propagation: 'rslave' },
      },
      { Type: 'volume', Source: 'v-1', Target: '/v', VolumeOptions: { NoCopy: true } },
      { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 5, Mode: 0o700 } },
      { Type: 'bind', Source: '/state/0', Target: '/run/secrets/key', ReadOnly: true },
    ]);
  });

  it('binds ports of the host where the engine makes the network', () => {
    const port = { name: '', protocol: 'tcp', targetPort: 80, publishedPort: 0 } as const;
    const ports = [
      { ...port, publishMode: 'host' as const },
      { ...port, targetPort: 81, publishedPort: 8081, publishMode: 'host' as const },
      { ...port, targetPort: 82, publishMode: 'ingress' as const },
    ];
    const bindings = (networkMode: string) =>
      config({}, { networkMode }, { ports }).HostConfig?.PortBindings as unknown;
    expect(bindings('bridge')).toEqual({
      '80/tcp': [{ HostPort: '' }],
      '81/tcp': [{ HostPort: '8081' }],
    });
    expect(bindings('none')).toEqual({});
  });

  it('keeps the engine out of a network of ours, and binds the files for names', () => {
    const nameFiles = ['hosts', 'resolv.conf'].map((name) => ({
      source: `/state/${name}`,
      target: `/etc/${name}`,
    }));
    const container = { hosts: ['10.0.0.1 a'], dns: { search: ['example.org'] }, isReadOnly: true };
    const place = { nameserver: '127.0.0.11', nameFiles };
    const said = config(container, place);
    expect(said.NetworkDisabled).toBe(true);
    expect(said.HostConfig).not.toHaveProperty('Dns');
    expect(said.HostConfig).not.toHaveProperty('ExtraHosts');
    expect(said.HostConfig?.Mounts).toEqual([
      { Type: 'bind', Source: '/state/hosts', Target: '/etc/hosts', ReadOnly: true },
      { Type: 'bind', Source: '/state/resolv.conf', Target: '/etc/resolv.conf', ReadOnly: true },
    ]);
    const own = { type: 'bind', source: '/mine', target: '/etc/hosts' } as const;
    const targets = config({ mounts: [own] }, place).HostConfig?.Mounts?.map(
      ({ Source, Target }) => [Source, Target],
    );
    expect(targets).toEqual([
      ['/mine', '/etc/hosts'],
      ['/state/resolv.conf', '/etc/resolv.conf'],
    ]);
  });

  it('refuses what the engine has no word for', () => {
    expect(() => config({ mounts: [{ type: 'cluster', target: '/x' }] })).toThrow('/x');
    expect(() => config({}, {}, { template: { runtime: 'plugin' } })).toThrow("'plugin'");
  });
});

describe('engineLogLines', () => {
  const framed = (stream: number, text: string): Buffer => {
    const header = Buffer.alloc(8);
    header[0] = stream;
    header.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };
  const STAMP = '2026-11-23T12:00:00.500000000Z';
  async function linesOf(pieces: readonly Buffer[], hasTty = false) {
    async function* given(): AsyncGenerator<Buffer> {
      await Promise.resolve();
      yield* pieces;
    }
    const lines = [];
    for await (const line of engineLogLines(given(), hasTty)) lines.push(line);
    return lines;
  }

  it('are the same however the stream is cut', async () => {
    const whole = Buffer.concat([
      framed(1, `${STAMP} out\n${STAMP} `),
      framed(2, `${STAMP} err\n`),
    ]);
    const time = Date.parse('2026-11-23T12:00:00.500Z');
    const expected = [
      { time, stream: 'stdout', text: 'out' },
      { time, stream: 'stderr', text: 'err' },
      { time, stream: 'stdout', text: '' },
    ];
    for (let at = 0; at <= whole.length; at++) {
      expect(await linesOf([whole.subarray(0, at), whole.subarray(at)])).toEqual(expected);
    }
  });

  it('have no headers with a terminal', async () => {
    const lines = await linesOf([Buffer.from(`${STAMP} a\r\n${STAMP} b`)], true);
    expect(lines.map(({ text }) => text)).toEqual(['a', 'b']);
  });
});

describe('engineError', () => {
  it.each([
    [undefined, 'unavailable'],
    [503, 'unavailable'],
    [404, 'not-found'],
    [400, 'invalid-argument'],
    [500, 'failed-precondition'],
  ])('of status %p is %p', (statusCode, code) => {
    const thrown = Object.assign(new Error('said'), statusCode === undefined ? {} : { statusCode });
    expect(engineError(thrown, 'start')).toMatchObject({ code });
    expect(engineError(thrown, 'start').message).toContain('said');
  });
});
