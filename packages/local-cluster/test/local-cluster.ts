/**
 * A cluster of real processes for tests: brought up and taken down as people do it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Task } from '@skep/api';
import { isAlive, runCommands, sendSignal } from '@skep/adapter-hosts';
import { controlClient, type ControlClient } from '@skep/control';
import { tracesOf } from '../../adapter-hosts/test/left-behind.js';
import {
  down,
  status,
  up,
  type ClusterUp,
  type DownOptions,
  type UpOptions,
} from '../src/index.js';
import { placeOf, uplinkName } from '../src/place.js';
import { processesIn, type FoundProcess } from '../src/process/process-search.js';
import { runtimeFolder } from '../src/process/process-settings.js';

const ROOT = join(__dirname, '../../..');
const KILL = 9;
/** Real time after which something that is waited for is given up. */
const PATIENCE_MS = 60_000;

/** A web server that says which task it is, on port 80. */
export const WHO = [
  'sh',
  '-c',
  'mkdir -p /run/www && echo "$HOSTNAME" > /run/www/index.html && exec busybox httpd -f -p 80 -h /run/www',
];

/**
 * The processes of a cluster as one file, which starts much faster than the sources: what an
 * installation runs.
 */
export class ClusterProgram {
  readonly command: readonly string[];
  readonly #file: string;

  /** @param name - of a program in `src/__fixtures__` */
  constructor(name = 'skep-process') {
    // In the reach of the workspace's dependencies, and never committed.
    const folder = join(ROOT, 'node_modules/.cache/skep-local-cluster');
    mkdirSync(folder, { recursive: true });
    this.#file = join(folder, `skt-${process.pid}-${name}.mjs`);
    const require =
      "import { createRequire } from 'node:module'; " +
      'const require = createRequire(import.meta.url);';
    execFileSync(join(ROOT, 'node_modules/.bin/esbuild'), [
      join(ROOT, 'packages/local-cluster/src/__fixtures__', `${name}.ts`),
      ...['--bundle', '--platform=node', '--format=esm', '--target=node20'],
      ...['--conditions=@skep/source', '--external:lmdb', '--external:dockerode'],
      ...[`--banner:js=${require}`, `--outfile=${this.#file}`, '--log-level=error'],
    ]);
    this.command = [process.execPath, this.#file];
  }

  remove(): void {
    rmSync(this.#file, { force: true });
  }
}

/** See the module comment. */
export class LocalCluster {
  readonly place: { readonly cluster: string; readonly stateRoot: string };
  readonly #program: ClusterProgram;

  constructor(cluster: string, program: ClusterProgram, stateRoot = newRoot()) {
    this.place = { cluster, stateRoot };
    this.#program = program;
  }

  get folder(): string {
    return placeOf(this.place).folder;
  }

  up(options: UpOptions = {}): Promise<ClusterUp> {
    const images = { 'vote:1': { command: WHO } };
    const { command } = this.#program;
    return up({ ...this.place, command, images, timeoutMs: PATIENCE_MS, ...options });
  }

  down(options: DownOptions = {}): ReturnType<typeof down> {
    return down({ ...this.place, ...options });
  }

  status(): ReturnType<typeof status> {
    return status(this.place);
  }

  /** Does something with a client of the manager, which may be starting anew. */
  async ask<T>(work: (client: ControlClient) => Promise<T>): Promise<T> {
    const client = controlClient({ path: placeOf(this.place).controlSocket });
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }

  /** A service of web servers that say who they are. */
  async declareVote(replicas: number, publishedPort: number, name = 'vote'): Promise<void> {
    const spec = {
      mode: { type: 'replicated', replicas },
      task: { container: { image: 'vote:1' }, networks: [{ target: 'net' }] },
      endpoint: { ports: [{ targetPort: 80, publishedPort }] },
    };
    await this.ask((client) =>
      client.declare([
        { kind: 'Network', name: 'net', spec: { driver: { name: 'overlay' } } },
        { kind: 'Service', name, spec },
      ]),
    );
  }

  /** Running tasks: id → pid of the first process. */
  async tasks(): Promise<ReadonlyMap<string, number>> {
    const { objects } = await this.ask((client) => client.list(Task));
    const running = objects.filter(({ status: { state } }) => state === 'running');
    return new Map(
      running.map(({ meta, status: { container } }) => [meta.id, container?.pid ?? 0]),
    );
  }

  /** Until so many tasks run, and each of them answers at this address. */
  async answered(url: string, replicas: number): Promise<ReadonlyMap<string, number>> {
    return until(`${replicas} tasks that answer at ${url}`, async () => {
      const tasks = await this.tasks().catch(() => new Map<string, number>());
      if (tasks.size !== replicas) return undefined;
      const said = new Set<string>();
      for (let times = 0; times < replicas * 3; times += 1) said.add(await fetched(url));
      const wanted = [...tasks.keys()].map((id) => id.slice(0, 12)).sort();
      return [...said].sort().join() === wanted.join() ? tasks : undefined;
    });
  }

  processes(role?: string): readonly FoundProcess[] {
    return processesIn(this.folder).filter((one) => role === undefined || one.role === role);
  }

  /** `kill -9`. */
  kill(...roles: readonly string[]): readonly FoundProcess[] {
    const killed = this.processes().filter(({ role }) => roles.includes(role));
    for (const one of killed) sendSignal(one, KILL);
    // A signal is on its way for a moment, and who looks meanwhile still sees them run.
    while (killed.some(isAlive)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    return killed;
  }

  /** Until these processes run, others than the given. */
  replaced(role: string, old: readonly FoundProcess[]): Promise<readonly FoundProcess[]> {
    return until(`another ${role}`, async () => {
      const now = this.processes(role);
      const isNew = now.every(({ pid }) => old.every((one) => one.pid !== pid));
      return Promise.resolve(isNew && now.length === old.length ? now : undefined);
    });
  }

  /** Everything that the cluster has left on this machine. */
  async traces(nodes: readonly string[]): Promise<unknown> {
    const { cluster } = this.place;
    const paths = placeOf(this.place);
    const command = ['ip', '-br', 'link'];
    const [listed] = await runCommands([{ namespace: undefined, command }]);
    const netns = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
    return {
      namespaces: netns.filter((name) => name.startsWith(`${cluster}.`)),
      links: (listed?.output ?? '')
        .split('\n')
        .filter((line) => line.split(/[@ ]/)[0] === uplinkName(cluster)),
      own: tracesOf(paths.folder),
      nodes: nodes.map((node) => tracesOf(runtimeFolder(paths, node))),
    };
  }
}

/** What {@link LocalCluster.traces} says when there are none. */
export function noTraces(nodes: readonly string[]): unknown {
  const none = { processes: [], mounts: [], cgroups: [], files: [] };
  return { namespaces: [], links: [], own: none, nodes: nodes.map(() => none) };
}

/** A folder for clusters. */
export function newRoot(): string {
  return mkdtempSync(join(tmpdir(), `skt-${process.pid}-`));
}

/** What a web server answers; why not, when it does not. */
export function fetched(url: string): Promise<string> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: 5_000 }, (response) => {
      let text = '';
      response.on('data', (data) => (text += String(data)));
      response.on('end', () => resolve(text.trim()));
    });
    request.on('timeout', () => request.destroy(new Error('timeout')));
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

/** A port of this machine that nobody has now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, () => resolve()));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Looks until there is something. */
export async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await pause(100);
  }
}
