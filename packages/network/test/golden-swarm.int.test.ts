/**
 * What a real Docker Swarm programmed, against what we render, and through the interpreter.
 * The recorded files lie beside the project; without them these tests are skipped.
 */
import { describe, expect } from '@jest/globals';

import { voteNode } from '../src/__fixtures__/vote.js';
import { renderNode } from '../src/ipvs/render.js';
import { HOST_NAMESPACE, type RenderedNamespace } from '../src/render/rendered.js';
import { loadRecorded, parseRecorded, recordedReference } from '../src/interpreter/recorded.js';
import type { NamespaceConfig } from '../src/interpreter/namespace-config.js';
import { GOLDEN_FILES, goldenTest, goldenText } from './golden-files.js';
import { tunnelsOf, view } from './golden-view.js';
import { connect, sendPacket, type PacketOrigin } from '../src/interpreter/send.js';
import { sysctl } from '../src/interpreter/sysctl.js';
import { World } from '../src/interpreter/world.js';
import { buildTables } from '../src/table/build.js';
import { createNodeLocal } from '../src/table/node-local.js';
import { planNodeLocal } from '../src/table/node-local-plan.js';

type NodeName = 'node1' | 'node2';
const NODES: readonly (readonly [NodeName, string])[] = [
  ['node1', '192.168.50.11'],
  ['node2', '192.168.50.12'],
];
/** Which task of the fixture a recorded task file is about. */
const TASKS: Readonly<Record<string, string>> = {
  'node1/vote-task.txt': 'vote2',
  'node2/vote-task.txt': 'vote1',
  'node1/client-task.txt': 'client1',
};

/** The name that the fixture's rendering gives the namespace of a recorded file. */
function nameOf(file: string): string {
  const task = TASKS[file];
  return task === undefined ? recordedReference(file.split('/')[1] ?? '').name : `task_${task}`;
}

function rendered(node: NodeName): readonly RenderedNamespace[] {
  const { state, local } = voteNode(node);
  return renderNode(buildTables(state, local));
}

function renderedWorld(): World {
  const world = new World();
  for (const [name, address] of NODES) {
    world.addNode({ name, address: `${address}/24` });
    world.setNode(name, rendered(name));
  }
  return world;
}

/** The host was recorded in a run of a single node, where the ingress sandbox's leg was .3. */
function hostText(): string {
  return (
    '# ip -brief address; ip route\n' +
    'docker_gwbridge UP 172.18.0.1/16\n' +
    '# sysctl\nnet.ipv4.ip_forward = 1\nnet.ipv4.conf.docker_gwbridge.route_localnet = 1\n' +
    goldenText('host-firewall.txt').replaceAll('172.18.0.3', '172.18.0.2')
  );
}

function recordedWorld(): World {
  const world = new World();
  for (const [name, address] of NODES) {
    world.addNode({ name, address: `${address}/24` });
    loadRecorded(world, name, [
      { reference: HOST_NAMESPACE, text: hostText() },
      ...GOLDEN_FILES.filter((file) => file.startsWith(name)).map((file) => ({
        reference: recordedReference(file.split('/')[1] ?? ''),
        text: goldenText(file),
      })),
    ]);
  }
  return world;
}

describe('golden: rendered texts equal what a real Swarm programmed', () => {
  goldenTest.each(GOLDEN_FILES)('%s', (file) => {
    const [node] = file.split('/') as [NodeName];
    const world = renderedWorld();
    const ours = world.namespace(node, nameOf(file));
    const recorded = parseRecorded(recordedReference(file.split('/')[1] ?? ''), goldenText(file));
    const host = world.namespace(node, 'host').config.links.values();
    const ourTunnels = tunnelsOf(
      [...host].filter((link) => link.peerNamespace === ours.reference.name),
    );
    expect(view(ours.config, ourTunnels)).toEqual(
      view(recorded, tunnelsOf(recorded.links.values())),
    );
    // The settings that were recorded are the ones in force.
    for (const [key, value] of recorded.sysctls)
      expect([key, sysctl(world, ours, key)]).toEqual([key, value]);
  });

  goldenTest('nothing is rendered that was not recorded', () => {
    for (const [node] of NODES) {
      const files = GOLDEN_FILES.filter((file) => file.startsWith(node)).map(nameOf);
      const names = rendered(node).map(({ namespace }) => namespace.name);
      expect(names.sort()).toEqual(['host', ...files].sort());
    }
  });

  goldenTest('host-firewall.txt: chains, jumps and masquerading of the ingress', () => {
    const world = new World();
    world.addNode({ name: 'node1', address: '192.168.50.11/24' });
    // In the recorded run 172.18.0.2 was taken when the ingress sandbox got its leg.
    const { state } = voteNode('node1');
    const fresh = createNodeLocal({ underlayAddress: '192.168.50.11' });
    const local = planNodeLocal({ ...fresh, lastLeg: '172.18.0.2' }, state);
    world.setNode('node1', renderNode(buildTables(state, local)));
    const ours = world.namespace('node1', 'host').config;
    const theirs = parseRecorded(
      HOST_NAMESPACE,
      `# iptables-save\n${goldenText('host-firewall.txt')}`,
    );
    const rulesOf = (config: NamespaceConfig): unknown =>
      ['nat', 'filter'].map((table) =>
        [...config.table(table as 'nat')]
          .flatMap(([chain, { rules }]) => rules.map(({ text }) => `${chain} ${text}`))
          .filter((text) => !/docker0|ISOLATION/.test(text))
          .sort(),
      );
    expect(rulesOf(ours)).toEqual(rulesOf(theirs));
  });
});

describe.each([
  ['recorded', recordedWorld, { vote1: 'task_vote', vote2: 'task_vote', client: 'task_client' }],
  ['rendered', renderedWorld, { vote1: 'task_vote1', vote2: 'task_vote2', client: 'task_client1' }],
] as const)('the %s tables answer as the real ones did', (_, makeWorld, names) => {
  /** A: the task on node1; B: the one on node2. */
  const letters = (
    world: World,
    from: PacketOrigin,
    destination: string,
    destinationPort: number,
  ): string =>
    Array.from({ length: 4 }, () => {
      const result = connect(world, { from, destination, destinationPort });
      if (result.outcome !== 'answered') return result.reason;
      expect(result.delivered?.port).toBe(80);
      return result.delivered?.node === 'node1' ? 'A' : 'B';
    }).join(' ');

  goldenTest('curl node1:8080 and node2:8080 from outside alternate', () => {
    const world = makeWorld();
    const outside = { outside: '192.168.50.99' };
    expect(letters(world, outside, '192.168.50.11', 8080)).toMatch(/^(A B A B|B A B A)$/);
    expect(letters(world, outside, '192.168.50.12', 8080)).toMatch(/^(A B A B|B A B A)$/);
  });

  goldenTest(
    'curl node2:8080 from node1, and from node2 itself by its address and by 127.0.0.1',
    () => {
      const world = makeWorld();
      const alternating = /^(A B A B|B A B A)$/;
      const host = (node: NodeName): PacketOrigin => ({ node, namespace: 'host' });
      expect(letters(world, host('node1'), '192.168.50.12', 8080)).toMatch(alternating);
      expect(letters(world, host('node2'), '192.168.50.12', 8080)).toMatch(alternating);
      expect(letters(world, host('node2'), '127.0.0.1', 8080)).toMatch(alternating);
    },
  );

  goldenTest('the client reaches the VIP, any port of it, and a backend reaches itself', () => {
    const world = makeWorld();
    const client = { node: 'node1', namespace: names.client };
    expect(letters(world, client, '10.0.9.2', 80)).toMatch(/^(A B A B|B A B A)$/);
    const other = connect(world, { from: client, destination: '10.0.9.2', destinationPort: 5432 });
    expect(other.delivered).toMatchObject({ port: 5432 });
    const backend = { node: 'node2', namespace: names.vote1 };
    expect(letters(world, backend, '10.0.9.2', 80)).toMatch(/^(A B A B|B A B A)$/);
  });

  goldenTest('sources are translated as Swarm does it', () => {
    const world = makeWorld();
    const from = { outside: '192.168.50.99' };
    const mesh = connect(world, { from, destination: '192.168.50.11', destinationPort: 8080 });
    expect(mesh.delivered?.seenSource.address).toBe('10.0.0.2');
    const inside = connect(world, {
      from: { node: 'node1', namespace: names.client },
      destination: '10.0.9.2',
      destinationPort: 80,
      protocol: 'udp',
    });
    expect(inside.delivered?.seenSource.address).toBe('10.0.9.6');
    expect(inside.outcome).toBe('answered');
  });

  goldenTest('nothing but published ports gets through on the ingress address', () => {
    const world = makeWorld();
    const sandbox = { node: 'node1', namespace: 'ingress_sbox' };
    for (const [destinationPort, protocol] of [
      [9090, 'tcp'],
      [8080, 'udp'],
      [80, 'udp'],
    ] as const) {
      const result = sendPacket(world, {
        from: sandbox,
        destination: '10.0.0.6',
        destinationPort,
        protocol,
      });
      expect(result.dropped).toBe('dropped by a rule of INPUT');
    }
    const outgoing = sendPacket(world, {
      from: { node: 'node1', namespace: names.vote2 },
      destination: '10.0.0.5',
      destinationPort: 80,
    });
    expect(outgoing.dropped).toBe('dropped by a rule of OUTPUT');
    const unpublished = connect(world, {
      from: { outside: '192.168.50.99' },
      destination: '192.168.50.11',
      destinationPort: 9090,
    });
    expect(unpublished.outcome).toBe('refused');
  });

  goldenTest('the way is the one that the tables spell out', () => {
    const world = makeWorld();
    const result = connect(world, {
      from: { outside: '192.168.50.99' },
      destination: '192.168.50.11',
      destinationPort: 8080,
    });
    const steps = result.hops.map(({ hook, action }) => `${hook} ${action}`);
    expect(steps.slice(0, 2)).toEqual(['prerouting DNAT', 'prerouting destination']);
    expect(steps).toEqual(
      expect.arrayContaining(['prerouting MARK', 'balance backend', 'prerouting REDIRECT']),
    );
    expect(steps.at(-1)).toBe('deliver delivered');
  });

  goldenTest('without ip_forward in the sandbox the answer is lost, as was observed', () => {
    const world = makeWorld();
    world.namespace('node1', 'ingress_sbox').config.sysctls.set('net.ipv4.ip_forward', '0');
    const result = connect(world, {
      from: { outside: '192.168.50.99' },
      destination: '192.168.50.11',
      destinationPort: 8080,
    });
    expect(result.outcome).toBe('dropped');
    expect(result.reason).toContain('ip_forward is 0');
  });
});
