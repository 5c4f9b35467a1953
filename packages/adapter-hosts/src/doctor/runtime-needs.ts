/**
 * What the task runtimes need, found out by trying.
 */
import { accessSync, constants, mkdtempSync, rmdirSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '@skep/api';
import { readCgroupLayout, type CgroupLayout } from '../process/cgroup.js';
import { quote } from '../process/shell.js';
import { runCommand } from '../task/command.js';
import { packageOf, type HostNeed } from './host-need.js';

/** Programs of the scripts that run processes. */
const PROCESS_PROGRAMS =
  'unshare nsenter pivot_root setpriv prlimit fallocate mount umount base64 cat cp env mkfifo' +
  ' readlink timeout';
const PLACES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const LIMITS = Object.freeze({
  memory: 'limits of memory',
  cpu: 'limits of CPU time',
  pids: 'limits of processes',
} as const);
const ANSWER_MS = 2_000;

/** Where Docker Engine listens unless it is told otherwise. */
export const DOCKER_SOCKET = '/var/run/docker.sock';

/** What the process runtime needs. Cost: two processes. */
export async function probeProcesses(): Promise<readonly HostNeed[]> {
  const programs = PROCESS_PROGRAMS.split(' ').map(programNeed);
  const basics = [...programs, rightsNeed()];
  if (basics.some(({ isThere }) => !isThere)) return basics;
  const folder = mkdtempSync(join(tmpdir(), 'skep-doctor-'));
  try {
    const namespaces = await trial(
      'namespaces for processes, mounts and names',
      'a kernel with CONFIG_PID_NS, CONFIG_UTS_NS and CONFIG_IPC_NS',
      'exit 0',
    );
    const at = quote(folder);
    const layers = await trial(
      'layers over folders (overlay)',
      'modprobe overlay; without it, files of tasks must have mount points on the host',
      `mount -t tmpfs tmpfs ${at} && mkdir ${at}/l ${at}/u ${at}/w && ` +
        `mount -t overlay -o lowerdir=${at}/l,upperdir=${at}/u,workdir=${at}/w overlay ${at}/l`,
    );
    return [...basics, namespaces, { ...layers, isOptional: true }, ...limitNeeds()];
  } finally {
    rmdirSync(folder);
  }
}

/** Which limits this kernel can keep; pure given the layout. */
export function limitNeeds(layout: CgroupLayout = readCgroupLayout()): readonly HostNeed[] {
  return Object.entries(LIMITS).map(([controller, name]): HostNeed => {
    const isThere = layout.folders.has(controller as keyof typeof LIMITS);
    if (isThere) return { name, isThere, isOptional: true };
    return {
      name,
      isThere,
      isOptional: true,
      reason: `no cgroup controller '${controller}' is mounted: tasks run without this limit`,
      advice: 'mount -t cgroup2 none /sys/fs/cgroup',
    };
  });
}

/** What the runtime for Docker Engine needs. */
export async function probeDocker(
  socketPath: string = DOCKER_SOCKET,
): Promise<readonly HostNeed[]> {
  const name = `Docker Engine at ${socketPath}`;
  try {
    const version = await askEngine(socketPath);
    return [{ name: `${name} (${version})`, isThere: true }];
  } catch (thrown) {
    const daemon = programNeed('dockerd');
    const advice = daemon.isThere ? 'systemctl start docker' : (daemon.advice ?? '');
    return [daemon, { name, isThere: false, reason: messageOf(thrown), advice }];
  }
}

function askEngine(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, path: '/version', timeout: ANSWER_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        const version = /"Version":"([^"]+)"/.exec(text)?.[1];
        if (response.statusCode === 200 && version !== undefined) resolve(version);
        else reject(new Error(`it answers ${response.statusCode ?? 0}`));
      });
    });
    asking.on('timeout', () => asking.destroy(new Error(`no answer within ${ANSWER_MS} ms`)));
    asking.on('error', reject);
    asking.end();
  });
}

function programNeed(name: string): HostNeed {
  if (PLACES.some((place) => isExecutable(join(place, name)))) return { name, isThere: true };
  const from = packageOf(name);
  return {
    name,
    isThere: false,
    reason: `it is in none of ${PLACES.join(' ')}`,
    advice: from === undefined ? `install ${name}` : `apt-get install -y ${from}`,
  };
}

function rightsNeed(): HostNeed {
  const name = 'the rights of root';
  if (process.getuid?.() === 0) return { name, isThere: true };
  const reason = 'namespaces, mounts and control groups can only be made with them';
  return { name, isThere: false, reason, advice: 'start it with sudo' };
}

async function trial(name: string, advice: string, line: string): Promise<HostNeed> {
  const own = ['--mount', '--uts', '--ipc', '--pid', '--fork', '--propagation', 'slave'];
  const { exitCode, stderr } = await runCommand('unshare', [...own, '/bin/sh', '-c', line]);
  if (exitCode === 0) return { name, isThere: true };
  return { name, isThere: false, reason: stderr.trim(), advice };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
