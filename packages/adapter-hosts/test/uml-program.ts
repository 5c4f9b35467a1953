/**
 * What runs inside user-mode-linux: two nodes with the dataplane `ipvs`, programmed by the adapter,
 * and real connections through them. What came of it goes to the file that is named first.
 *
 * A program and not a test: Jest would take minutes there.
 */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeState, type FixtureCluster } from '../../network/src/__fixtures__/cluster.js';
import { VOTE_CLUSTER } from '../../network/src/__fixtures__/vote.js';
import { kernelDataplane, type KernelDataplane } from '../src/dataplane/kernel-dataplane.js';
import { nodePrefix } from '../src/namespace/cluster-names.js';
import { runCommands } from '../src/namespace/command-runner.js';
import { NamespacedCluster } from '../src/namespace/namespaced-cluster.js';
import { listNamespaces } from '../src/namespace/netns-list.js';
import { openNameSockets, type NameSockets } from '../src/resolver/name-sockets.js';
import type { UmlResults } from './uml-results.js';

const CLUSTER = 'uml';
const VIP = '10.0.9.2';
const URL_OF_VIP = `http://${VIP}/`;
const NODES = [
  ['node1', '192.168.50.11'],
  ['node2', '192.168.50.12'],
] as const;
/** Which task of `vote` runs where; A is on node1, as in what was recorded. */
const SERVERS = [
  ['node1', 'vote2', 'A'],
  ['node2', 'vote1', 'B'],
] as const;
const CLIENT = taskOf('node1', 'client1');
const OUTSIDE = `${CLUSTER}.outside`;
const SETTINGS = [
  'net.ipv4.vs.conntrack',
  'net.ipv4.conf.all.rp_filter',
  'net.ipv4.ip_forward',
  'net.bridge.bridge-nf-call-iptables',
];

function taskOf(node: string, task: string): string {
  return `${nodePrefix(CLUSTER, node)}task_${task}`;
}

function dataplaneOf(name: string, underlayAddress: string): KernelDataplane {
  return kernelDataplane({
    node: {
      namespace: `${CLUSTER}.${name}`,
      namespacePrefix: nodePrefix(CLUSTER, name),
      underlayAddress,
    },
    renderer: 'ipvs',
    stateFile: `/run/${name}.json`,
  });
}

/** A namespace as the kernel's tools print it, in the form of what was recorded of a Swarm. */
async function recorded(namespace: string): Promise<string> {
  const commands = [
    ['ip', '-brief', 'address'],
    ['ip', 'route'],
    ['bridge', 'fdb', 'show'],
    ['ip', 'neigh', 'show', 'nud', 'permanent'],
    ['ip', '-details', 'link', 'show', 'type', 'vxlan'],
    ['iptables-legacy-save'],
    ['ipvsadm', '--save', '--numeric'],
    ['sysctl', ...SETTINGS],
  ];
  const results = await runCommands(commands.map((command) => ({ namespace, command })));
  const [address = '', route = '', fdb = '', neigh = '', link = '', rules = '', ipvs = '', set] =
    results.map(({ output }) => output);
  const tunnels = link.match(/vxlan id .* noudp6zerocsumrx/g) ?? [];
  return [
    '# ip -brief address; ip route',
    // Docker has no addresses of IPv6 there.
    address.replace(/ (?:fe80:\S+|::1\/128)/g, ''),
    route,
    '# bridge fdb show; ip neigh show',
    fdb,
    neigh,
    '# ip -details link show type vxlan',
    ...tunnels,
    '# iptables-save (rules only, embedded-DNS chains left out)',
    ...rules.split('\n').filter((line) => !isNameRule(namespace, line)),
    '# ipvsadm --save --numeric',
    ipvs,
    '# sysctl',
    set,
    '',
  ].join('\n');
}

/** The way to the name server, which was left out of what was recorded. */
function isNameRule(namespace: string, line: string): boolean {
  return line.startsWith('#') || (namespace.includes('.task_') && line.includes('127.0.0.'));
}

/** Those that begin so; each costs some seconds. */
async function recordAll(beginning: string): Promise<Record<string, string>> {
  const names = await listNamespaces(`${CLUSTER}.${beginning}`);
  const found: Record<string, string> = {};
  for (const { name } of names) found[name.slice(CLUSTER.length + 1)] = await recorded(name);
  return found;
}

/** Answers that wait. */
const held: (() => void)[] = [];

function release(): void {
  for (const answer of held.splice(0)) answer();
}

async function serve(namespace: string, letter: string): Promise<NameSockets> {
  const sockets = await openNameSockets(namespace, '0.0.0.0', 80);
  const http = createServer(({ url, socket: { remoteAddress = '' } }, response) => {
    const answer = (): void => void response.end(`${letter} ${remoteAddress}`);
    if (url === '/slow') held.push(answer);
    else answer();
  });
  sockets.tcp.on('connection', (socket) => http.emit('connection', socket));
  sockets.udp.on('message', (_, { address, port }) => {
    sockets.udp.send(`${letter} ${address}\n`, port, address);
  });
  return sockets;
}

/** Answers to four connections, one after the other. */
async function ask(namespace: string, url: string, times = 4): Promise<readonly string[]> {
  const command = ['curl', '-s', '-S', '--max-time', '60', url];
  const all = Array.from({ length: times }, () => ({ namespace, command }));
  return (await runCommands(all)).map(({ output, errors }) => output || errors.trim());
}

async function askUdp(namespace: string, address: string): Promise<readonly string[]> {
  const script = `exec 3<>/dev/udp/${address}/80; echo q >&3; timeout 5 head -n 1 <&3`;
  const all = Array.from({ length: 4 }, () => ({ namespace, command: ['bash', '-c', script] }));
  return (await runCommands(all)).map(({ output }) => output.trim());
}

const draining: FixtureCluster = {
  ...VOTE_CLUSTER,
  tasks: VOTE_CLUSTER.tasks.map((task) =>
    task.id === 'vote2' ? { ...task, state: 'draining' } : task,
  ),
};

async function applyAll(
  dataplanes: readonly KernelDataplane[],
  cluster: FixtureCluster,
  revision: number,
): Promise<void> {
  for (const [at, dataplane] of dataplanes.entries()) {
    const change = {
      networks: [],
      services: [],
      slices: ['vote.ingress.0', 'vote.ingress.1', 'vote.overlay1.0', 'vote.overlay1.1'],
      peers: [],
      tasks: [],
    };
    const state = nodeState(cluster, NODES[at]?.[0] ?? '', revision);
    await dataplane.apply(state, revision === 1 ? undefined : change);
  }
}

/** Two requests are under way, one on each backend, while one of the backends is drained. */
async function drained(dataplanes: readonly KernelDataplane[]): Promise<UmlResults['drain']> {
  const slow = [1, 2].map(() => ask(CLIENT, `${URL_OF_VIP}slow`, 1));
  while (held.length < 2) await sleep(50);
  await applyAll(dataplanes, draining, 2);
  const whileDraining = await ask(CLIENT, URL_OF_VIP);
  release();
  const underWay = (await Promise.all(slow)).flat().sort();
  await applyAll(dataplanes, VOTE_CLUSTER, 3);
  return { whileDraining, underWay, afterwards: await ask(CLIENT, URL_OF_VIP) };
}

/** Somebody breaks what node1 has. */
async function repaired(node1: KernelDataplane): Promise<UmlResults['repair']> {
  const harm = [
    ['lb_overlay1', 'ipvsadm', '-C'],
    ['ingress_sbox', 'iptables-legacy', '-t', 'mangle', '-F'],
    ['1-overlay1', 'ip', 'link', 'set', 'br0', 'down'],
    ['task_client1', 'ip', 'route', 'del', 'default'],
  ].map(([name = '', ...command]) => ({
    namespace: `${nodePrefix(CLUSTER, 'node1')}${name}`,
    command,
  }));
  const harmed = (await runCommands(harm)).map(({ errors }) => errors.trim());
  return {
    harmed,
    findings: await node1.repair(),
    answers: await ask(CLIENT, URL_OF_VIP),
    mesh: await ask(OUTSIDE, 'http://192.168.50.11:8080/'),
    again: await node1.repair(),
  };
}

async function main(path: string): Promise<void> {
  const house = new NamespacedCluster({ clusterId: CLUSTER });
  for (const [name, address] of NODES) await house.ensureNode(name, `${address}/24`);
  await house.ensureNode('outside', '192.168.50.99/24');
  const first = dataplaneOf(...NODES[0]);
  const others = [dataplaneOf(...NODES[1])];
  const dataplanes = [first, ...others];
  await applyAll(dataplanes, VOTE_CLUSTER, 1);
  const servers: NameSockets[] = [];
  for (const [node, task, letter] of SERVERS) servers.push(await serve(taskOf(node, task), letter));
  const tables = await recordAll('node');
  const answers = {
    'the client by the virtual address': await ask(CLIENT, URL_OF_VIP),
    'the client by the virtual address, udp': await askUdp(CLIENT, VIP),
    'node1:8080 from outside': await ask(OUTSIDE, 'http://192.168.50.11:8080/'),
    'node2:8080 from outside': await ask(OUTSIDE, 'http://192.168.50.12:8080/'),
    'node2:8080 from node1': await ask(`${CLUSTER}.node1`, 'http://192.168.50.12:8080/'),
    '127.0.0.1:8080 on node2': await ask(`${CLUSTER}.node2`, 'http://127.0.0.1:8080/'),
    'a port that nobody published': await ask(OUTSIDE, 'http://192.168.50.11:9090/', 1),
  };
  const drain = await drained(dataplanes);
  const repair = await repaired(first);
  // Another agent finds everything as it is, and a connection goes on meanwhile.
  const during = ask(CLIENT, `${URL_OF_VIP}slow`, 1);
  while (held.length < 1) await sleep(50);
  await first.close();
  const second = dataplaneOf(...NODES[0]);
  await applyAll([second], VOTE_CLUSTER, 1);
  release();
  const successor = { tables: await recordAll('node1.lb_'), during: await during };
  for (const { udp, tcp, client } of servers) for (const one of [udp, tcp, client]) one.close();
  for (const dataplane of [second, ...others]) {
    await dataplane.clear();
    await dataplane.close();
  }
  await house.remove();
  const left = (await listNamespaces('')).map(({ name }) => name);
  const results: UmlResults = {
    tables,
    answers,
    drain,
    repair,
    successor,
    left,
  };
  writeFileSync(path, JSON.stringify(results));
  process.exit(0);
}

main(process.argv[2] ?? '').catch((thrown: unknown) => {
  process.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
  process.exit(1);
});
