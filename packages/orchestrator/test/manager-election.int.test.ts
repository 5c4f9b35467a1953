/**
 * One of several managers: what it writes, when its loops run, and what it says to nodes.
 */
import { describe, expect, it } from '@jest/globals';
import { Simulator } from '@skep/adapter-simulator';
import {
  ACTORS,
  Cluster,
  Config,
  EndpointSlice,
  Event,
  Lease,
  Network,
  Node,
  Secret,
  Service,
  Task,
  Volume,
  defineKind,
  newObject,
  seededRandom,
  withSpec,
  withStatus,
  type AnyKind,
  type LeaseSpec,
} from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { LeaderElector, leaseId, noChanges, update, type PlanController } from '@skep/controller';
import {
  memoryStore,
  openStore,
  sharedMemoryLog,
  type Change,
  type Store,
  type Transaction,
} from '@skep/store';
import { admit, createManager, type Manager } from '../src/index.js';

const KINDS: readonly AnyKind[] = [
  Cluster,
  Node,
  Network,
  Service,
  Task,
  EndpointSlice,
  Secret,
  Config,
  Volume,
  Lease,
  Event,
];
const LEASE = leaseId('leader');

/** A kind whose controller decides about each object by itself. */
const Report = defineKind<object, { readonly by: readonly string[] }>({
  name: 'Report',
  initialStatus: { by: [] },
});

interface World {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly manager: Manager;
  readonly simulator: Simulator;
  /** What the manager tried to commit. */
  readonly commits: Transaction[];
  /** What its commits meet before they come to the store. */
  before: (transaction: Transaction) => Promise<void>;
}

/** A manager that takes part in elections, with two nodes that come to it. */
async function world(): Promise<World> {
  const clock = new VirtualClock({ start: 0 });
  const store = memoryStore({ clock, kinds: KINDS, checks: { ownership: true, freeze: true } });
  const commits: Transaction[] = [];
  const seen: Store = new Proxy(store, {
    get: (target, name) => {
      if (name === 'commit') {
        return async (transaction: Transaction) => {
          commits.push(transaction);
          await made.before(transaction);
          return store.commit(transaction);
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  const random = seededRandom(1);
  const election = { identity: 'me' };
  const manager = createManager({ store: seen, clock, random, election });
  const simulator = new Simulator({ clock, random: random.fork('hosts'), link: manager.link });
  const before = (): Promise<void> => Promise.resolve();
  const made: World = { clock, store, manager, simulator, commits, before };
  for (const id of ['n1', 'n2']) {
    const spec = { role: 'worker', availability: 'active' } as const;
    await write(made, { type: 'create', object: newObject(Node, { id, name: id, spec }) });
    await simulator.addHost({ id, name: id });
  }
  return made;
}

async function write({ store }: World, ...changes: readonly Change[]): Promise<void> {
  const result = await store.commit({ actor: ACTORS.user, changes });
  expect(result).toMatchObject({ ok: true });
}

/** Somebody else takes the lease, or lets go of it. */
async function lease(world: World, change: Partial<LeaseSpec>): Promise<void> {
  const held = world.store.view().get(Lease, LEASE);
  if (held === undefined) throw new Error('no lease');
  const object = withSpec(held, { ...held.spec, term: held.spec.term + 1, ...change });
  await world.store.commit({ actor: ACTORS.elector, changes: [{ type: 'update', object }] });
}

async function runWeb(world: World, name: string): Promise<void> {
  const object = newObject(Service, {
    id: name,
    name,
    spec: {
      mode: { type: 'replicated', replicas: 3 },
      task: { container: { image: 'app:1' } },
      endpoint: { ports: [{ targetPort: 80, publishedPort: 8080 }] },
    },
  });
  const change: Change = { type: 'create', object };
  const complaints = admit(world.store.view(), change);
  expect(complaints).toMatchObject([]);
  await write(world, change);
}

async function end({ clock, simulator, manager }: World): Promise<void> {
  // What nodes say takes a moment.
  await Promise.all([simulator.stop(), clock.advance(10_000)]);
  await manager.stop();
}

const running = ({ store }: World): number =>
  store
    .view()
    .list(Task)
    .filter(({ status }) => status.state === 'running').length;

const states = ({ store }: World): readonly string[] =>
  store
    .view()
    .list(Node)
    .map(({ status }) => status.state);

describe('a manager that takes part in an election', () => {
  it('writes nothing without the fence of its term, whichever loop it is', async () => {
    const made = await world();
    const { clock, manager, simulator, commits } = made;
    await manager.start();
    await simulator.start();
    await runWeb(made, 'web');
    await clock.advance(10_000);
    expect([running(made), states(made)]).toEqual([3, ['ready', 'ready']]);
    const actors = new Set(commits.map(({ actor }) => actor));
    expect([...actors].sort()).toEqual(
      expect.arrayContaining(['allocator', 'dispatcher', 'endpoints', 'orchestrator', 'scheduler']),
    );
    const fence = { type: 'lease', id: LEASE, holder: 'me', term: 1 };
    const bare = commits.filter(
      ({ actor, expect: expected }) =>
        actor !== ACTORS.elector && JSON.stringify(expected?.[0]) !== JSON.stringify(fence),
    );
    expect(bare).toEqual([]);
    await end(made);
  });

  it('runs no loop and takes no node before it leads, and says who does', async () => {
    const made = await world();
    const { clock, manager, store, simulator } = made;
    const spec = { holder: 'you', term: 4, durationMs: 15_000, acquiredAt: 0, renewedAt: 0 };
    const object = newObject(Lease, { id: LEASE, name: 'leader', spec });
    await store.commit({ actor: ACTORS.elector, changes: [{ type: 'create', object }] });
    await manager.start();
    await clock.advance(1_000);
    expect(manager.controllers.status()).toEqual([]);
    const hello = { nodeId: 'n1', address: '', description: {} as never };
    const handlers = { assignment: () => undefined, closed: () => undefined };
    await expect(manager.link.open(hello, handlers)).rejects.toMatchObject({
      code: 'unavailable',
      message: "manager 'me' does not lead, 'you' does",
      details: { manager: 'me', leader: 'you' },
    });
    await expect(manager.ask('n1', { type: 'tables' }).next()).rejects.toMatchObject({
      code: 'unavailable',
      details: { manager: 'me', leader: 'you' },
    });
    await lease(made, { holder: '' });
    await expect(manager.link.open(hello, handlers)).rejects.toMatchObject({
      details: { manager: 'me' },
    });
    await clock.flush();
    expect(manager.elector?.term).toBe(6);
    await simulator.start();
    await clock.advance(1_000);
    expect(states(made)).toEqual(['ready', 'ready']);
    const answer = manager.ask('n1', { type: 'tables' }).next();
    await clock.advance(100);
    expect((await answer).value).toMatchObject({ type: 'tables' });
    await end(made);
  });

  it('lets go of its nodes and stops its loops with the lease; comes back in a new term', async () => {
    const made = await world();
    const { clock, manager, simulator, commits } = made;
    await manager.start();
    await simulator.start();
    await runWeb(made, 'web');
    await clock.advance(10_000);
    await lease(made, { holder: 'you' });
    commits.length = 0;
    await clock.advance(1_000);
    expect(manager.controllers.status()).toEqual([]);
    // It is over without a word: whoever leads now may have written that the nodes are READY.
    expect([commits, states(made)]).toEqual([[], ['ready', 'ready']]);
    await lease(made, { holder: '' });
    await clock.advance(30_000);
    expect([manager.elector?.term, states(made), running(made)]).toEqual([
      4,
      ['ready', 'ready'],
      3,
    ]);
    expect(commits.map(({ expect: expected }) => expected?.[0])).toContainEqual({
      type: 'lease',
      id: LEASE,
      holder: 'me',
      term: 4,
    });
    await end(made);
  });

  it('steps down when a report meets a lost lease, before it heard of the loss', async () => {
    const made = await world();
    const { clock, manager, simulator } = made;
    await manager.start();
    await simulator.start();
    await runWeb(made, 'web');
    await clock.advance(10_000);
    let taken = false;
    made.before = async ({ actor }) => {
      if (actor !== ACTORS.dispatcher || taken) return;
      taken = true;
      await lease(made, { holder: 'you' });
    };
    const [task] = made.store.view().list(Task);
    const host = simulator.hosts.find(({ name }) => name === task?.status.nodeId);
    host?.crash(task?.meta.id ?? '', 1);
    await clock.advance(200);
    expect([taken, manager.elector?.isLeader]).toEqual([true, false]);
    expect(manager.controllers.status()).toEqual([]);
    expect(made.store.view().get(Task, task?.meta.id ?? '')?.status.state).toBe('running');
    await end(made);
  });

  it('gives the lease up at the end of its signal', async () => {
    const made = await world();
    const { clock, manager, store } = made;
    const abort = new AbortController();
    await manager.start(abort.signal);
    await clock.advance(100);
    expect(manager.controllers.status().length).toBeGreaterThan(5);
    abort.abort();
    await clock.advance(100);
    expect(manager.controllers.status()).toEqual([]);
    expect(store.view().get(Lease, LEASE)?.spec).toMatchObject({ holder: '', term: 1 });
  });

  it('stops though the store does not answer any more', async () => {
    const made = await world();
    const { clock, manager, simulator } = made;
    await manager.start();
    await simulator.start();
    await clock.advance(5_000);
    made.before = () => new Promise(() => undefined);
    await clock.advance(20_000);
    expect(manager.elector?.isLeader).toBe(false);
    expect(manager.controllers.status()).toEqual([]);
    const hello = { nodeId: 'n1', address: '', description: {} as never };
    const handlers = { assignment: () => undefined, closed: () => undefined };
    await expect(manager.link.open(hello, handlers)).rejects.toMatchObject({ code: 'unavailable' });
    await Promise.all([simulator.stop(), clock.advance(10_000)]);
  });

  it('takes an elector that is there already', async () => {
    const clock = new VirtualClock({ start: 0 });
    const store = memoryStore({ clock, kinds: KINDS });
    const seams = { store, clock, random: seededRandom(1) };
    const elector = new LeaderElector({ ...seams, identity: 'me' });
    const manager = createManager({ ...seams, election: elector });
    expect(manager.elector).toBe(elector);
    await manager.start();
    await clock.advance(10);
    expect(manager.controllers.status().length).toBeGreaterThan(5);
    await manager.stop();
  });

  it('shares the keys of controllers that allow it with other managers', async () => {
    const clock = new VirtualClock({ start: 0 });
    const log = sharedMemoryLog({ clock, deliveryDelayMs: 5 });
    const kinds = [...KINDS, Report];
    const names = ['m1', 'm2'];
    const made = names.map(async (name) => {
      const store = await openStore({ clock, kinds, backend: log.backend() });
      const reporter: PlanController = {
        name: 'reporter',
        for: Report,
        sharding: 'by-key',
        plan: (view, key) => {
          const report = view.get(Report, key);
          if (report === undefined || report.status.by.at(-1) === name) return noChanges;
          const status = { by: [...report.status.by, name] };
          return { changes: [update(withStatus(report, status))] };
        },
      };
      const random = seededRandom(name);
      const election = { identity: name };
      const parts = { store, clock, random, controllers: [reporter], election, sharding: {} };
      return { name, store, manager: createManager(parts) };
    });
    const [one, other] = await Promise.all(made);
    if (one === undefined || other === undefined) throw new Error('no managers');
    for (const { manager } of [one, other]) {
      await manager.start();
      await clock.advance(5_000);
    }
    const changes = Array.from({ length: 40 }, (_, at): Change => {
      const object = newObject(Report, { id: `r${at}`, name: `r${at}`, spec: {} });
      return { type: 'create', object };
    });
    await one.store.commit({ actor: ACTORS.user, changes });
    await clock.advance(1_000);
    const reports = (): readonly string[] =>
      other.store
        .view()
        .list(Report)
        .map(({ status }) => status.by.join());
    expect(new Set(reports())).toEqual(new Set(names));
    // The leader is the first; its built-in loops are not shared.
    expect(other.manager.controllers.status()).toEqual([]);
    expect(other.manager.shared?.controllers.names).toEqual(['reporter']);
    expect(one.manager.controllers.names).not.toContain('reporter');
    await Promise.all([one.manager.stop(), clock.advance(1_000)]);
    expect(new Set(reports())).toEqual(new Set(['m2', 'm1,m2']));
    expect(other.manager.elector?.isLeader).toBe(true);
    await Promise.all([other.manager.stop(), clock.advance(1_000)]);
    expect(other.manager.shared?.member.owned).toEqual([]);
  });

  it('needs the settings of an election for that', () => {
    const clock = new VirtualClock();
    const store = memoryStore({ clock, kinds: KINDS });
    const seams = { store, clock, random: seededRandom(1) };
    expect(() => createManager({ ...seams, sharding: {} })).toThrow("only with 'election'");
    const election = new LeaderElector({ ...seams, identity: 'me' });
    expect(() => createManager({ ...seams, election, sharding: {} })).toThrow('needs the settings');
  });

  it('takes an election or a fence, not both', () => {
    const clock = new VirtualClock();
    const seams = {
      store: memoryStore({ clock, kinds: KINDS }),
      clock,
      random: seededRandom(1),
    };
    const both = { ...seams, election: { identity: 'me' }, fence: () => [] };
    expect(() => createManager(both)).toThrow("'election' or 'fence'");
  });
});

describe('a manager that is alone', () => {
  it('goes on when another writes an object of a new cluster at the same time', async () => {
    const clock = new VirtualClock({ start: 0 });
    const inner = memoryStore({ clock, kinds: KINDS });
    let attempts = 0;
    const commit: Store['commit'] = async (transaction) => {
      attempts += 1;
      const [first] = transaction.changes;
      if (attempts === 1 && first !== undefined) {
        await inner.commit({ actor: ACTORS.user, changes: [first] });
      }
      return inner.commit(transaction);
    };
    const store = Object.assign(Object.create(inner) as Store, {
      kinds: inner.kinds,
      view: () => inner.view(),
      waitFor: (revision: number) => inner.waitFor(revision),
      subscribe: (...input: Parameters<Store['subscribe']>) => inner.subscribe(...input),
      commit,
    });
    const manager = createManager({ store, clock, random: seededRandom(1) });
    await manager.start();
    expect(attempts).toBeGreaterThan(1);
    expect(inner.view().list(Cluster)).toHaveLength(1);
    expect(inner.view().list(Network)).toHaveLength(3);
    await manager.stop();
  });

  it('stops with its signal', async () => {
    const clock = new VirtualClock({ start: 0 });
    const store = memoryStore({ clock, kinds: KINDS });
    const manager = createManager({ store, clock, random: seededRandom(1) });
    const abort = new AbortController();
    await manager.start(abort.signal);
    expect(manager.controllers.status().length).toBeGreaterThan(5);
    abort.abort();
    await clock.flush();
    expect(manager.controllers.status()).toEqual([]);
  });
});
