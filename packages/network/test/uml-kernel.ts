/**
 * A real kernel with IPVS, in user-mode-linux: boots in a few seconds over the host's own file
 * system, carries out a plan, and powers off. Nothing of the host is changed: everything that is
 * written goes to a folder that the caller gives, or to memory.
 */
import { spawn } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';

import { DRIVER_PROGRAM, type DriverResult, type DriverStep } from './uml-driver.js';

const KERNEL = 'linux.uml';
const MODULES = '/usr/lib/uml/modules';
/** The binaries that speak to a kernel without nft_compat. */
export const IPTABLES = 'iptables-legacy-restore';
export const IP6TABLES = 'ip6tables-legacy-restore';
const PROGRAMS = [KERNEL, IPTABLES, IP6TABLES, 'ipvsadm', 'ip', 'bridge', 'modprobe', 'python3'];
/** Namespaces cannot load modules by themselves there. */
const KERNEL_MODULES = [
  'ip_vs ip_vs_rr ip_vs_wrr ip_vs_lc ip_vs_wlc ip_vs_sh ip_vs_mh',
  'veth bridge br_netfilter vxlan dummy nf_conntrack',
  'iptable_mangle iptable_nat iptable_filter ip6table_mangle ip6table_nat ip6table_filter',
  'xt_mark xt_ipvs xt_nat xt_MASQUERADE xt_REDIRECT xt_conntrack xt_state xt_addrtype xt_tcpudp',
].join(' ');

/** What is missing on this machine for {@link runInKernel}; empty when nothing is. */
export function missingForKernel(): readonly string[] {
  const missing = PROGRAMS.filter((name) => programPath(name) === undefined);
  const isRoot = process.getuid?.() === 0;
  return [
    ...missing,
    ...(existsSync(MODULES) ? [] : [MODULES]),
    // Files of the host that only root may read are read as the user that boots.
    ...(isRoot ? [] : ['root']),
  ];
}

/** Where a program is; also where the search path of an ordinary user does not lead. */
function programPath(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * Boots, carries out the steps in their order, powers off, and gives a result for each step.
 * `folder`: an empty one, for the plan and the results; whoever made it removes it.
 * @throws Error with the end of the console when the kernel does not come to the end in time.
 */
export async function runInKernel(
  folder: string,
  steps: readonly DriverStep[],
  timeoutMs = 400_000,
): Promise<readonly DriverResult[]> {
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('driver.py'), DRIVER_PROGRAM);
  writeFileSync(at('plan.json'), JSON.stringify(steps));
  const command = `python3 ${at('driver.py')} ${at('plan.json')} ${at('results.json')}`;
  const results = await runProgramInKernel(folder, command, timeoutMs);
  return results as readonly DriverResult[];
}

/**
 * Boots, runs a command of a shell as root, powers off, and gives what it wrote into the file
 * `results.json` of the folder, as JSON.
 * @throws Error with the end of the console when there is no such file.
 */
export async function runProgramInKernel(
  folder: string,
  command: string,
  timeoutMs = 400_000,
): Promise<unknown> {
  const at = (name: string): string => join(folder, name);
  mkdirSync(at('modules/lib'), { recursive: true });
  symlinkSync(MODULES, at('modules/lib/modules'));
  writeFileSync(at('init.sh'), initScript(folder, command), { mode: 0o755 });
  const console = await boot(at('init.sh'), timeoutMs);
  if (!existsSync(at('results.json'))) {
    throw new Error(`the kernel in user-mode-linux gave no results:\n${console.slice(-3000)}`);
  }
  return JSON.parse(readFileSync(at('results.json'), 'utf8'));
}

function initScript(folder: string, command: string): string {
  return `#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
for module in ${KERNEL_MODULES}; do
  modprobe -d ${folder}/modules $module || echo "no module $module"
done
ip link set lo up
${command}
sync
echo o > /proc/sysrq-trigger
sleep 10
`;
}

function boot(init: string, timeoutMs: number): Promise<string> {
  const options = [
    'mem=512M',
    'root=/dev/root',
    'rootfstype=hostfs',
    'rootflags=/',
    'rw',
    'quiet',
    'rcupdate.rcu_expedited=1',
  ];
  const program = programPath(KERNEL) ?? KERNEL;
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...options, `init=${init}`, 'con=null', 'con0=fd:0,fd:1'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    let text = '';
    const read = (chunk: Buffer): void => {
      text = (text + chunk.toString()).slice(-20_000);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', reject);
    child.on('exit', () => {
      endGroup(child.pid);
      resolve(text);
    });
  });
}

/** The kernel is several processes: what is left of its own group is ended, and nothing else. */
function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing is left.
  }
}
