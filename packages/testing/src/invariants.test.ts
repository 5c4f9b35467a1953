import { describe, expect, it } from '@jest/globals';
import { newObject, Task, type StoredObject } from '@skep/api';
import {
  DESCRIPTION,
  endpoint,
  inA,
  network,
  node,
  port,
  reserving,
  service,
  slice,
  SUBNET,
  task,
  taskInA,
  viewOf,
} from './__fixtures__/objects.js';
import { brokenInvariants } from './invariants.js';

describe('brokenInvariants', () => {
  it.each<readonly [string, readonly StoredObject[], readonly string[]]>([
    ['a task without its service', [task('t')], ['task t has no service']],
    [
      'a running task without a node',
      [
        service('web'),
        newObject(Task, {
          ...task('t').meta,
          spec: task('t').spec,
          status: { state: 'running', timestamp: 0, appliedAt: 0, message: '', runningAt: 1 },
        }),
      ],
      ['task t is running without a node'],
    ],
    ['two tasks in a slot', [service('web'), task('t'), task('u')], ['slot web/1 has 2 tasks']],
    [
      'an address of a service and of a task',
      [
        service('web', endpoint({ virtualAddresses: [inA('10.0.0.2/24')] })),
        task('t', taskInA('10.0.0.2/24')),
      ],
      ['address a 10.0.0.2 belongs to service web and to task t'],
    ],
    [
      'an address of a node that is the gateway',
      [network('a', { subnets: [SUBNET] }), node('n1', { networks: [inA('10.0.0.1/24')] })],
      ['address a 10.0.0.1 belongs to the gateway and to node n1'],
    ],
    [
      'an address that is in quarantine',
      [
        network('a', { quarantine: [{ address: '10.0.0.9', until: 5 }] }),
        service('web'),
        task('t', taskInA('10.0.0.9/24')),
      ],
      ['address a 10.0.0.9 belongs to the quarantine and to task t'],
    ],
    [
      'a port of two services',
      [
        service('api', endpoint({ ports: [port(80)] })),
        service('web', endpoint({ ports: [port(80)] })),
      ],
      ['port tcp/80 belongs to api and to web'],
    ],
    [
      'a port that tables may still route to another service',
      [
        service('api', endpoint({ heldPorts: [port(80)] })),
        service('web', endpoint({ ports: [port(80)] })),
      ],
      ['port tcp/80 belongs to api and to web'],
    ],
    [
      'a segment of two networks',
      [
        network('a', { subnets: [SUBNET] }),
        network('b', { subnets: [{ ...SUBNET, subnet: '10.0.1.0/24', gateway: '10.0.1.1' }] }),
      ],
      ['VXLAN id 4097 belongs to a and to b'],
    ],
    [
      'a node over its capacity',
      [
        service('web'),
        node('n1', { description: DESCRIPTION }),
        task('t', {}, reserving(15e8, 60)),
        task('u', {}, { ...reserving(15e8, 60), slot: 2 }),
      ],
      ['n1 is over its cpus', 'n1 is over its memory'],
    ],
    [
      'a host port twice on a node',
      [
        service('web'),
        node('n1', { description: DESCRIPTION }),
        task('t', endpoint({ ports: [port(53, 'host')] })),
        task('u', endpoint({ ports: [port(53, 'host')] }), { slot: 2 }),
      ],
      ['port tcp/53 of n1 twice, by u'],
    ],
    ['a backend without a task', [slice('t')], ['backend t has no task']],
    [
      'a backend with an address that went back',
      [service('web'), task('t', { state: 'failed', releasedAt: 5 }), slice('t')],
      ['backend t serves with a released address'],
    ],
    [
      'a backend that was never seen running',
      [
        service('web'),
        newObject(Task, {
          ...task('t').meta,
          spec: task('t').spec,
          status: { state: 'starting', timestamp: 0, appliedAt: 0, message: '', nodeId: 'n1' },
        }),
        slice('t'),
      ],
      ['backend t serves and was never seen running'],
    ],
  ])('finds %s', (_what, objects, faults) => {
    expect(brokenInvariants(viewOf(...objects))).toEqual(faults);
  });

  it('finds nothing wrong with what is as it should be', () => {
    const startFirst = { update: { order: 'start-first' } } as const;
    const gone = { ...taskInA('10.0.0.2/24'), state: 'failed', releasedAt: 5 } as const;
    const view = viewOf(
      network('a', { subnets: [SUBNET], quarantine: [{ address: '10.0.0.9', until: 5 }] }),
      network('b'),
      node('n1', { description: DESCRIPTION, networks: [inA('10.0.0.4/24')] }),
      service(
        'web',
        endpoint({ ports: [port(80)], virtualAddresses: [inA('10.0.0.2/24')] }),
        startFirst,
      ),
      service('api', endpoint({ ports: [port(81), port(53, 'host')] })),
      service('dns', endpoint({ ports: [port(53, 'host')] })),
      task('old', taskInA('10.0.0.3/24')),
      task('new', { ...taskInA('10.0.0.5/24'), state: 'starting' }),
      // History: its address is somebody else's by now.
      task('gone', gone, { desiredState: 'shutdown' }),
      task('next', { state: 'ready' }, { slot: 2, desiredState: 'ready' }),
      task('last', { state: 'running' }, { slot: 2, desiredState: 'running' }),
      slice('old'),
    );
    expect(brokenInvariants(view)).toEqual([]);
  });
});
