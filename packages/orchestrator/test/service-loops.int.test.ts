/**
 * Orchestrator, reaper and enforcer on a real store and the real runtime; the other loops and the
 * nodes are stand-ins that do the least that their tables of ownership allow.
 */
import { describe, expect, it } from '@jest/globals';
import {
  ACTORS,
  Cluster,
  Event,
  Network,
  Node,
  Service,
  Task,
  Volume,
  byService,
  isAtLeast,
  isTerminal,
  newObject,
  seededRandom,
  withMeta,
  withSpec,
  withStatus,
  type ServiceSpec,
  type TaskStatus,
} from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { ControllerGroup, type PlanController } from '@skep/controller';
import { memoryStore, type Change, type Store } from '@skep/store';
import { constraintEnforcer } from '../src/enforcers/constraint-enforcer.js';
import { taskReaper } from '../src/reaper/reaper-controller.js';
import { orchestratorController } from '../src/service/orchestrator-controller.js';

type NextStatus = (task: Task, now: number) => Partial<TaskStatus> | undefined;

/** A loop over tasks that writes what `next` says. */
function taskLoop(name: string, next: NextStatus): PlanController {
  return {
    name,
    for: Task,
    plan: (view, key, now) => {
      const task = view.get(Task, key);
      const change = task === undefined ? undefined : next(task, now);
      if (task === undefined || change === undefined) return { changes: [] };
      const status = { ...task.status, ...change, timestamp: now, appliedAt: now };
      return { changes: [{ type: 'update', object: withStatus(task, status) }] };
    },
  };
}

const isOut = ({ spec }: Task): boolean =>
  spec.desiredState === 'shutdown' || spec.desiredState === 'remove';

const allocate: NextStatus = (task) =>
  task.status.state === 'new' && !isOut(task) ? { state: 'pending' } : undefined;

/** Node by the last character of the id: stable, and fair enough. */
const place =
  (nodes: () => readonly string[]): NextStatus =>
  (task) => {
    if (task.status.state !== 'pending') return undefined;
    if (isOut(task)) return { state: 'shutdown' };
    const usable = nodes();
    const nodeId = task.spec.nodeId ?? usable[task.meta.id.charCodeAt(24) % usable.length];
    return nodeId === undefined ? undefined : { state: 'assigned', nodeId };
  };

const run: NextStatus = (task, now) => {
  const { state } = task.status;
  if (!isAtLeast(state, 'assigned') || isTerminal(state)) return undefined;
  if (isOut(task)) return { state: 'shutdown' };
  if (task.spec.desiredState === 'ready') return state === 'ready' ? undefined : { state: 'ready' };
  return state === 'running' ? undefined : { state: 'running', runningAt: now };
};

class Bench {
  readonly clock = new VirtualClock();
  readonly store: Store = memoryStore({
    clock: this.clock,
    kinds: [Cluster, Event, Network, Node, Service, Task, Volume],
    checks: { ownership: true, freeze: true },
    listOrder: seededRandom('lists'),
  });
  readonly group: ControllerGroup;

  constructor() {
    const seams = { store: this.store, clock: this.clock, random: seededRandom('bench') };
    this.group = new ControllerGroup(seams);
    this.group.add(orchestratorController()).add(taskReaper()).add(constraintEnforcer());
    this.group.add(taskLoop(ACTORS.allocator, allocate));
    this.group.add(
      taskLoop(
        ACTORS.scheduler,
        place(() => this.usableNodes()),
      ),
    );
    this.group.add(taskLoop(ACTORS.dispatcher, run));
  }

  usableNodes(): readonly string[] {
    return this.store
      .view()
      .list(Node)
      .filter(({ spec, status }) => spec.availability === 'active' && status.state === 'ready')
      .map(({ meta }) => meta.id)
      .sort();
  }

  async start(nodes: number): Promise<void> {
    for (let i = 0; i < nodes; i += 1) {
      const object = newObject(Node, {
        id: `n${i}`,
        name: `n${i}`,
        spec: { role: 'worker', availability: 'active' },
        status: { state: 'ready', message: '', address: '' },
      });
      await this.commit('user', { type: 'create', object });
    }
    await this.group.start();
    await this.clock.flush();
  }

  async commit(actor: string, ...changes: readonly Change[]): Promise<void> {
    expect(await this.store.commit({ actor, changes })).toMatchObject({ ok: true });
  }

  get service(): Service {
    const service = this.store.view().get(Service, 'svc');
    if (service === undefined) throw new Error('no service');
    return service;
  }

  async declare(spec: Partial<ServiceSpec>): Promise<void> {
    const { service } = this;
    const object = withSpec(service, { ...service.spec, ...spec });
    await this.commit('user', { type: 'update', object });
  }

  /** Lets time pass until nothing is left to do, an hour at most. */
  async settle(): Promise<void> {
    const end = this.clock.now() + 3_600_000;
    for (;;) {
      await this.clock.flush();
      const at = this.clock.nextTimer()?.at;
      if (at === undefined) break;
      if (at > end) throw new Error('not settled within an hour');
      await this.clock.advanceTo(at);
    }
    expect(this.group.isIdle()).toBe(true);
  }

  tasks(state?: TaskStatus['state']): readonly Task[] {
    const tasks = this.store.view().list(Task, byService('svc'));
    return state === undefined ? tasks : tasks.filter((task) => task.status.state === state);
  }
}

async function deployed(spec: Partial<ServiceSpec>, nodes = 3): Promise<Bench> {
  const bench = new Bench();
  await bench.start(nodes);
  const object = newObject(Service, {
    id: 'svc',
    name: 'svc',
    finalizers: ['orchestrator'],
    spec: { task: { container: { image: 'a' } }, ...spec },
  });
  await bench.commit('user', { type: 'create', object });
  await bench.settle();
  return bench;
}

const replicas = (count: number): Partial<ServiceSpec> => ({
  mode: { type: 'replicated', replicas: count },
});
const image = (name: string): Partial<ServiceSpec> => ({ task: { container: { image: name } } });

describe('the service loops on a store', () => {
  it('scales over the size of a commit, up and down', async () => {
    const bench = await deployed(replicas(450));
    expect(bench.tasks('running')).toHaveLength(450);
    expect(bench.service.status).toMatchObject({ createdTasks: 450, observedGeneration: 1 });
    await bench.declare(replicas(20));
    await bench.settle();
    expect(bench.tasks()).toHaveLength(20);
    expect(bench.tasks('running')).toHaveLength(20);
    expect(bench.service.status.observedGeneration).toBe(2);
    await bench.group.stop();
  });

  it('updates all at once over the size of a commit', async () => {
    const update = { parallelism: 0, order: 'start-first' as const };
    const bench = await deployed({ ...replicas(250), update });
    await bench.declare(image('b'));
    await bench.settle();
    expect(bench.service.status.update).toMatchObject({ state: 'completed', dirtySlots: 250 });
    const running = bench.tasks('running');
    expect(running).toHaveLength(250);
    expect(running.every((task) => task.spec.template.container?.image === 'b')).toBe(true);
    expect(new Set(running.map((task) => task.spec.slot)).size).toBe(250);
    await bench.group.stop();
  });

  it('loses a node, drains one, and is removed: nothing is left', async () => {
    const bench = await deployed(replicas(9));
    const view = bench.store.view();
    const lost = view.get(Node, 'n0')!;
    const down = withStatus(lost, { ...lost.status, state: 'down' });
    await bench.commit('dispatcher', { type: 'update', object: down });
    const drained = view.get(Node, 'n1')!;
    const drain = withSpec(drained, { ...drained.spec, availability: 'drain' });
    await bench.commit('user', { type: 'update', object: drain });
    await bench.settle();
    expect(bench.tasks('running').map((task) => task.status.nodeId)).toEqual(
      Array.from({ length: 9 }, () => 'n2'),
    );
    await bench.commit('user', { type: 'delete', kind: 'Service', id: 'svc' });
    await bench.settle();
    expect(bench.store.view().count(Task)).toBe(0);
    expect(bench.store.view().get(Service, 'svc')).toBeUndefined();
    await bench.group.stop();
  });

  it('the enforcer rejects, the orchestrator replaces, the history stays bounded', async () => {
    const placement = { constraints: ['node.labels.zone != b'] };
    const task = { container: { image: 'a' }, placement };
    const bench = await deployed({ mode: { type: 'global' }, task }, 2);
    for (let i = 0; i < 8; i += 1) {
      const node = bench.store.view().get(Node, 'n0')!;
      const labels = node.meta.labels['zone'] === 'b' ? {} : { zone: 'b' };
      await bench.commit('user', { type: 'update', object: withMeta(node, { labels }) });
      await bench.settle();
    }
    expect(
      bench
        .tasks('running')
        .map((held) => held.status.nodeId)
        .sort(),
    ).toEqual(['n0', 'n1']);
    expect(bench.tasks().length).toBeLessThanOrEqual(6);
    await bench.group.stop();
  });
});
