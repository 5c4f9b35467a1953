/**
 * What packets see while a transaction of nft comes into force: a service with fewer backends, or
 * more, refuses nobody. The kernel fixes the rules for a packet before it looks elements up.
 */
import { expect, it } from '@jest/globals';

import { changeBetween, nodeState, type FixtureCluster } from '../src/__fixtures__/cluster.js';
import { freshLocal } from '../src/__fixtures__/world.js';
import {
  buildTables,
  diffTables,
  planNodeLocal,
  renderNftables,
  renderNftablesDiff,
  type NodeTables,
} from '../src/index.js';
import { suiteThatNeeds } from '../../../scripts/test-needs.js';
import { missingForNft, runNatively } from './nft-kernel-plan.js';
import type { DriverStep } from './uml-driver.js';

const FLOOD_MS = 6_000;
const ROUNDS_MIN = 50;
const VIRTUAL = '10.0.9.2';
const CLIENT = '10.0.8.2';
const { suite, lack } = suiteThatNeeds(missingForNft());

/** A service with so many backends, none of them on this node. */
function clusterOf(backends: number, algorithm: 'round-robin' | 'source-hash'): FixtureCluster {
  return {
    nodes: [{ id: 'node1', underlay: '192.168.50.11' }],
    networks: [
      {
        id: 'net',
        subnet: '10.0.9.0/24',
        gateway: '10.0.9.1',
        vxlanId: 4097,
        balancers: { node1: '10.0.9.254' },
      },
    ],
    services: [{ id: 'vote', order: 1, vips: { net: VIRTUAL }, algorithm }],
    tasks: Array.from({ length: backends }, (_, number) => ({
      id: `vote${number}`,
      service: 'vote',
      node: 'node2',
      addresses: { net: `10.0.9.${10 + number}` },
    })),
  };
}

/** Transactions from one number of backends to another, and the tables before. */
function changeOf(
  from: FixtureCluster,
  to: FixtureCluster,
): { readonly before: NodeTables; readonly transactions: readonly string[] } {
  const [a, b] = [nodeState(from, 'node1', 1), nodeState(to, 'node1', 2)];
  const local = planNodeLocal(freshLocal(from, 'node1'), a);
  const before = buildTables(a, local);
  const after = buildTables(b, planNodeLocal(local, b, changeBetween(a, b)));
  const steps = renderNftablesDiff(diffTables(before, after)).filter(({ tool }) => tool === 'nft');
  return { before, transactions: steps.map(({ lines }) => lines.join('; ')) };
}

/** A balancer with the rules of a node between a client and where its backends would be. */
function plan(algorithm: 'round-robin' | 'source-hash'): readonly DriverStep[] {
  const [many, few] = [clusterOf(20, algorithm), clusterOf(3, algorithm)];
  const down = changeOf(many, few);
  const up = changeOf(few, many);
  const rules = renderNftables(down.before).find(({ namespace }) => namespace.name === '1-net');
  const run = (namespace: string, command: readonly string[], input: string): DriverStep => {
    return { do: 'run', namespace, command, input };
  };
  const ip = ['ip', '-batch', '-'];
  return [
    run('', ip, 'netns add client\nnetns add balancer\n'),
    run('client', ip, `link add c type veth peer name b netns balancer\nlink set dev c up\n`),
    run('client', ip, `addr add ${CLIENT}/24 dev c\nroute add default via 10.0.8.1\n`),
    run('balancer', ip, 'link set lo up\nlink set dev b up\naddr add 10.0.8.1/24 dev b\n'),
    run(
      'balancer',
      ip,
      `link add name lost type bridge\nlink set dev lost up\naddr add 10.0.9.254/24 dev lost\n`,
    ),
    run('balancer', ip, `route replace local ${VIRTUAL} dev lost\n`),
    run('balancer', ['sysctl'], 'net.ipv4.ip_forward = 1\n'),
    run('balancer', ['nft', '-f', '-'], rules?.texts.nft ?? ''),
    // What is dropped is no connection yet, so each datagram is looked at as the first of one.
    run(
      'balancer',
      ['nft', '-f', '-'],
      'table inet watch { chain missed { type filter hook input priority -10; policy accept; ' +
        `ip daddr ${VIRTUAL} counter drop; }; chain led { type filter hook forward priority -10; ` +
        'policy accept; ip daddr 10.0.9.0/24 counter drop; }; }\n',
    ),
    {
      do: 'flood',
      namespace: 'client',
      source: CLIENT,
      destination: VIRTUAL,
      changed: 'balancer',
      transactions: [...down.transactions, ...up.transactions],
      ms: FLOOD_MS,
      rounds: ROUNDS_MIN,
    },
    run('balancer', ['nft', 'list', 'table', 'inet', 'watch'], ''),
  ];
}

suite(`a transaction of nft in this kernel${lack}`, () => {
  it.each(['round-robin', 'source-hash'] as const)(
    '%s: of the connections made while backends come and go none is refused',
    (algorithm) => {
      const results = runNatively(plan(algorithm), 60_000);
      for (const { status, output } of results) expect([status, output]).toEqual([0, output]);
      const [flood, counters] = results.slice(-2);
      expect(Number(flood?.output)).toBeGreaterThan(20);
      const counted = [...(counters?.output ?? '').matchAll(/packets (\d+)/g)];
      const [missed, led] = counted.map(([, packets]) => Number(packets));
      expect(led).toBeGreaterThan(10_000);
      expect(missed).toBe(0);
    },
    70_000,
  );
});
