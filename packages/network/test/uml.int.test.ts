/**
 * The renderer `ipvs` and the interpreter against a real kernel, in user-mode-linux: its tools
 * accept every text, and it gives packets to whom the interpreter gives them.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';

import {
  changeBetween,
  nodeState,
  sixOf,
  type FixtureCluster,
} from '../src/__fixtures__/cluster.js';
import { randomCluster } from '../src/__fixtures__/random-cluster.js';
import { VOTE_CLUSTER } from '../src/__fixtures__/vote.js';
import {
  World,
  buildTables,
  connect,
  createNodeLocal,
  diffTables,
  planNodeLocal,
  renderDiff,
  renderNode,
  type NodeLocal,
  type NodeNetworkState,
  type RenderedStep,
} from '../src/index.js';
import type { DriverAnswer, DriverPacket, DriverResult, DriverStep } from './uml-driver.js';
import { suiteThatNeeds } from '../../../scripts/test-needs.js';
import { missingForKernel, runInKernel } from './uml-kernel.js';
import {
  BASE_CLUSTER,
  UNDERLAY_STEPS,
  diffSteps,
  hostSteps,
  randomTables,
  randomState,
  wholeSteps,
  type RandomService,
} from './uml-worlds.js';

const TABLES = 200;
const PACKETS = 50;
/** Random clusters whose texts and differences are only applied. */
const CLUSTERS = 3;
/** One that is the same in every run; `SKEP_SEED` gives another. */
const SEED = Number(process.env['SKEP_SEED'] ?? 4_711);
const SELF = { address: '192.168.50.11', address6: sixOf('192.168.50.11') };

const missing = missingForKernel();
const { suite, lack } = suiteThatNeeds(missing);

/** A plan under way, and what came of it. Steps are named by their numbers. */
class Plan {
  readonly steps: DriverStep[] = [...UNDERLAY_STEPS];
  results: readonly DriverResult[] = [];

  /** Adds steps; gives their numbers. */
  add(steps: readonly DriverStep[]): readonly number[] {
    return steps.map((step) => this.steps.push(step) - 1);
  }

  async carryOut(folder: string): Promise<void> {
    mkdirSync(folder);
    this.results = await runInKernel(folder, this.steps);
  }

  answers(at: number): readonly DriverAnswer[] {
    return this.results[at]?.answers ?? [];
  }

  /** What was not accepted of the steps, with what the tool said to it. */
  failures(of: readonly number[]): readonly string[] {
    return of.flatMap((at) => {
      const step = this.steps[at];
      const result = this.results[at];
      if (result === undefined) return [`step ${at} was not carried out`];
      if (step?.do !== 'run' || result.status === 0) return [];
      const { command, namespace, input } = step;
      return [`${command.join(' ')} in ${namespace}: ${result.output ?? ''}\n${input}`];
    });
  }
}

function bridgeOf(cluster: FixtureCluster): NonNullable<NodeLocal['gatewayBridge']> {
  const bridge = { name: 'docker_gwbridge', address: '172.18.0.1/16' };
  return cluster.families === undefined || cluster.families === 'ipv4'
    ? bridge
    : { ...bridge, address6: `${sixOf('172.18.0.1')}/64` };
}

function localOf(cluster: FixtureCluster, prefix: string, underlayAddress: string): NodeLocal {
  return createNodeLocal({
    underlayAddress,
    namespacePrefix: prefix,
    gatewayBridge: bridgeOf(cluster),
  });
}

// --- Two nodes of the recorded cluster, tunnel and all. ---

interface Vote {
  readonly applied: readonly number[];
  readonly asked: number;
}

function voteQuestions(): readonly DriverPacket[] {
  const ask = (
    namespace: string,
    destination: string,
    port: number,
    from: number,
  ): DriverPacket[] =>
    [0, 1, 2, 3].map((at) => {
      return { namespace, protocol: 'tcp', destination, port, sourcePort: from + at };
    });
  return [
    ...ask('v1_task_client1', '10.0.9.2', 80, 20_000),
    ...ask('vote1', '192.168.50.11', 8080, 20_010),
    ...ask('vote1', '127.0.0.1', 8080, 20_020),
    ...ask('vote1', '192.168.50.12', 8080, 20_030),
    ...ask('vote2', '192.168.50.12', 8080, 20_040),
  ];
}

function planVote(plan: Plan): Vote {
  const applied: number[] = [];
  for (const [node, underlay] of [
    ['1', '192.168.50.11'],
    ['2', '192.168.50.12'],
  ] as const) {
    const state = nodeState(VOTE_CLUSTER, `node${node}`);
    const local = planNodeLocal(localOf(VOTE_CLUSTER, `v${node}_`, underlay), state);
    applied.push(
      ...plan.add(hostSteps(`vote${node}`, underlay)),
      // The texts of the two nodes differ in little: one of them is tested as well.
      ...plan.add(wholeSteps(`vote${node}`, renderNode(buildTables(state, local)), node === '1')),
    );
  }
  for (const namespace of ['v2_task_vote1', 'v1_task_vote2']) {
    applied.push(...plan.add([{ do: 'listen', namespace, ports: [80] }]));
  }
  const [asked = -1] = plan.add([{ do: 'ask', packets: voteQuestions() }]);
  return { applied, asked };
}

// --- Random tables over a node of its own. ---

interface Asked {
  readonly services: readonly RandomService[];
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

const HOST = 'random';
const PREFIX = 'r_';

function planTables(plan: Plan): Tables {
  const drawn = fc.sample(packetDraws, { numRuns: TABLES, seed: SEED });
  let state: NodeNetworkState = randomState([], 1);
  let local = planNodeLocal(localOf(BASE_CLUSTER, PREFIX, SELF.address), state);
  let tables = buildTables(state, local);
  const world = new World();
  world.addNode({ name: 'node1', address: `${SELF.address}/24`, address6: `${SELF.address6}/64` });
  world.setNode('node1', renderNode(tables));
  const applied = [
    ...plan.add(hostSteps(HOST, SELF.address)),
    ...plan.add(wholeSteps(HOST, renderNode(tables), false)),
    ...plan.add(
      BASE_CLUSTER.tasks.map(({ id }) => {
        return { do: 'listen', namespace: `${PREFIX}task_${id}`, ports: [53, 80] };
      }),
    ),
  ];
  let sourcePort = 10_000;
  const asked = randomTables(TABLES, SEED).map((services, at): Asked => {
    const next = randomState(services, at + 2);
    const change = changeBetween(state, next);
    local = planNodeLocal(local, next, change);
    const after = buildTables(next, local);
    const steps = renderDiff(diffTables(tables, after));
    [state, tables] = [next, after];
    const packets = (drawn[at] ?? []).map((draw) => packetOf(services, draw, (sourcePort += 1)));
    return {
      services,
      steps,
      // A test of every text takes too long there; the apply that follows is one as well.
      applied: plan.add(diffSteps(HOST, steps, at === 0)),
      asked: plan.add([{ do: 'ask', packets }])[0] ?? -1,
      packets,
    };
  });
  return { world, applied, asked };
}

interface PacketDraw {
  readonly pick: number;
  readonly isTcp: boolean;
  readonly isIpv6: boolean;
  readonly isFromOutside: boolean;
  readonly isDns: boolean;
}

const packetDraws = fc.array(
  fc.record({
    pick: fc.nat(),
    isTcp: fc.integer({ min: 0, max: 3 }).map((draw) => draw === 0),
    isIpv6: fc.boolean(),
    isFromOutside: fc.integer({ min: 0, max: 3 }).map((draw) => draw === 0),
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
    return { namespace: HOST, protocol, destination: family(SELF.address), port, sourcePort };
  }
  const service = services[draw.pick % services.length];
  const destination = family(`10.0.9.${150 + (service?.number ?? 0)}`);
  const port = draw.isDns ? 53 : 80;
  return { namespace: `${PREFIX}task_probe`, protocol, destination, port, sourcePort };
}

// --- Random clusters: only what the tools say to their texts. ---

function planClusters(plan: Plan): readonly number[] {
  const families = ['ipv4', 'dual', 'ipv6'] as const;
  const drawn = fc.sample(randomCluster({ isStrict: true }), { numRuns: 2 * CLUSTERS, seed: SEED });
  return Array.from({ length: CLUSTERS }, (_, at) => at).flatMap((at) => {
    const host = `world${at}`;
    const [first, second] = [drawn[2 * at], drawn[2 * at + 1]].map((cluster) =>
      nodeState({ ...(cluster ?? VOTE_CLUSTER), families: families[at % 3] ?? 'ipv4' }, 'node1'),
    );
    if (first === undefined || second === undefined) throw new Error('two were drawn');
    const fresh = localOf(
      { ...VOTE_CLUSTER, families: families[at % 3] ?? 'ipv4' },
      `w${at}_`,
      SELF.address,
    );
    const local = planNodeLocal(fresh, first);
    const before = buildTables(first, local);
    const after = buildTables(second, planNodeLocal(local, second, changeBetween(first, second)));
    return [
      ...plan.add(hostSteps(host, `192.168.60.${at + 1}`)),
      ...plan.add(wholeSteps(host, renderNode(before), false)),
      ...plan.add(diffSteps(host, renderDiff(diffTables(before, after)), false)),
    ];
  });
}

// --- The comparison. ---

/** What the interpreter says of packets, in the words of the driver. */
function expected(world: World, packets: readonly DriverPacket[]): readonly DriverAnswer[] {
  return packets.map(({ namespace, protocol, destination, port, sourcePort }): DriverAnswer => {
    const from = { node: 'node1', namespace: namespace === HOST ? 'host' : namespace };
    const to = { destination, destinationPort: port, protocol, sourcePort };
    const { outcome, delivered } = connect(world, { from, ...to });
    if (outcome !== 'answered' || delivered === undefined) return { outcome: 'lost' };
    const { seenSource } = delivered;
    return { outcome, namespace: delivered.namespace, port: delivered.port, seenSource };
  });
}

/** For people: what was asked, and who answered. */
function described(packet: DriverPacket | undefined, answer: DriverAnswer | undefined): string {
  const { protocol, destination, port } = packet ?? {};
  const { outcome, namespace, seenSource } = answer ?? {};
  const place = `${namespace ?? ''}:${answer?.port ?? ''}`;
  const seen = `${seenSource?.address ?? ''} ${seenSource?.port ?? ''}`;
  return `${protocol} ${destination} ${port} -> ${outcome} ${place} from ${seen}`;
}

suite(`IPVS in user-mode-linux${lack}`, () => {
  const whole = new Plan();
  const walk = new Plan();
  let folder = '';
  let vote: Vote = { applied: [], asked: -1 };
  let clusters: readonly number[] = [];
  let random: Tables = { world: new World(), applied: [], asked: [] };

  beforeAll(async () => {
    if (missing.length > 0) throw new Error(`missing on this machine: ${missing.join(', ')}`);
    vote = planVote(whole);
    clusters = planClusters(whole);
    random = planTables(walk);
    folder = mkdtempSync(join(tmpdir(), `skt-uml-${process.pid}-`));
    await Promise.all([whole.carryOut(join(folder, 'whole')), walk.carryOut(join(folder, 'walk'))]);
  }, 600_000);

  afterAll(() => {
    if (folder !== '') rmSync(folder, { recursive: true, force: true });
  });

  it('the tools accept what is rendered for the recorded cluster', () => {
    expect(vote.applied.length).toBeGreaterThan(0);
    expect(whole.failures(vote.applied)).toEqual([]);
  });

  it('two nodes answer in turn, through the tunnel, as was recorded', () => {
    const turns = whole.answers(vote.asked).map(({ namespace }) => namespace?.slice(-5) ?? 'lost');
    expect(turns).toEqual(Array.from({ length: 10 }, () => ['vote2', 'vote1']).flat());
  });

  it(`the tools accept whole texts and differences of random clusters (seed ${SEED})`, () => {
    expect(whole.failures(clusters)).toEqual([]);
  });

  it(`the tools accept the differences of ${TABLES} random tables (seed ${SEED})`, () => {
    const applied = random.asked.flatMap((asked) => asked.applied);
    expect(walk.failures([...random.applied, ...applied])).toEqual([]);
  });

  it(`${TABLES} random tables: packets go where the interpreter says (seed ${SEED})`, () => {
    const { world } = random;
    expect(random.asked).toHaveLength(TABLES);
    for (const [number, { services, steps, asked, packets }] of random.asked.entries()) {
      world.now = walk.results[asked]?.at ?? 0;
      world.apply('node1', steps);
      const say = (answers: readonly DriverAnswer[]): readonly string[] =>
        packets.map((packet, at) => described(packet, answers[at]));
      expect({ number, services, answers: say(walk.answers(asked)) }).toEqual({
        number,
        services,
        answers: say(expected(world, packets)),
      });
    }
  });
});
