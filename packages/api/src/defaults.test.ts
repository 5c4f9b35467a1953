import { describe, expect, it } from '@jest/globals';
import {
  CLUSTER_DEFAULTS,
  clusterSettings,
  endpointMode,
  isGlobal,
  isJob,
  jobSize,
  restartPolicy,
  serviceMode,
  serviceNetworks,
  stopGracePeriodMs,
  updateSettings,
  wantedReplicas,
} from './defaults.js';
import type { ServiceMode, ServiceSpec } from './service.js';

const MODES = ['replicated', 'global', 'replicated-job', 'global-job'] as const;

describe('clusterSettings', () => {
  it('is what Swarm has, where nothing is set', () => {
    expect(clusterSettings(undefined)).toEqual({
      taskHistoryLimit: 5,
      heartbeatPeriodMs: 5_000,
      heartbeatGrace: 3,
      orphanAfterMs: 86_400_000,
      addressPools: ['10.0.0.0/8'],
      subnetPrefix: 24,
      dataPathPort: 4_789,
      dataplane: 'ipvs',
      dynamicPorts: { first: 30_000, last: 32_767 },
      dnsTtlMs: 5_000,
      drainTimeoutMs: 10_000,
    });
    expect(clusterSettings({})).toEqual(CLUSTER_DEFAULTS);
  });

  it('takes every field that is set, 0 and empty lists too, and passes on the log driver', () => {
    const spec = {
      taskHistoryLimit: 0,
      dnsTtlMs: 0,
      addressPools: [],
      logDriver: { name: 'local' },
    };
    expect(clusterSettings(spec)).toEqual({ ...CLUSTER_DEFAULTS, ...spec });
  });

  it('takes a field that is present but undefined for one that is not set', () => {
    // Values from JavaScript, or spread together, may hold such fields.
    const spec = { heartbeatGrace: undefined } as unknown as { heartbeatGrace: number };
    expect(clusterSettings(spec).heartbeatGrace).toBe(3);
  });

  it('cannot be changed for everybody by somebody', () => {
    expect(Object.isFrozen(CLUSTER_DEFAULTS)).toBe(true);
    expect(Object.isFrozen(CLUSTER_DEFAULTS.addressPools)).toBe(true);
    expect(Object.isFrozen(CLUSTER_DEFAULTS.dynamicPorts)).toBe(true);
  });
});

describe('settings of a service', () => {
  it('restarts whatever ends, after 5 s, without limit', () => {
    const defaults = { condition: 'any', delayMs: 5_000, maxAttempts: 0, windowMs: 0 };
    expect(restartPolicy({})).toEqual(defaults);
    expect(restartPolicy({ restartPolicy: {} })).toEqual(defaults);
    expect(restartPolicy({ restartPolicy: { condition: 'none', delayMs: 0 } })).toEqual({
      ...defaults,
      condition: 'none',
      delayMs: 0,
    });
  });

  it('updates one slot at a time, stop-first, and pauses at the first failure', () => {
    const defaults = {
      parallelism: 1,
      isHeld: false,
      delayMs: 0,
      failureAction: 'pause',
      monitorMs: 5_000,
      maxFailureRatio: 0,
      order: 'stop-first',
    };
    expect(updateSettings(undefined)).toEqual(defaults);
    expect(updateSettings({ order: 'start-first', progressDeadlineMs: 7 })).toEqual({
      ...defaults,
      order: 'start-first',
      progressDeadlineMs: 7,
    });
  });

  it('keeps a parallelism of 0, which means all at once', () => {
    expect(updateSettings({ parallelism: 0 }).parallelism).toBe(0);
  });

  it('waits 10 s between the stop signal and the kill, or as long as it is told to', () => {
    expect(stopGracePeriodMs({})).toBe(10_000);
    expect(stopGracePeriodMs({ container: { image: 'web', stopGracePeriodMs: 0 } })).toBe(0);
  });

  it('is replicated once, by VIP', () => {
    expect(serviceMode({ task: {} })).toEqual({ type: 'replicated' });
    expect(endpointMode(undefined)).toBe('vip');
    expect(endpointMode({})).toBe('vip');
    expect(endpointMode({ mode: 'dnsrr' })).toBe('dnsrr');
  });

  it.each<[ServiceSpec['mode'], number | undefined]>([
    [undefined, 1],
    [{ type: 'replicated' }, 1],
    [{ type: 'replicated', replicas: 0 }, 0],
    [{ type: 'replicated', replicas: 7 }, 7],
    [{ type: 'global' }, undefined],
    [{ type: 'replicated-job', totalCompletions: 3 }, undefined],
  ])('mode %j wants %s replicas', (mode, expected) => {
    expect(wantedReplicas({ task: {}, ...(mode === undefined ? {} : { mode }) })).toBe(expected);
  });

  it.each<[ServiceMode & { type: 'replicated-job' }, number, number]>([
    [{ type: 'replicated-job' }, 1, 1],
    [{ type: 'replicated-job', maxConcurrent: 4 }, 4, 4],
    [{ type: 'replicated-job', totalCompletions: 9 }, 1, 9],
    [{ type: 'replicated-job', maxConcurrent: 2, totalCompletions: 0 }, 2, 0],
  ])('%j runs %i at a time, %i in all', (mode, maxConcurrent, totalCompletions) => {
    expect(jobSize(mode)).toEqual({ maxConcurrent, totalCompletions });
  });

  it('knows jobs and global modes', () => {
    const modes = MODES.map((type): ServiceMode => ({ type }));
    expect(modes.map(isJob)).toEqual([false, false, true, true]);
    expect(modes.map(isGlobal)).toEqual([false, true, false, true]);
  });

  it('takes the networks of the template before those of the service, even if they are none', () => {
    const [own, old] = [[{ target: 'new' }], [{ target: 'old' }]];
    expect(serviceNetworks({ task: {} })).toEqual([]);
    expect(serviceNetworks({ task: {}, networks: old })).toBe(old);
    expect(serviceNetworks({ task: { networks: own }, networks: old })).toBe(own);
    expect(serviceNetworks({ task: { networks: [] }, networks: old })).toEqual([]);
  });
});
