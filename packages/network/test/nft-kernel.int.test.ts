/**
 * The renderer `nftables` and the interpreter of its text against the machine's own kernel: `nft`
 * and `ip` accept every text, packets get where the interpreter says, and clients keep their
 * addresses.
 */
import { beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';

import {
  changeBetween,
  nodeState,
  sixOf,
  type FixtureCluster,
} from '../src/__fixtures__/cluster.js';
import { randomCluster } from '../src/__fixtures__/random-cluster.js';
import { VOTE_CLUSTER } from '../src/__fixtures__/vote.js';
import { freshLocal } from '../src/__fixtures__/world.js';
import {
  World,
  buildTables,
  connect,
  diffTables,
  planNodeLocal,
  renderNftables,
  renderNftablesChunks,
  renderNftablesDiff,
  type NodeLocal,
  type NodeNetworkState,
  type NodeTables,
  type RenderedStep,
} from '../src/index.js';
import { expectedBackends } from '../src/nft/expected.js';
import { TURN_SERVICES_MAX } from '../src/nft/service.js';
import { suiteThatNeeds } from '../../../scripts/test-needs.js';
import { missingForNft, refusals, runNatively, stepsFor, wholeFor } from './nft-kernel-plan.js';
import type { DriverAnswer, DriverPacket, DriverResult, DriverStep } from './uml-driver.js';
import {
  BASE_CLUSTER,
  UNDERLAY_STEPS,
  hostSteps,
  randomState,
  randomTables,
  type RandomService,
} from './uml-worlds.js';

const TABLES = 200;
const PACKETS = 50;
/** From this table to the next one there are so many services that they draw at random. */
const CROWDED = { from: 120, to: 140 };
const CLUSTERS = 3;
const SEED = Number(process.env['SKEP_SEED'] ?? Math.trunc(Math.random() * 2 ** 31));

const missing = missingForNft();
const { suite, lack } = suiteThatNeeds(missing);
const title = `nftables in this kernel${lack}`;

/** Steps under way, and which of them belong to what. */
class Plan {
  readonly steps: DriverStep[] = [...UNDERLAY_STEPS];

  add(steps: readonly DriverStep[]): readonly number[] {
    return steps.map((step) => this.steps.push(step) - 1);
  }
}

const prefixed = (local: NodeLocal, namespacePrefix: string): NodeLocal => ({
  ...local,
  namespacePrefix,
});

/** A client in the underlay that is none of the nodes. */
const OUTSIDE = { name: 'outside', address: '192.168.50.99' };

// --- Two nodes of the recorded cluster, tunnel and all. ---

interface Vote {
  readonly applied: readonly number[];
  readonly asked: number;
}

const VOTE_QUESTIONS: readonly (readonly [string, string, number])[] = [
  ['v1_task_client1', '10.0.9.2', 80],
  ['v1_task_client1', '10.0.9.2', 12_345],
  ['v1_task_vote2', '10.0.9.2', 80],
  [OUTSIDE.name, '192.168.50.11', 8080],
  [OUTSIDE.name, '192.168.50.12', 8080],
  ['vote1', '192.168.50.11', 8080],
  ['vote1', '127.0.0.1', 8080],
  ['v1_task_client1', '192.168.50.11', 8080],
];

function planVote(plan: Plan): Vote {
  const applied = [...plan.add(hostSteps(OUTSIDE.name, OUTSIDE.address))];
  for (const [node, underlay] of [
    ['1', '192.168.50.11'],
    ['2', '192.168.50.12'],
  ] as const) {
    const state = nodeState(VOTE_CLUSTER, `node${node}`);
    const local = prefixed(freshLocal(VOTE_CLUSTER, `node${node}`), `v${node}_`);
    const tables = buildTables(state, planNodeLocal(local, state));
    applied.push(
      ...plan.add(hostSteps(`vote${node}`, underlay)),
      ...plan.add(wholeFor(`vote${node}`, renderNftables(tables))),
    );
  }
  for (const namespace of ['v2_task_vote1', 'v1_task_vote2']) {
    applied.push(...plan.add([{ do: 'listen', namespace, ports: [80, 12_345] }]));
  }
  const packets = VOTE_QUESTIONS.flatMap(([namespace, destination, port], at) =>
    [0, 1, 2, 3].map((count): DriverPacket => {
      const sourcePort = 20_000 + 10 * at + count;
      return { namespace, protocol: 'tcp', destination, port, sourcePort };
    }),
  );
  const [asked = -1] = plan.add([{ do: 'ask', packets }]);
  return { applied, asked };
}

// --- Random tables over a node of its own. ---

interface Asked {
  readonly services: readonly RandomService[];
  readonly tables: NodeTables;
  readonly steps: readonly RenderedStep[];
  readonly applied: readonly number[];
  readonly asked: number;
  readonly packets: readonly DriverPacket[];
}

interface Tables {
  readonly world: World;
  readonly applied: readonly number[];
  readonly asked: readonly Asked[];
}

const SELF = { host: 'random', prefix: 'r_', address: '192.168.50.11' };

/** Services that nobody asks. */
function crowd(state: NodeNetworkState): NodeNetworkState {
  const [first] = state.slices.values();
  if (first === undefined) return state;
  const numbers = Array.from({ length: TURN_SERVICES_MAX }, (_, number) => number);
  const own = (number: number): string => `10.77.${number >> 8}.${number & 255}`;
  const service = (number: number): NonNullable<ReturnType<typeof state.services.get>> => ({
    serviceId: `crowd${number}`,
    serviceName: `crowd${number}`,
    networkId: 'overlay1',
    order: 1000 + number,
    virtualAddress: `${own(number)}/24`,
    aliases: [],
    ports: [],
    algorithm: 'round-robin',
    isLocalOnly: false,
  });
  const slice = (number: number): typeof first => {
    const id = `crowd${number}`;
    const backend = { ...first.backends[0], address: '10.0.9.21', weight: 1, state: 'serving' };
    const backends = [backend] as typeof first.backends;
    return { ...first, id, serviceId: id, networkId: 'overlay1', backends };
  };
  return {
    ...state,
    services: new Map([
      ...state.services,
      ...numbers.map((number) => [`crowd${number}/overlay1`, service(number)] as const),
    ]),
    slices: new Map([
      ...state.slices,
      ...numbers.map((number) => [`crowd${number}`, slice(number)] as const),
    ]),
  };
}

function planTables(plan: Plan): Tables {
  const drawn = fc.sample(packetDraws, { numRuns: TABLES, seed: SEED });
  let state: NodeNetworkState = randomState([], 1);
  let local = prefixed(freshLocal(BASE_CLUSTER, 'node1'), SELF.prefix);
  local = planNodeLocal(local, state);
  let tables = buildTables(state, local);
  const world = new World();
  const { address } = SELF;
  world.addNode({ name: 'node1', address: `${address}/24`, address6: `${sixOf(address)}/64` });
  world.setNode('node1', renderNftables(tables));
  const listeners = BASE_CLUSTER.tasks.map(({ id }): DriverStep => {
    return { do: 'listen', namespace: `${SELF.prefix}task_${id}`, ports: [53, 80] };
  });
  const applied = [
    // Apart from the nodes above: this one has the address of one of them.
    ...plan.add(separateUnderlay()),
    ...plan.add(stepsFor(SELF.host, renderNftablesChunks(tables))),
    ...plan.add(listeners),
    // IPv6 asks for a second whether somebody else has its link-local addresses.
    ...plan.add([{ do: 'run', namespace: '', command: ['sleep', '2'], input: '' }]),
  ];
  let sourcePort = 10_000;
  const asked = randomTables(TABLES, SEED).map((services, at): Asked => {
    const plain = randomState(services, at + 2);
    const next = at >= CROWDED.from && at < CROWDED.to ? crowd(plain) : plain;
    const change = changeBetween(state, next);
    local = planNodeLocal(local, next, change);
    const after = buildTables(next, local);
    const steps = renderNftablesDiff(diffTables(tables, after));
    [state, tables] = [next, after];
    const packets = (drawn[at] ?? []).map((draw) => packetOf(services, draw, (sourcePort += 1)));
    return {
      services,
      tables,
      steps,
      applied: plan.add(stepsFor(SELF.host, steps)),
      asked: plan.add([{ do: 'ask', packets }])[0] ?? -1,
      packets,
    };
  });
  return { world, applied, asked };
}

/** An underlay between the random node and a client, and nobody else. */
function separateUnderlay(): readonly DriverStep[] {
  const rename = (steps: readonly DriverStep[]): readonly DriverStep[] =>
    steps.map((step) =>
      step.do === 'run' ? { ...step, input: step.input.replace(/\bunderlay\b/g, 'under2') } : step,
    );
  return rename([
    ...UNDERLAY_STEPS,
    ...hostSteps(SELF.host, SELF.address),
    ...hostSteps('stranger', OUTSIDE.address),
  ]);
}

interface PacketDraw {
  readonly pick: number;
  readonly client: number;
  readonly isTcp: boolean;
  readonly isIpv6: boolean;
  readonly isFromOutside: boolean;
  readonly isDns: boolean;
}

const packetDraws = fc.array(
  fc.record({
    pick: fc.nat(),
    client: fc.integer({ min: 0, max: 6 }),
    isTcp: fc.boolean(),
    isIpv6: fc.boolean(),
    isFromOutside: fc.integer({ min: 0, max: 2 }).map((draw) => draw === 0),
    isDns: fc.boolean(),
  }),
  { minLength: PACKETS, maxLength: PACKETS },
);

function packetOf(
  services: readonly RandomService[],
  draw: PacketDraw,
  sourcePort: number,
): DriverPacket {
  const protocol = draw.isTcp ? 'tcp' : 'udp';
  const isPublished = services.some((service) => service.isPublished);
  const family = (address: string): string => (draw.isIpv6 ? sixOf(address) : address);
  if (draw.isFromOutside && isPublished) {
    const port = draw.isTcp ? 8080 : 5353;
    const namespace = draw.client === 0 ? SELF.host : 'stranger';
    return { namespace, protocol, destination: family(SELF.address), port, sourcePort };
  }
  // An address that no table has is waited for in vain, and that takes its time.
  const known = services.filter(({ backends }) => backends.some((one) => one !== undefined));
  const service = known[draw.pick % known.length] ?? services[0];
  const destination = family(`10.0.9.${150 + (service?.number ?? 0)}`);
  // Tasks ask too, themselves included.
  const client = draw.client === 0 ? 'probe' : `t${draw.client}`;
  const port = draw.isDns ? 53 : 80;
  return { namespace: `${SELF.prefix}task_${client}`, protocol, destination, port, sourcePort };
}

// --- Random clusters: only what the tools say to their texts. ---

function planClusters(plan: Plan): readonly number[] {
  const families = ['ipv4', 'dual', 'ipv6'] as const;
  const drawn = fc.sample(randomCluster({ isStrict: true }), { numRuns: 2 * CLUSTERS, seed: SEED });
  return Array.from({ length: CLUSTERS }, (_, at) => at).flatMap((at) => {
    const host = `world${at}`;
    const cluster = (index: number): FixtureCluster => ({
      ...(drawn[index] ?? VOTE_CLUSTER),
      families: families[at % 3] ?? 'ipv4',
    });
    const first = nodeState(cluster(2 * at), 'node1');
    const second = nodeState(cluster(2 * at + 1), 'node1');
    const fresh = prefixed(freshLocal(cluster(2 * at), 'node1'), `w${at}_`);
    const local = planNodeLocal(fresh, first);
    const before = buildTables(first, local);
    const after = buildTables(second, planNodeLocal(local, second, changeBetween(first, second)));
    return [
      ...plan.add(hostSteps(host, `192.168.60.${at + 1}`)),
      ...plan.add(wholeFor(host, renderNftables(before))),
      ...plan.add(stepsFor(host, renderNftablesDiff(diffTables(before, after)))),
    ];
  });
}

// --- The comparison. ---

/** What the interpreter says of a packet, in the words of the driver. */
function interpreted(world: World, packet: DriverPacket): DriverAnswer {
  const { namespace, protocol, destination, port, sourcePort } = packet;
  const from =
    namespace === 'stranger'
      ? { outside: destination.includes(':') ? sixOf(OUTSIDE.address) : OUTSIDE.address }
      : { node: 'node1', namespace: namespace === SELF.host ? 'host' : namespace };
  const to = { destination, destinationPort: port, protocol, sourcePort };
  const { outcome, delivered } = connect(world, { from, ...to });
  if (outcome !== 'answered' || delivered === undefined) return { outcome: 'lost' };
  const { seenSource } = delivered;
  return { outcome, namespace: delivered.namespace, port: delivered.port, seenSource };
}

/** Whether the kernel's answer is right: by the interpreter, and by what the table means. */
function fault(
  asked: Asked,
  packet: DriverPacket,
  own: DriverAnswer,
  kernel?: DriverAnswer,
): string {
  const { namespace, destination, port, protocol } = packet;
  const isOutside = namespace === SELF.host || namespace === 'stranger';
  const from = isOutside ? 'outside' : { networkId: 'overlay1' };
  const expected = expectedBackends(asked.tables, {
    from,
    destination,
    destinationPort: port,
    protocol,
  });
  const text = `${protocol} ${namespace} -> ${destination} ${port}`;
  const say = (answer: DriverAnswer | undefined): string => JSON.stringify(answer);
  if (expected.type !== 'backends') {
    return kernel?.outcome === 'lost' && own.outcome === 'lost'
      ? ''
      : `${text}: ${expected.type}, but ${say(kernel)}, interpreted ${say(own)}`;
  }
  const taskId = kernel?.namespace?.slice(`${SELF.prefix}task_`.length) ?? '';
  if (!expected.taskIds.includes(taskId) || kernel?.port !== expected.port) {
    return `${text}: one of ${expected.taskIds.join(' ')}, but ${say(kernel)}`;
  }
  const { algorithm, affinity } = expected.vip;
  const isHashed = algorithm === 'source-hash' || algorithm === 'maglev' || affinity !== undefined;
  const isDrawn =
    !isHashed && (asked.tables.networks.get('overlay1')?.vips.size ?? 0) > TURN_SERVICES_MAX;
  // What is drawn at random is not the same twice, but for whom it is.
  if (isDrawn && !isOutside) return '';
  return say(own) === say(kernel) ? '' : `${text}: ${say(kernel)}, interpreted ${say(own)}`;
}

suite(title, () => {
  const plan = new Plan();
  const vote = planVote(plan);
  const random = planTables(plan);
  const clusters = planClusters(plan);
  let results: readonly DriverResult[] = [];

  beforeAll(() => {
    if (missing.length > 0) throw new Error(`missing on this machine: ${missing.join(', ')}`);
    results = runNatively(plan.steps, 180_000);
  }, 200_000);

  it('the tools accept what is rendered for the recorded cluster', () => {
    expect(refusals(plan.steps, results, vote.applied)).toEqual([]);
  });

  it('two nodes answer in turn, and backends see who asks', () => {
    const answers = results[vote.asked]?.answers ?? [];
    const seen = VOTE_QUESTIONS.map(([namespace, destination], at) => {
      const four = answers.slice(4 * at, 4 * at + 4);
      const turns = four.map((answer) => answer.namespace?.slice(-5) ?? 'lost').join(' ');
      const sources = new Set(four.map(({ seenSource }) => seenSource?.address));
      return [namespace, destination, turns, [...sources].join(' ')];
    });
    const turns = 'vote1 vote2 vote1 vote2';
    expect(seen).toEqual([
      ['v1_task_client1', '10.0.9.2', turns, '10.0.9.8'],
      ['v1_task_client1', '10.0.9.2', turns, '10.0.9.8'],
      // Itself in turn: then the answer has to come by the balancer.
      ['v1_task_vote2', '10.0.9.2', turns, '10.0.9.4 10.0.9.6'],
      ['outside', '192.168.50.11', turns, OUTSIDE.address],
      ['outside', '192.168.50.12', turns, OUTSIDE.address],
      ['vote1', '192.168.50.11', turns, '10.0.0.2'],
      ['vote1', '127.0.0.1', turns, '10.0.0.2'],
      ['v1_task_client1', '192.168.50.11', turns, '10.0.0.2'],
    ]);
  });

  it(`the tools accept whole texts and differences of random clusters (seed ${SEED})`, () => {
    expect(refusals(plan.steps, results, clusters)).toEqual([]);
  });

  it(`the tools accept the differences of ${TABLES} random tables (seed ${SEED})`, () => {
    const applied = random.asked.flatMap((asked) => asked.applied);
    expect(refusals(plan.steps, results, [...random.applied, ...applied])).toEqual([]);
  });

  const law = `${PACKETS} packets for each of ${TABLES} random tables go where they should`;
  it(`${law} (seed ${SEED})`, () => {
    for (const [number, asked] of random.asked.entries()) {
      random.world.apply('node1', asked.steps);
      const answers = results[asked.asked]?.answers ?? [];
      const faults = asked.packets
        .map((packet, at) => fault(asked, packet, interpreted(random.world, packet), answers[at]))
        .filter((text) => text !== '');
      expect({ number, services: asked.services, faults }).toEqual({
        number,
        services: asked.services,
        faults: [],
      });
    }
  });
});
