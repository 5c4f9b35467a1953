import { describe, expect, it } from '@jest/globals';
import { Service, Task, newObject, type EndpointSpec, type ServiceSpec } from '@skep/api';
import { backendOf, serviceAliases, weightOf } from './backend.js';

const SINCE = 1_000;

const service = (endpoint: EndpointSpec, spec: Partial<ServiceSpec> = {}): Service =>
  newObject(Service, { id: 's', name: 'web', spec: { task: {}, endpoint, ...spec } });

const task = (input: { hostname?: string; addresses?: string[]; label?: string } = {}): Task =>
  newObject(Task, {
    id: 't',
    labels: { part: input.label ?? 'stable' },
    spec: {
      serviceId: 's',
      serviceName: 'web',
      slot: 2,
      desiredState: 'running',
      specVersion: 7,
      template: {
        container: {
          image: 'web',
          labels: { team: 'blue' },
          ...(input.hostname === undefined ? {} : { hostname: input.hostname }),
        },
      },
      cause: 'scale',
    },
    status: {
      state: 'running',
      timestamp: SINCE,
      appliedAt: SINCE,
      runningAt: SINCE,
      message: '',
      nodeId: 'n',
      container: { containerId: '0123456789abcdef' },
    },
  });

describe('weightOf', () => {
  it.each<[string, EndpointSpec, number]>([
    ['nothing said', {}, 1],
    ['its generation', { weights: [{ specVersion: 7, weight: 9 }] }, 9],
    ['another generation', { weights: [{ specVersion: 6, weight: 9 }] }, 1],
    [
      'a label of the task',
      { weights: [{ label: { key: 'part', value: 'stable' }, weight: 0 }] },
      0,
    ],
    [
      'a label of the container',
      { weights: [{ label: { key: 'team', value: 'blue' }, weight: 3 }] },
      3,
    ],
    [
      'both said, one wrong',
      { weights: [{ specVersion: 7, label: { key: 'part', value: 'canary' }, weight: 5 }] },
      1,
    ],
    [
      'the first that fits',
      {
        weights: [
          { specVersion: 6, weight: 2 },
          { specVersion: 7, weight: 4 },
          { specVersion: 7, weight: 8 },
        ],
      },
      4,
    ],
    ['an entry for nobody', { weights: [{ weight: 5 }] }, 1],
  ])('%s', (_, endpoint, weight) => {
    expect(weightOf(service(endpoint), task(), 5_000)).toEqual({ weight });
  });

  it('rises in steps with slow start, and says when the next one is', () => {
    const slow = service({ weights: [{ specVersion: 7, weight: 5 }], slowStartMs: 1_000 });
    const at = (ms: number) => weightOf(slow, task(), SINCE + ms);
    expect(at(0)).toEqual({ weight: 1, changesAt: SINCE + 100 });
    expect(at(100)).toEqual({ weight: 5, changesAt: SINCE + 200 });
    expect(at(999)).toEqual({ weight: 45, changesAt: SINCE + 1_000 });
    expect(at(1_000)).toEqual({ weight: 50 });
    const large = service({ weights: [{ specVersion: 7, weight: 1_000 }], slowStartMs: 1_000 });
    expect(weightOf(large, task(), SINCE + 100)).toEqual({
      weight: 1_000,
      changesAt: SINCE + 200,
    });
  });

  it('rises with slow start though nothing is said about weights', () => {
    const slow = service({ slowStartMs: 1_000 });
    expect(weightOf(slow, task(), SINCE)).toEqual({ weight: 1, changesAt: SINCE + 112 });
    expect(weightOf(slow, task(), SINCE + 1_000)).toEqual({ weight: 10 });
    const drained = service({ slowStartMs: 1_000, weights: [{ specVersion: 7, weight: 0 }] });
    expect(weightOf(drained, task(), SINCE)).toEqual({ weight: 0 });
  });
});

describe('backendOf', () => {
  const make = (input: { hostname?: string; addresses?: string[] }) =>
    backendOf({
      task: task(input),
      network: {
        networkId: 'net',
        addresses: input.addresses ?? ['10.0.1.3/24'],
        aliases: ['db', 'own'],
      },
      state: 'serving',
      weight: 1,
      serviceAliases: ['db'],
    });

  it('names the task, its place and its addresses without a prefix', () => {
    expect(make({})).toEqual({
      taskId: 't',
      taskName: 'web.2.t',
      nodeId: 'n',
      address: '10.0.1.3',
      weight: 1,
      state: 'serving',
      aliases: ['0123456789ab', 'own'],
    });
    const dual = make({ addresses: ['fd00::3/64', '10.0.1.3/24'] });
    expect([dual.address, dual.address6]).toEqual(['10.0.1.3', 'fd00::3']);
    expect(make({ addresses: ['fd00::3/64'] }).address).toBe('fd00::3');
  });

  it('takes a hostname as a name unless only the node can expand it', () => {
    expect(make({ hostname: 'box' }).aliases).toEqual(['0123456789ab', 'box', 'own']);
    expect(make({ hostname: 'box-{{.Task.Slot}}' }).aliases).toEqual(['0123456789ab', 'own']);
  });
});

describe('serviceAliases', () => {
  it('takes those of the attachment, by id or name', () => {
    const networks = [
      { target: 'front', aliases: ['a'] },
      { target: 'id2', aliases: ['b'] },
    ];
    const both = service({}, { task: { networks } });
    expect(serviceAliases(both, { id: 'id1', name: 'front' })).toEqual(['a']);
    expect(serviceAliases(both, { id: 'id2', name: 'back' })).toEqual(['b']);
    expect(serviceAliases(both, { id: 'id3' })).toEqual([]);
  });
});
