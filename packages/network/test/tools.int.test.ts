/**
 * The texts of the renderer `ipvs` and the host's own tools, outside user-mode-linux: `ip -batch`
 * and `bridge -batch` carry them out in namespaces of the test's own, `iptables-restore --test` and
 * `ip6tables-restore --test` read the rules. IPVS itself needs a kernel that has it.
 */
import { spawnSync } from 'node:child_process';

import { afterAll, expect, it } from '@jest/globals';

import { missingPrograms, suiteThatNeeds } from '../../../scripts/test-needs.js';
import { nodeState, sixOf, type FixtureCluster } from '../src/__fixtures__/cluster.js';
import { VOTE_CLUSTER } from '../src/__fixtures__/vote.js';
import {
  TOOLS,
  buildTables,
  createNodeLocal,
  planNodeLocal,
  renderNode,
  type RenderedNamespace,
  type Tool,
} from '../src/index.js';

const COMMANDS: Readonly<Partial<Record<Tool, readonly string[]>>> = {
  ip: ['ip', '-batch', '-'],
  bridge: ['bridge', '-batch', '-'],
  iptables: ['iptables-restore', '--noflush', '--test'],
  ip6tables: ['ip6tables-restore', '--noflush', '--test'],
};
const PROGRAMS = ['ip', 'bridge', 'nsenter', 'iptables-restore', 'ip6tables-restore'];
const PREFIX = `skt-${process.pid}-`;

const missing = missingPrograms(PROGRAMS);
const { suite, lack } = suiteThatNeeds(missing);

/** Runs a program; gives what it says when it fails, else ''. */
function run(command: readonly string[], input = ''): string {
  const [program = '', ...args] = command;
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    input,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  });
  if (error !== undefined) return error.message;
  return status === 0 ? '' : `${command.join(' ')}: ${stdout}${stderr}`;
}

/** Texts of a node, with all its namespaces named as the test's own. */
function rendered(cluster: FixtureCluster, host: string): readonly RenderedNamespace[] {
  const state = nodeState(cluster, 'node1');
  const gatewayBridge = {
    name: 'docker_gwbridge',
    address: '172.18.0.1/16',
    ...(cluster.families === 'ipv4' ? {} : { address6: `${sixOf('172.18.0.1')}/64` }),
  };
  const local = createNodeLocal({
    underlayAddress: '192.168.50.11',
    namespacePrefix: `${host}-`,
    gatewayBridge,
  });
  return renderNode(buildTables(state, planNodeLocal(local, state)));
}

/** What the tools complain of when a node's texts are applied to a namespace called `host`. */
function complaints(host: string, texts: readonly RenderedNamespace[]): readonly string[] {
  const said = [run(['ip', 'netns', 'add', host])];
  for (const { namespace, texts: own } of texts) {
    const name = namespace.kind === 'host' ? host : namespace.name;
    for (const tool of TOOLS) {
      const command = COMMANDS[tool];
      const text = own[tool] ?? '';
      if (command === undefined || text === '') continue;
      // Not `ip netns exec`: namespaces made in there would be seen in there only.
      said.push(run(['nsenter', `--net=/run/netns/${name}`, ...command], text));
    }
  }
  return said.filter((text) => text !== '');
}

function removeNamespaces(): void {
  const { stdout } = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  for (const line of (stdout ?? '').split('\n')) {
    const [name = ''] = line.split(' ');
    if (name.startsWith(PREFIX)) run(['ip', 'netns', 'delete', name]);
  }
}

suite(`the host's tools${lack}`, () => {
  afterAll(removeNamespaces);

  it.each(['ipv4', 'dual', 'ipv6'] as const)('accept the texts of a node: %s', (families) => {
    expect(missing).toEqual([]);
    const host = `${PREFIX}${families}`;
    try {
      expect(complaints(host, rendered({ ...VOTE_CLUSTER, families }, host))).toEqual([]);
    } finally {
      removeNamespaces();
    }
  });
});
