import { describe, expect, it } from '@jest/globals';
import { isEqual, Network, newObject, type StoredObject } from '@skep/api';
import {
  endpoint,
  inA,
  network,
  node,
  port,
  service,
  slice,
  SUBNET,
  task,
  taskInA,
  viewOf,
} from '../__fixtures__/objects.js';
import { comparable } from './comparable.js';
import { leaks } from './leaks.js';

const INGRESS = newObject(Network, {
  id: 'ingress',
  name: 'ingress',
  spec: { isIngress: true },
  status: { observedGeneration: 1, subnets: [], quarantine: [] },
});
const ALLOCATED = endpoint({});
const NETWORK_A = network('a', { subnets: [SUBNET] });
const inIngress = { networkId: 'ingress', address: '10.255.0.2/24' };
const ended = { state: 'failed', runningAt: 1 } as const;

describe('leaks', () => {
  it.each<readonly [string, readonly StoredObject[], readonly string[]]>([
    [
      'a virtual address in a network that the service does not name',
      [NETWORK_A, service('web', endpoint({ virtualAddresses: [inA('10.0.0.2/24')] }))],
      ['service web has an address in a'],
    ],
    [
      'ports that nobody wants',
      [service('web', endpoint({ ports: [port(80)], heldPorts: [port(81)] }))],
      ['service web has more ports than it wants', 'service web holds ports that it gave up'],
    ],
    [
      'a service that nobody looked at',
      [service('web', { observedGeneration: 0 })],
      ['service web was not acted on', 'service web was not given its endpoint'],
    ],
    [
      'an address in quarantine',
      [network('a', { quarantine: [{ address: '10.0.0.9', until: 5 }] })],
      ['network a keeps 10.0.0.9 in quarantine'],
    ],
    [
      'a node address without a task',
      [NETWORK_A, INGRESS, node('n1', { networks: [inA('10.0.0.4/24')] })],
      ['n1 has no address in ingress', 'n1 keeps an address in a'],
    ],
    [
      'addresses of a task that has ended, and its place in a slice',
      [
        NETWORK_A,
        service('web', ALLOCATED),
        task('t', { ...taskInA('10.0.0.3/24'), ...ended }, { desiredState: 'shutdown' }),
        slice('t'),
      ],
      ['slice web in a lists t as serving', 'task web.1.t is failed and keeps its addresses'],
    ],
    [
      'a task that should be gone',
      [
        service('web', ALLOCATED),
        task('t', { nodeId: 'gone' }, { desiredState: 'shutdown' }),
        task('u', ended, { desiredState: 'remove' }),
      ],
      [
        'task web.1.t is running and should be shut down',
        'task web.1.t is running on a node that is gone',
        'task web.1.u is still being removed',
      ],
    ],
    ['a slice of nothing', [slice()], ['slice web in a has no service']],
    [
      'more history than is remembered',
      [
        service('web', ALLOCATED),
        ...[1, 2, 3, 4, 5, 6].map((n) => task(`t${n}`, ended, { desiredState: 'shutdown' })),
      ],
      ['slot web web/1 remembers 6 tasks, at most 5'],
    ],
  ])('finds %s', (_what, objects, faults) => {
    expect(leaks(viewOf(...objects))).toEqual(faults);
  });
});

describe('comparable', () => {
  const healthy = (addresses: readonly string[], dynamic: number): readonly StoredObject[] => [
    NETWORK_A,
    INGRESS,
    node('n1', { networks: [inA('10.0.0.4/24'), inIngress] }),
    service(
      'web',
      endpoint({ ports: [port(dynamic), port(8080)], virtualAddresses: [inA('10.0.0.2/24')] }),
      {
        task: { networks: [{ target: 'a' }] },
        endpoint: { ports: [{ targetPort: 80 }, { targetPort: 80, publishedPort: 8080 }] },
      },
    ),
    ...addresses.map((address, index) =>
      task(`t${address}`, taskInA(address), { slot: index + 1 }),
    ),
    slice(...addresses.map((address) => `t${address}`)),
  ];

  it('counts what was declared, and names nothing that chance gave', () => {
    const view = viewOf(...healthy(['10.0.0.3/24', '10.0.0.5/24'], 30_000));
    expect(comparable(view)).toEqual({
      nodes: { n1: 'ready active' },
      networks: {
        a: { subnets: 1, vxlanIds: 1, serviceAddresses: 1, taskAddresses: 2, quarantined: 0 },
        ingress: { subnets: 0, vxlanIds: 0, serviceAddresses: 0, taskAddresses: 0, quarantined: 0 },
      },
      services: {
        web: {
          running: 2,
          waiting: 0,
          images: { '': 2 },
          ports: ['tcp/8080→80 ingress', 'tcp/dynamic→80 ingress'],
          virtualAddresses: ['a'],
          backends: { a: 2 },
        },
      },
      ingressNodes: 1,
      leaks: [],
    });
    const other = viewOf(...healthy(['10.0.0.8/24', '10.0.0.9/24'], 30_007));
    expect(isEqual(comparable(other), comparable(view))).toBe(true);
  });
});
