/**
 * Two managers on one store: whatever happens to them, only the one that leads writes, and the
 * cluster becomes what was declared.
 *
 * `SKEP_PROPERTY_RUNS` says how many random histories are tried (default 20), `SKEP_PROPERTY_SEED`
 * which ones.
 */
import { describe, expect, it } from '@jest/globals';
import { Lease, Network, Node, Service, type ServiceSpec } from '@skep/api';
import { seededRandom } from '@skep/api/virtual';
import { leaseId } from '@skep/controller';
import * as fc from 'fast-check';
import {
  brokenInvariants,
  clusterScripts,
  commitLog,
  comparable,
  leaderlessWrite,
  randomManagerFaults,
  renderScript,
  runScript,
  shortestScript,
  startTestCluster,
  strayPackets,
  type ClusterScript,
  type ManagerFault,
  type ManagerReplica,
  type ScriptOptions,
  type TestCluster,
  type WrittenCommit,
} from '../src/cluster.js';
import { differences, judge } from './judgement.js';

const RUNS = Number(process.env['SKEP_PROPERTY_RUNS'] ?? 20);
const SEED = Number(process.env['SKEP_PROPERTY_SEED'] ?? 1);
/** Real time for all runs of a law, or for making a script that breaks it shorter. */
const TIMEOUT_MS = 120_000 + RUNS * 4_000;

const LEASE_MS = 15_000;

function web(replicas: number, image = 'app:1'): ServiceSpec {
  return {
    mode: { type: 'replicated', replicas },
    task: {
      container: { image },
      networks: [{ target: 'front' }],
      resources: { reservations: { cpuNanos: 1e9, memoryBytes: 2 ** 30 } },
    },
    endpoint: { ports: [{ targetPort: 80, publishedPort: 8080 }] },
    update: { parallelism: 2, delayMs: 0 },
  };
}

interface World {
  readonly cluster: TestCluster;
  readonly commits: WrittenCommit[];
  readonly faults: string[];
}

/** A cluster with a service whose update is under way: every loop has something to do. */
async function inTheMiddle(managers: number): Promise<World> {
  const commits: WrittenCommit[] = [];
  const faults: string[] = [];
  const cluster = await startTestCluster({
    managers,
    nodes: 3,
    committed: (view, commit) => {
      faults.push(...brokenInvariants(view));
      if (commit === undefined) return;
      commits.push(commit);
      faults.push(...[leaderlessWrite(view, commit)].flatMap((text) => text ?? []));
    },
  });
  await cluster.apply(
    { kind: Network, name: 'front', spec: {} },
    { kind: Service, name: 'web', spec: web(6) },
  );
  await cluster.settle();
  await cluster.apply({ kind: Service, name: 'web', spec: web(9, 'app:2') });
  await cluster.advance(120);
  return { cluster, commits, faults };
}

function leaderOf({ cluster }: World): ManagerReplica {
  const { leader } = cluster;
  if (leader === undefined) throw new Error('nobody leads');
  return leader;
}

/** Virtual time until another one leads. */
async function failover({ cluster }: World, old: ManagerReplica): Promise<number> {
  const from = cluster.clock.now();
  while (cluster.leader === undefined || cluster.leader === old) {
    await cluster.advance(10);
    if (cluster.clock.now() > from + 2 * LEASE_MS) throw new Error('nobody took over');
  }
  return cluster.clock.now() - from;
}

/** What the same declarations come to when nothing happens to the manager. */
async function undisturbed(): Promise<unknown> {
  const { cluster } = await inTheMiddle(1);
  await cluster.settle();
  const end = comparable(cluster.view());
  await cluster.stop();
  return end;
}

const writesOf = ({ commits }: World, manager: ManagerReplica): number =>
  commits.filter(({ writer }) => writer === manager.name).length;

describe('two managers on one store', () => {
  it.each([
    ['at rest', { isOnWrite: false, isReversed: false }],
    ['between a decision and its write', { isOnWrite: true, isReversed: false }],
    ['and wakes in reverse', { isOnWrite: true, isReversed: true }],
  ])('nothing of a leader lands that was paused for longer than its lease, %s', async (_, how) => {
    const world = await inTheMiddle(2);
    const { cluster, faults } = world;
    const old = leaderOf(world);
    const { term } = old;
    old.pause(how);
    while (!old.isPaused) await cluster.advance(5);
    const writes = writesOf(world, old);
    expect(writes).toBeGreaterThan(10);
    expect(await failover(world, old)).toBeLessThanOrEqual(LEASE_MS + 100);
    expect(cluster.leader?.term).toBe(term + 1);
    await cluster.advance(2_000);
    old.resume(how);
    expect(await cluster.settle()).toMatchObject({ isSettled: true });
    await cluster.advance(60_000);
    expect(writesOf(world, old)).toBe(writes);
    expect(old.isLeader).toBe(false);
    expect(faults).toEqual([]);
    expect(comparable(cluster.view())).toEqual(await undisturbed());
    await cluster.stop();
    expect(cluster.clock.pending()).toEqual([]);
  });

  it('a leader that dies is replaced when its lease has run out', async () => {
    const world = await inTheMiddle(2);
    const { cluster, faults } = world;
    const old = leaderOf(world);
    cluster.crashManager();
    const ms = await failover(world, old);
    expect(ms).toBeGreaterThan(LEASE_MS - 2_500);
    expect(ms).toBeLessThanOrEqual(LEASE_MS + 100);
    await cluster.startManager();
    expect(await cluster.settle()).toMatchObject({ isSettled: true });
    expect(old.isLeader).toBe(false);
    expect(faults).toEqual([]);
    expect(comparable(cluster.view())).toEqual(await undisturbed());
    await cluster.stop();
  });

  it('a leader that is stopped hands over at once, and its nodes go to the next', async () => {
    const world = await inTheMiddle(2);
    const { cluster, faults } = world;
    const old = leaderOf(world);
    const stopped = old.stop();
    expect(await failover(world, old)).toBeLessThanOrEqual(100);
    await stopped;
    const states = (): readonly string[] =>
      cluster
        .view()
        .list(Node)
        .map((one) => one.status.state);
    await cluster.advance(2_000);
    expect(states()).toEqual(['ready', 'ready', 'ready']);
    expect(await cluster.settle()).toMatchObject({ isSettled: true });
    expect(faults).toEqual([]);
    expect(comparable(cluster.view())).toEqual(await undisturbed());
    // The one that stopped comes back, and waits for its turn.
    await old.start();
    await cluster.advance(60_000);
    expect(old.isLeader).toBe(false);
    await cluster.stop();
  });

  it('a leader that is paused for less than its lease goes on leading', async () => {
    const world = await inTheMiddle(2);
    const { cluster, faults } = world;
    const old = leaderOf(world);
    old.pause();
    await cluster.advance(8_000);
    old.resume();
    await cluster.settle();
    expect(leaderOf(world)).toBe(old);
    expect(cluster.view().get(Lease, leaseId('leader'))?.spec.term).toBe(1);
    expect(faults).toEqual([]);
    await cluster.stop();
  });

  it('one that lost the lease leads again in a new term, with everything read anew', async () => {
    const world = await inTheMiddle(2);
    const { cluster, faults } = world;
    const first = leaderOf(world);
    first.pause();
    await failover(world, first);
    first.resume();
    await cluster.settle();
    const second = leaderOf(world);
    await Promise.all([second.stop(), cluster.advance(1_000)]);
    expect(leaderOf(world)).toBe(first);
    expect(first.term).toBe(3);
    await cluster.scale('web', 2);
    await cluster.settle();
    expect(cluster.tasks('web')).toHaveLength(2);
    expect(faults).toEqual([]);
    await cluster.stop();
  });

  it('is refused without managers', async () => {
    await expect(startTestCluster({ managers: 0 })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });
});

function faultsOf(seed: number): readonly ManagerFault[] {
  return randomManagerFaults(seededRandom(`managers ${seed}`), 4);
}

/** What is wrong after a script; `seed` is that of the run, and of the faults of the managers. */
type Law = (script: ClusterScript, seed: number) => Promise<readonly string[]>;

/** Checks a law on random scripts; fails with the shortest script that breaks it. */
async function holds(law: Law, options?: ScriptOptions): Promise<void> {
  const property = fc.asyncProperty(
    clusterScripts(options),
    fc.nat(1_000_000),
    async (script, seed) => (await law(script, seed)).length === 0,
  );
  const { counterexample, failed, numRuns } = await fc.check(property, {
    numRuns: RUNS,
    seed: SEED,
    endOnFailure: true,
  });
  if (!failed || counterexample === null) return;
  const [long, seed] = counterexample;
  const script = await shortestScript(long, async (one) => (await law(one, seed)).length > 0);
  const faults = await law(script, seed);
  const head =
    `SKEP_PROPERTY_SEED=${SEED}, run ${numRuns}; ` + `runScript(…, { seed: ${seed}, managers: 2 })`;
  const managers = faultsOf(seed).map((fault) => JSON.stringify(fault));
  throw new Error([head, ...managers, ...faults.slice(0, 10), renderScript(script)].join('\n'));
}

describe('two managers, whatever happens to them and to the cluster', () => {
  it(
    'it is as declared, no law is broken at any revision, and only the leader writes',
    async () => {
      let elections = 0;
      await holds(async (script, seed) => {
        const strays: string[] = [];
        const look = (cluster: TestCluster): void => void strays.push(...strayPackets(cluster));
        const options = { seed, managers: 2, managerFaults: faultsOf(seed), look };
        const faults = await judge(script, options, (run) => {
          elections += run.cluster.view().get(Lease, leaseId('leader'))?.spec.term ?? 0;
          return differences(run);
        });
        return [...faults, ...strays];
      });
      expect(elections).toBeGreaterThan(2 * RUNS);
    },
    TIMEOUT_MS,
  );

  it(
    'no node is overcommitted at any revision, where not everything fits',
    () =>
      holds(
        (script, seed) => {
          return judge(script, { seed, managers: 2, managerFaults: faultsOf(seed) }, () => []);
        },
        { isTight: true },
      ),
    TIMEOUT_MS,
  );

  it(
    'three managers with a short lease keep the laws, too',
    () =>
      holds((script, seed) => {
        const election = { durationMs: 3_000, renewDeadlineMs: 2_000, retryMs: 500 };
        const options = { seed, managers: 3, election, managerFaults: faultsOf(seed) };
        return judge(script, options, differences);
      }),
    TIMEOUT_MS,
  );

  it('the same seed writes the same bytes', async () => {
    const [script] = fc.sample(clusterScripts(), { numRuns: 1, seed: SEED });
    if (script === undefined) throw new Error('no script');
    const logOf = async (): Promise<readonly string[]> => {
      const { cluster } = await runScript(script, { managers: 2, managerFaults: faultsOf(SEED) });
      const log = await commitLog(cluster);
      await cluster.stop();
      return log;
    };
    const first = await logOf();
    expect(await logOf()).toEqual(first);
  });
});
