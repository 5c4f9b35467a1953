/**
 * Laws of the allocator, over random histories of a small cluster that runs out of everything.
 * The rig adds one to each pass: an allocator that starts afresh plans the same.
 */
import { describe, expect, it } from '@jest/globals';
import {
  Cluster,
  Network,
  Node,
  Service,
  Task,
  isDeleting,
  isTerminal,
  withSpec,
  withStatus,
  type PortSpec,
} from '@skep/api';
import { arePrefixesOverlapping, parsePrefix, withoutPrefix } from '@skep/network';
import fc from 'fast-check';
import { AllocatorRig } from './__fixtures__/rig.js';
import { nodeClaims, ownedPorts, quarantineClaims, serviceClaims, taskClaims } from './claims.js';

const NAMES = ['a', 'b', 'c'];
const NODES = ['n1', 'n2'];

const name = fc.constantFrom(...NAMES);
const port = fc.record(
  {
    targetPort: fc.integer({ min: 1, max: 2 }),
    publishedPort: fc.constantFrom(0, 0, 30, 31, 80),
    publishMode: fc.constantFrom('ingress' as const, 'ingress' as const, 'host' as const),
  },
  { requiredKeys: ['targetPort'] },
);
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('network' as const), name, at: fc.nat(3) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('drop-network' as const), name }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('service' as const),
      name,
      networks: fc.subarray(NAMES),
      ports: fc.array(port, { maxLength: 2 }),
      mode: fc.constantFrom('vip' as const, 'vip' as const, 'dnsrr' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('drop-service' as const), name }) },
  { weight: 8, arbitrary: fc.record({ type: fc.constant('task' as const), name }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constantFrom('run' as const, 'end' as const, 'unwant' as const),
      pick: fc.nat(20),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constantFrom('ack' as const, 'pass' as const, 'settle' as const),
      pick: fc.nat(1),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('wait' as const, 'restart' as const, 'crash' as const, 'reap' as const),
      pick: fc.nat(3),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class History {
  readonly rig = new AllocatorRig({
    addressPools: ['10.0.0.0/27'],
    subnetPrefix: 29,
    dynamicPorts: { first: 30, last: 32 },
  });
  #tasks = 0;

  constructor() {
    this.rig.ingress();
    for (const node of NODES) this.rig.node(node);
    this.rig.settle();
  }

  take(one: Step): void {
    const { rig } = this;
    switch (one.type) {
      case 'network':
        if (!rig.has(Network, one.name)) rig.network(one.name, networkSpec(one.at));
        break;
      case 'drop-network':
        if (rig.has(Network, one.name)) rig.remove(Network, one.name);
        break;
      case 'service':
        this.#service(one);
        break;
      case 'drop-service':
        if (rig.has(Service, one.name)) rig.remove(Service, one.name);
        break;
      case 'task':
        this.#task(one.name);
        break;
      case 'run':
      case 'end':
      case 'unwant':
        this.#move(one.type, one.pick);
        break;
      default:
        this.#happens(one.type, one.pick);
    }
  }

  /** Everything ends, in the way it does with the other loops. */
  finish(): void {
    const { rig } = this;
    rig.settle();
    for (const { meta } of rig.store.view().list(Service)) rig.remove(Service, meta.id);
    for (const task of rig.store.view().list(Task)) this.#end(task);
    rig.applied().settle();
    this.reap();
    rig.settle().applied().settle();
    for (const { meta } of rig.store.view().list(Network)) {
      if (meta.id !== 'ingress') rig.remove(Network, meta.id);
    }
    rig.settle().applied().settle().passTime(5_000).settle();
  }

  /** The reaper deletes records, the orchestrator drops its finalizer. */
  reap(): void {
    const { rig } = this;
    for (const task of rig.store.view().list(Task)) {
      const { state, releasedAt, networks } = task.status;
      const isOver = isTerminal(state) || task.spec.desiredState === 'remove';
      if (isOver && (releasedAt !== undefined || networks === undefined)) {
        rig.remove(Task, task.meta.id);
      }
    }
    for (const service of rig.store.view().list(Service)) {
      const tasks = rig.store
        .view()
        .list(Task)
        .filter((one) => one.spec.serviceId === service.meta.id);
      const isDone = isDeleting(service) && tasks.length === 0;
      if (isDone && service.meta.finalizers.length > 1) rig.dropOrchestrator(service.meta.id);
    }
  }

  #service(one: Step & { readonly type: 'service' }): void {
    const { rig } = this;
    const spec = {
      task: { networks: one.networks.map((target) => ({ target })) },
      endpoint: { mode: one.mode, ports: one.ports as readonly PortSpec[] },
    };
    if (rig.has(Service, one.name)) rig.respec(one.name, () => spec);
    else rig.serviceOf(one.name, spec);
  }

  #task(serviceName: string): void {
    const { rig } = this;
    if (!rig.has(Service, serviceName) || isDeleting(rig.get(Service, serviceName))) return;
    this.#tasks += 1;
    rig.tasks(serviceName, this.#tasks);
  }

  #move(type: 'run' | 'end' | 'unwant', pick: number): void {
    const tasks = [...this.rig.store.view().list(Task)].sort((a, b) => a.spec.slot - b.spec.slot);
    const task = tasks[pick % Math.max(tasks.length, 1)];
    if (task === undefined) return;
    if (type === 'run') {
      if (task.status.state !== 'pending' || task.spec.desiredState === 'remove') return;
      this.rig.runs(task.meta.id, NODES[pick % 2] ?? 'n1');
    } else if (type === 'end') {
      if (task.status.state === 'running') this.#end(task);
    } else {
      this.#unwant(task);
    }
  }

  #end(task: Task): void {
    const { id } = task.meta;
    if (task.status.state === 'running') this.rig.ends(id);
    else this.#unwant(task);
    if (this.rig.get(Task, id).status.drainedAt === undefined) this.rig.drained(id);
  }

  #unwant({ meta }: Task): void {
    this.rig.update(Task, meta.id, 'orchestrator', (task) =>
      withSpec(task, { ...task.spec, desiredState: 'remove' }),
    );
  }

  #happens(type: string, pick: number): void {
    const { rig } = this;
    if (type === 'ack') rig.applied(NODES[pick] ?? 'n1');
    else if (type === 'pass') rig.pass();
    else if (type === 'settle') rig.settle();
    else if (type === 'wait') rig.passTime(pick * 2_000);
    else if (type === 'restart') rig.restart();
    else if (type === 'reap') this.reap();
    else if (type === 'crash') {
      let left = pick;
      rig.loses = () => {
        left -= 1;
        return left < 0;
      };
      rig.pass();
      rig.loses = () => false;
      rig.restart();
    }
  }
}

function networkSpec(at: number): Network['spec'] {
  return at === 0 ? { ipam: { configs: [{ subnet: '10.0.0.16/29' }] } } : {};
}

/** What is owned, each as often as it has owners. */
function owned(rig: AllocatorRig): Record<'addresses' | 'ids' | 'ports', readonly string[]> {
  const view = rig.store.view();
  const claims = [
    ...view.list(Task).flatMap(taskClaims),
    ...view.list(Node).flatMap(nodeClaims),
    ...view.list(Service).flatMap(serviceClaims),
    ...view.list(Network).flatMap(quarantineClaims),
  ];
  const services = view.list(Service).map(ownedPorts);
  const ingress = services.flat().filter((one) => one.publishMode === 'ingress');
  const hosts = services
    .flat()
    .filter((one) => one.publishMode === 'host' && one.publishedPort > 0);
  return {
    addresses: claims.map(({ networkId, address }) => `${networkId}/${withoutPrefix(address)}`),
    ids: view.list(Network).flatMap(({ status }) => status.subnets.map((one) => `${one.vxlanId}`)),
    ports: [...ingress, ...new Set(hosts.map((one) => one.publishedPort))].map((one) =>
      String(typeof one === 'number' ? one : one.publishedPort),
    ),
  };
}

function expectNothingTwice(rig: AllocatorRig): void {
  for (const [what, numbers] of Object.entries(owned(rig))) {
    const twice = numbers.filter((one, at) => numbers.indexOf(one) !== at);
    expect({ what, twice }).toEqual({ what, twice: [] });
  }
  const subnets = rig.store
    .view()
    .list(Network)
    .flatMap(({ status }) => status.subnets);
  const prefixes = subnets.flatMap(({ subnet }) => parsePrefix(subnet) ?? []);
  for (const [at, one] of prefixes.entries()) {
    for (const other of prefixes.slice(at + 1)) {
      expect(arePrefixesOverlapping(one, other)).toBe(false);
    }
  }
  const reserved = subnets.flatMap(({ subnet, gateway }) => [withoutPrefix(subnet), gateway]);
  const given = owned(rig).addresses.map((one) => one.slice(one.indexOf('/') + 1));
  expect(given.filter((one) => reserved.includes(one))).toEqual([]);
}

describe('laws of the allocator', () => {
  it('nothing is owned twice, nothing leaks, and a fresh allocator plans the same', () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 10, maxLength: 50 }),
        fc.boolean(),
        (steps, isLate) => {
          const history = new History();
          history.rig.isLate = isLate;
          for (const one of steps) {
            history.take(one);
            expectNothingTwice(history.rig);
          }
          history.finish();
          const { rig } = history;
          const view = rig.store.view();
          expect(view.list(Service).map(({ meta }) => meta.id)).toEqual([]);
          expect(view.list(Network).map(({ meta }) => meta.id)).toEqual(['ingress']);
          expect(rig.quarantine('ingress')).toEqual([]);
          expect(owned(rig).addresses).toHaveLength(NODES.length);
          expect(rig.times.size).toBe(0);
          // All that there is can be had again.
          rig.network('x').network('y').network('z').settle();
          expect(owned(rig).ids).toHaveLength(4);
          const ports = [1, 2, 3].map((targetPort) => ({ targetPort }));
          rig.service('all', ['x'], ports).settle();
          expect([...rig.ports('all')].sort()).toEqual([30, 31, 32]);
          expect(rig.get(Cluster, 'cluster').status.lastVxlanId).toBeGreaterThanOrEqual(4099);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('a node that comes back with everything as it was changes nothing', () => {
    const rig = new History().rig;
    rig.service('web', []).settle();
    const { revision } = rig.store.view();
    rig.update(Node, 'n1', 'dispatcher', (node) =>
      withStatus(node, { ...node.status, state: 'down' }),
    );
    rig.update(Node, 'n1', 'dispatcher', (node) =>
      withStatus(node, { ...node.status, state: 'ready' }),
    );
    rig.settle();
    expect(rig.store.view().revision).toBe(revision + 2);
  });
});
