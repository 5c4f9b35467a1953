/**
 * A machine of its own for a test: run in new network and mount namespaces, it makes itself an
 * address, brings a cluster up of which it is the node, asks it, takes it down, and says what it
 * found as JSON. Arguments: the state folder, then the command of the cluster's processes.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { controlClient } from '@skep/control';
import { down, status, up } from '../index.js';

const [stateRoot = '', cluster = '', ...command] = process.argv.slice(2);
const ADDRESS = '192.0.2.10';
const PORT = 8080;
const SERVE =
  'mkdir -p /run/www && echo "$HOSTNAME" > /run/www/index.html && exec busybox httpd -f -p 80 -h /run/www';

function fetched(address: string): Promise<string> {
  return new Promise((resolve) => {
    const request = get({ host: address, port: PORT, agent: false, timeout: 5_000 }, (response) => {
      let text = '';
      response.on('data', (data) => (text += String(data)));
      response.on('end', () => resolve(text.trim()));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(''));
  });
}

/** Two tasks that answer by turns. */
async function answered(address: string): Promise<boolean> {
  for (let tries = 0; tries < 300; tries += 1) {
    const names = new Set<string>();
    for (let times = 0; times < 6; times += 1) names.add(await fetched(address));
    if (names.size === 2 && !names.has('')) return true;
    await pause(100);
  }
  return false;
}

function machine(): unknown {
  const run = (...words: readonly string[]): readonly string[] =>
    execFileSync(words[0] ?? '', words.slice(1), { encoding: 'utf8' }).split('\n').filter(Boolean);
  return {
    links: run('ip', '-br', 'link').map((line) => line.split(/[@ ]/)[0]),
    tables: run('nft', 'list', 'tables'),
    namespaces: existsSync('/run/netns')
      ? readdirSync('/run/netns').filter((name) => name.startsWith(`${cluster}.`))
      : [],
  };
}

for (const line of [
  'link set lo up',
  'link add eth0 type veth peer name far0',
  'link set far0 up',
  `addr add ${ADDRESS}/24 dev eth0`,
  'link set eth0 up',
  'route add default dev eth0',
]) {
  execFileSync('ip', line.split(' '));
}
const before = machine();
const place = { cluster, stateRoot };
const images = { 'vote:1': { command: ['sh', '-c', SERVE] } };
const { nodes } = await up({ ...place, hosts: 'local', images, command });
const client = controlClient({ path: `${stateRoot}/${cluster}/manager.sock` });
await client.declare([
  {
    kind: 'Service',
    name: 'vote',
    spec: {
      mode: { type: 'replicated', replicas: 2 },
      task: { container: { image: 'vote:1' } },
      endpoint: { ports: [{ targetPort: 80, publishedPort: PORT }] },
    },
  },
]);
await client.close();
const answers = [];
for (const address of [ADDRESS, '127.0.0.1', '::1']) answers.push(await answered(address));
const { state, processes } = await status(place);
const { removed } = await down({ ...place, timeoutMs: 200 });
const after = machine();
const left = readdirSync(stateRoot);
process.stdout.write(
  JSON.stringify({ nodes, answers, state, roles: processes.length, removed, before, after, left }),
);
