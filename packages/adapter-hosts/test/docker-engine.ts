/**
 * A Docker Engine for tests: with a folder, a socket and a pid file of its own, and no network.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tracesOf } from './left-behind.js';

const START_MS = 30_000;
const LOOK_MS = 50;
const END_MS = 10_000;

/**
 * In a network namespace of its own, that goes with the engine: swarm mode makes networks. Its only
 * interface leads nowhere.
 */
const OWN_NETWORK = [
  ...['unshare', '--net', 'sh', '-c'],
  'ip link set lo up && ip link add eth0 type veth peer name eth1 && ip link set eth1 up && ' +
    'ip addr add 10.99.0.1/24 dev eth0 && ip link set eth0 up && exec "$@"',
  'sh',
];

/** An engine that runs. */
export class TestEngine {
  readonly folder: string;
  readonly socketPath: string;
  readonly #hasSwarm: boolean;
  #child: ChildProcess | undefined;

  /** `hasSwarm`: it can be told to manage a swarm, of address 10.99.0.1; then tasks end with it. */
  constructor({ hasSwarm = false }: { readonly hasSwarm?: boolean } = {}) {
    this.#hasSwarm = hasSwarm;
    this.folder = mkdtempSync(join(tmpdir(), `skt-${process.pid}-docker-`));
    this.socketPath = join(this.folder, 'docker.sock');
  }

  /** Starts it, or starts it again; resolves when it answers. */
  async start(): Promise<void> {
    const log = openSync(join(this.folder, 'log'), 'a');
    const path = (name: string): string => join(this.folder, name);
    const words = [
      ...(this.#hasSwarm ? [...OWN_NETWORK, 'dockerd'] : ['dockerd', '--live-restore']),
      ...['--data-root', path('data'), '--exec-root', path('exec'), '--pidfile', path('pid')],
      ...['--host', `unix://${this.socketPath}`, '--bridge', 'none', '--iptables=false'],
      ...['--ip6tables=false', '--ip-forward=false'],
    ];
    this.#child = spawn(words[0] ?? '', words.slice(1), { stdio: ['ignore', log, log] });
    closeSync(log);
    for (let left = START_MS; left > 0; left -= LOOK_MS) {
      if (this.#child.exitCode !== null) break;
      if (existsSync(this.socketPath) && this.#answers()) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    throw new Error(`dockerd did not start:\n${readFileSync(path('log'), 'utf8').slice(-2_000)}`);
  }

  /** An image with busybox in it, as `name`. */
  importBusybox(name: string): void {
    const root = join(this.folder, 'root');
    const bin = join(root, 'bin');
    mkdirSync(bin, { recursive: true });
    const busybox = execFileSync('/bin/sh', ['-c', 'command -v busybox']).toString().trim();
    execFileSync('cp', [busybox, join(bin, 'busybox')]);
    const applets = execFileSync(busybox, ['--list']).toString().split('\n');
    for (const applet of applets) {
      if (applet !== '' && applet !== 'busybox') symlinkSync('busybox', join(bin, applet));
    }
    const [program, args] = ['/bin/sh', ['-c', 'tar -C "$0" -c . | docker -H "$1" import - "$2"']];
    execFileSync(program, [...args, root, `unix://${this.socketPath}`, name], { stdio: 'pipe' });
  }

  /** Ends the engine; containers live on until it is started again, or removed. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }

  /** Ends it and removes everything of it. */
  async remove(): Promise<void> {
    await this.stop();
    // The engine has its own helpers, which end a moment after it.
    for (let left = END_MS; left > 0; left -= LOOK_MS) {
      if (tracesOf(this.folder).processes.length === 0) break;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n').reverse()) {
      const at = line.split(' ')[4] ?? '';
      if (at.startsWith(this.folder)) execFileSync('umount', ['-l', at]);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  #answers(): boolean {
    try {
      execFileSync('docker', ['-H', `unix://${this.socketPath}`, 'version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  }
}
