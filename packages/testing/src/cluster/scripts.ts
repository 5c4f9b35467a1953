/**
 * Random scripts for property tests.
 */
import * as fc from 'fast-check';
import { applications, IMAGES, NETWORKS, SERVICES } from './random-services.js';
import type { ClusterScript, Step } from './step.js';
import type { TestNode } from './test-cluster.js';

/** Which scripts are made. */
export interface ScriptOptions {
  /** Most episodes after the first declarations; an episode is one to five steps. Default: 16. */
  readonly episodesMax?: number;
  /**
   * Reservations so large that not everything may fit, and constraints that change to what no node
   * fulfils; the settled cluster then depends on what came first. Default: false.
   */
  readonly isTight?: boolean;
}

/** Four machines in two zones. */
const MACHINES: readonly TestNode[] = Object.freeze([
  { name: 'node1', role: 'manager', labels: { zone: 'a' } },
  { name: 'node2', role: 'worker', labels: { zone: 'b' } },
  { name: 'node3', role: 'worker', labels: { zone: 'a' } },
  { name: 'node4', role: 'worker', labels: { zone: 'b' } },
] as const);

type Steps = readonly Step[];

/**
 * Scripts over four services, three networks and four nodes: some declarations, then episodes of
 * what users and machines do. Waits are drawn so that steps overlap with the work that earlier ones
 * began. Any part of a script is a script.
 */
export function clusterScripts(options: ScriptOptions = {}): fc.Arbitrary<ClusterScript> {
  const { episodesMax = 16, isTight = false } = options;
  const first = fc.array(applications(isTight), { minLength: 1, maxLength: 4 });
  const then = fc.array(episodes(isTight), { minLength: 3, maxLength: episodesMax, size: 'max' });
  return fc.record({
    nodes: fc.integer({ min: 2, max: MACHINES.length }),
    machines: fc.constant(MACHINES),
    networks: fc.constant(NETWORKS),
    steps: fc
      .tuple(first, waits(), then)
      .map(([declared, ms, later]): Steps => [...declared, { type: 'wait', ms }, ...later.flat()]),
  });
}

/** What happens together; every episode may be cut short by the one after it. */
function episodes(isTight: boolean): fc.Arbitrary<Steps> {
  return fc.oneof(
    { weight: 6, arbitrary: userEpisodes(isTight) },
    { weight: 3, arbitrary: nodeEpisodes() },
    { weight: 2, arbitrary: crashes() },
    { weight: 4, arbitrary: waits().map((ms): Steps => [{ type: 'wait', ms }]) },
  );
}

function userEpisodes(isTight: boolean): fc.Arbitrary<Steps> {
  const apply = applications(isTight);
  const replicas = fc.integer({ min: 0, max: 5 });
  const image = fc.constantFrom(...IMAGES);
  const service = fc.constantFrom(...SERVICES);
  const wait = waits().map((ms) => ({ type: 'wait', ms }) as const);
  const network = fc.constantFrom(...Object.keys(NETWORKS));
  return fc.oneof(
    { weight: 3, arbitrary: apply.map((step): Steps => [step]) },
    {
      weight: 3,
      arbitrary: fc
        .tuple(apply, wait, image, wait, replicas)
        .map(([step, pause, next, rest, count]): Steps => {
          const { service: name } = step;
          return [
            step,
            pause,
            { type: 'image', service: name, image: next },
            rest,
            { type: 'scale', service: name, replicas: count },
          ];
        }),
    },
    {
      weight: 2,
      arbitrary: fc
        .record({ type: fc.constant('scale' as const), service, replicas })
        .map((step): Steps => [step]),
    },
    {
      weight: 2,
      arbitrary: fc
        .record({ type: fc.constant('image' as const), service, image })
        .map((step): Steps => [step]),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(apply, wait)
        .map(([step, pause]): Steps => [{ type: 'remove', service: step.service }, pause, step]),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(service, network).map(([name, of]): Steps => [
        { type: 'remove', service: name },
        { type: 'remove-network', network: of },
      ]),
    },
  );
}

/** Something happens to a machine, and often it comes back. */
function nodeEpisodes(): fc.Arbitrary<Steps> {
  const node = fc.constantFrom(...MACHINES.map(({ name }) => name));
  const outage = fc.integer({ min: 5_000, max: 40_000 });
  const wait = fc.oneof(waits(), outage).map((ms) => ({ type: 'wait', ms }) as const);
  const kind = fc.constantFrom<readonly ((name: string) => Step)[]>(
    [(name) => ({ type: 'lose', node: name }), (name) => ({ type: 'recover', node: name })],
    [(name) => ({ type: 'disconnect', node: name }), (name) => ({ type: 'reconnect', node: name })],
    [availability('drain'), availability('active')],
    [availability('pause'), availability('active')],
    [(name) => ({ type: 'remove-node', node: name }), (name) => ({ type: 'add-node', node: name })],
    [(name) => ({ type: 'add-node', node: name })],
  );
  return fc
    .record({ kind, node, wait, isWhole: fc.constantFrom(true, true, false) })
    .map(({ kind: [begin, end], node: name, wait: pause, isWhole }): Steps => {
      const steps = begin === undefined ? [] : [begin(name), pause];
      return isWhole && end !== undefined ? [...steps, end(name)] : steps;
    });
}

function availability(wanted: 'active' | 'pause' | 'drain'): (name: string) => Step {
  return (name) => ({ type: 'availability', node: name, availability: wanted });
}

function crashes(): fc.Arbitrary<Steps> {
  const one = fc.record({
    type: fc.constant('crash' as const),
    service: fc.constantFrom(...SERVICES),
    index: fc.nat(4),
    exitCode: fc.constantFrom(1, 0),
  });
  return fc.array(one, { minLength: 1, maxLength: 3 });
}

/** From within a message's way to beyond the time after which a node is DOWN. */
function waits(): fc.Arbitrary<number> {
  return fc.oneof(
    fc.integer({ min: 0, max: 200 }),
    fc.integer({ min: 200, max: 2_000 }),
    fc.integer({ min: 2_000, max: 30_000 }),
  );
}
