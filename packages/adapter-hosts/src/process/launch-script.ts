/**
 * The scripts that run a task: a supervisor outside, a first process inside, the command.
 *
 * The supervisor is a POSIX shell, not a program of ours: it needs nothing that a system does not
 * have, takes a megabyte, and lives on when the agent dies. It keeps what the task prints, waits,
 * and writes down the exit code. It reads its script from standard input up to the last line, which
 * starts everything: so secrets stand in no command line and no file, and a script that was cut
 * short by a crash does nothing.
 *
 * The task sees a root of its own: a tmpfs with the host's top folders bound in, an empty `/run`,
 * and the task's files and mounts. Nothing is created on the host for a mount point.
 */
import { join } from 'node:path';
import type { CgroupPlan } from './cgroup.js';
import { boundingSet } from './capabilities.js';
import type { TaskFile } from '../task/task-files.js';
import type { LaunchPlan, PlannedMount } from './launch-plan.js';
import { commandLine, fstabWord, quote } from './shell.js';
import { FILES } from './task-folder.js';

/** What a script is written from. */
export interface LaunchScriptInput {
  readonly plan: LaunchPlan;
  readonly folder: string;
  readonly cgroupFolders: CgroupPlan['folders'];
  /** Names in the host's root folder, by what they are. */
  readonly root: RootEntries;
  /** Deepest folders on the host in which mount points are missing: they get a layer on top. */
  readonly overlays: readonly string[];
  /** Nothing is kept of what the task prints. */
  readonly isSilent: boolean;
}

/** The host's root folder. */
export interface RootEntries {
  readonly folders: readonly string[];
  readonly links: readonly string[];
  readonly files: readonly string[];
}

/** Exit code of a launch that found the task started already. */
export const ALREADY_STARTED = 75;
/** Line that tells the agent that the command is about to run. */
export const STARTED_LINE = 'started';

/** What a shell says of a process that was killed. */
const KILLED = 137;
const TOOL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Mounted afresh, or left out, in the task's root. */
const OWN_FOLDERS: ReadonlySet<string> = new Set(['proc', 'sys', 'run', 'lost+found']);
/** Folder with the layers and generated files of the task, in its root. */
const PRIVATE = '/.skep';
const OLD_ROOT = '/.host';
/** Room for the task's secrets, configs and what it writes to `/run`. */
const ROOT_BYTES = 64 * 2 ** 20;

/** Program and arguments that read a script from standard input and run it as a whole. */
export const READ_SCRIPT: readonly [string, readonly string[]] = [
  '/bin/sh',
  ['-c', 's=$(cat) && eval "$s"', 'skep-task'],
];

/** The script of the supervisor. */
export function supervisorScript(input: LaunchScriptInput): string {
  const { folder, plan, isSilent } = input;
  const file = (name: keyof typeof FILES): string => quote(join(folder, FILES[name]));
  const enter =
    plan.networkNamespace === undefined ? [] : ['nsenter', `--net=${plan.networkNamespace}`];
  const unshare = commandLine([
    ...enter,
    ...['unshare', '--mount', '--uts', '--ipc', '--pid', '--fork', '--propagation', 'slave'],
    ...[READ_SCRIPT[0], ...READ_SCRIPT[1]],
  ]);
  // A full disk costs what is printed meanwhile, and never blocks or ends the task.
  const keep = isSilent
    ? 'keep() { exec cat >/dev/null; }'
    : `keep() { until cat >>"$1"; do timeout 1 cat >/dev/null && return; done; }`;
  return [
    `PATH=${TOOL_PATH}`,
    'umask 077',
    keep,
    'run() {',
    `  [ -p ${file('alive')} ] || mkfifo ${file('alive')} 2>/dev/null`,
    `  exec 7>&1 8<>${file('alive')} >/dev/null`,
    // Pipes of its own: should two agents start the task at a time, each launch ends by itself.
    `  out=${file('out')}.$$ err=${file('err')}.$$ lost=${quote(join(folder, 'lost'))}.$$`,
    '  mkfifo "$out" "$err" || exit',
    `  keep ${file('stdout')} <"$out" 7>&- 8>&- 2>/dev/null &`,
    `  keep ${file('stderr')} <"$err" 7>&- 8>&- 2>/dev/null &`,
    `  printf %s "$inner" | lost=$lost ${unshare} 8>&- 9>&2 >"$out" 2>"$err"`,
    '  code=$?',
    '  exec 7>&-',
    '  wait',
    '  rm -f "$out" "$err"',
    // Another launch was first: how that one ends is not for us to say.
    '  if [ -e "$lost" ]; then rm -f "$lost"; exit; fi',
    // Only the first process knows the exit code; if it said nothing, it was killed.
    `  if [ -e ${file('process')} ]; then code=${KILLED}; read -r code <${file('code')}; fi`,
    `  printf '%s\\n' "\${code:-${KILLED}}" >${file('exit')}.new`,
    `  mv ${file('exit')}.new ${file('exit')}`,
    '}',
    `inner=${quote(firstScript(input))}`,
    'run',
    '',
  ].join('\n');
}

/** The script of the first process in the task's namespaces. */
function firstScript(input: LaunchScriptInput): string {
  const { plan, folder, cgroupFolders } = input;
  const root = join(folder, FILES.root);
  return [
    // What goes wrong here is the runtime's business, not the task's: it goes to `setup`.
    'exec 5>&2 2>&9 9>&-',
    'set -e',
    `exec 6>>${quote(join(folder, FILES.code))}`,
    'umask 022',
    ...cgroupFolders.map((group) => `echo 0 >${quote(join(group, 'cgroup.procs'))}`),
    `mount -t tmpfs -o mode=0755,size=${ROOT_BYTES} tmpfs ${quote(root)}`,
    `mount --make-unbindable ${quote(root)}`,
    `cd ${quote(root)}`,
    ...rootLines(input),
    'pivot_root . .host',
    'cd /',
    'mount -t proc -o nosuid,nodev,noexec proc /proc',
    'mount --all --fstab /.skep/fstab >/dev/null',
    // Not in the table: `mount --all` takes the host's, which was bound in, for this one.
    'mount -t tmpfs -o nosuid,nodev,noexec,mode=1777 tmpfs /dev/shm',
    ...plan.mounts.flatMap(mountLines),
    ...plan.files.flatMap(fileLines),
    ...generatedLines(plan),
    ...Object.entries(plan.sysctls).map(([name, value]) => {
      const path = `/proc/sys/${name.replaceAll('.', '/')}`;
      // What the runtime itself would set is a convenience; what the task asks for is not.
      const isOwn = name === 'net.ipv4.ip_unprivileged_port_start';
      return `printf %s ${quote(value)} >${quote(path)}${isOwn ? ' 2>/dev/null || :' : ''}`;
    }),
    'ticks() { set -- ${1##*") "}; echo ${20}; }',
    'read -r first line </.host/proc/self/stat',
    'started=$(ticks "$line")',
    'set +e',
    '(',
    indent(commandLines(input)),
    ') </dev/null',
    'echo $? >&6',
  ].join('\n');
}

function rootLines({ root, plan, overlays, folder }: LaunchScriptInput): readonly string[] {
  const bound = root.folders.filter((name) => !OWN_FOLDERS.has(name));
  const access = plan.isReadOnly ? ',ro' : '';
  const outer = [
    ...bound.map((name) => `/${fstabWord(name)} ${fstabWord(name)} none rbind${access} 0 0`),
    ...root.files.map((name) => `/${fstabWord(name)} ${fstabWord(name)} none bind 0 0`),
  ];
  const absolute = outer.map((line) => {
    const [source, target, ...rest] = line.split(' ');
    return [source, `${fstabWord(join(folder, FILES.root))}/${target}`, ...rest].join(' ');
  });
  const made = [...bound, 'proc', 'sys', 'run', '.host', '.skep', '.skep/layers'];
  return [
    `mkdir -p -- ${commandLine(made)}`,
    'chmod 700 .host .skep',
    ...(root.links.length === 0 ? [] : [`cp -P ${commandLine(absolutes(root.links))} .`]),
    ...(root.files.length === 0 ? [] : [`touch -- ${commandLine(root.files)}`]),
    `cat >.skep/root <<'END OF FSTAB'\n${absolute.join('\n')}\nEND OF FSTAB`,
    'mount --all --fstab .skep/root >/dev/null',
    // Binding is over; a layer needs a root that can be cloned.
    `mount --make-private ${quote(join(folder, FILES.root))}`,
    ...innerFstab(overlays),
  ];
}

/** Layers for missing mount points, and what the kernel offers; the host's root is `/.host`. */
function innerFstab(overlays: readonly string[]): readonly string[] {
  const layers = overlays.map((path, index) => {
    const layer = `${PRIVATE}/layers/${index}`;
    const options = `lowerdir=${OLD_ROOT}${path},upperdir=${layer}/upper,workdir=${layer}/work`;
    return `overlay ${fstabWord(path)} overlay ${fstabWord(options)} 0 0`;
  });
  const lines = ['sysfs /sys sysfs ro,nosuid,nodev,noexec 0 0', ...layers];
  return [
    ...overlays.map((_, at) => `mkdir -p .skep/layers/${at}/upper .skep/layers/${at}/work`),
    `cat >.skep/fstab <<'END OF FSTAB'\n${lines.join('\n')}\nEND OF FSTAB`,
  ];
}

function mountLines({ type, source, target, options }: PlannedMount): readonly string[] {
  const to = quote(target);
  const flags = quote(options.join(','));
  if (type === 'tmpfs') return [`mkdir -p ${to}`, `mount -t tmpfs -o ${flags} tmpfs ${to}`];
  const from = quote(`${OLD_ROOT}${source}`);
  return [...pointLines(to, `[ -d ${from} ]`), `mount -o ${flags} ${from} ${to}`];
}

/** Makes a mount point, a folder if `isFolder` holds; it is in a layer of the task's own. */
function pointLines(to: string, isFolder: string): readonly string[] {
  return [
    `if [ ! -e ${to} ]; then if ${isFolder}; then mkdir -p ${to};` +
      ` else mkdir -p "$(dirname ${to})"; : >${to}; fi; fi`,
  ];
}

/** A file is covered, never written: its content stays on the task's tmpfs. */
function fileLines({ path, data, uid, gid, mode }: TaskFile, index: number): readonly string[] {
  const staged = `${PRIVATE}/file.${index}`;
  return [
    `(umask 077; base64 -d >${staged}) <<'END OF FILE'\n${wrapped(data)}\nEND OF FILE`,
    `chown ${uid}:${gid} ${staged}; chmod ${mode.toString(8).padStart(4, '0')} ${staged}`,
    ...pointLines(quote(path), 'false'),
    `mount --bind ${staged} ${quote(path)}`,
  ];
}

function generatedLines({ hostsText, resolvText, hostname }: LaunchPlan): readonly string[] {
  const covered = (path: string, text: string): readonly string[] => {
    const name = `${PRIVATE}/${path.split('/').pop() ?? ''}`;
    return [
      `printf %s ${quote(text)} >${name}; chmod 644 ${name}`,
      `at=$(readlink -m ${path})`,
      `[ -e "$at" ] || { mkdir -p "\${at%/*}" && : >"$at"; }`,
      `mount --bind ${name} "$at"`,
    ];
  };
  return [
    `printf %s ${quote(hostname)} >${OLD_ROOT}/proc/sys/kernel/hostname`,
    ...(hostsText === undefined ? [] : covered('/etc/hosts', hostsText)),
    // Where it leads into /run, which is empty here, the host's text is taken along.
    ...(resolvText === undefined
      ? [
          'at=$(readlink -m /etc/resolv.conf)',
          `case "$at" in /run/*) [ ! -e "${OLD_ROOT}$at" ] ||` +
            ` { mkdir -p "\${at%/*}"; cp "${OLD_ROOT}$at" "$at"; } ;; esac`,
        ]
      : covered('/etc/resolv.conf', resolvText)),
  ];
}

/** Becomes the command: from here on, nothing of the host is in reach but what is bound in. */
function commandLines({ plan, folder }: LaunchScriptInput): readonly string[] {
  const own = `${OLD_ROOT}${folder}`;
  const process = quote(`${own}/${FILES.process}`);
  const quiet = plan.isReadOnly ? ['mount -o remount,bind,ro /'] : [];
  return [
    'set -e',
    'trap "" PIPE',
    `cd ${quote(plan.workingDir)}`,
    'read -r me line </.host/proc/self/stat',
    'mine=$(ticks "$line")',
    `printf '%s %s %s %s\\n' $first $started $me $mine >${process}.$me`,
    // A link is made once: of two agents that start a task at a time, one wins.
    `if ! ln ${process}.$me ${process} 2>/dev/null; then rm -f ${process}.$me;` +
      ` : >"${OLD_ROOT}$lost"; exit ${ALREADY_STARTED}; fi`,
    `rm -f ${process}.$me`,
    'unset lost',
    ...(plan.oomScoreAdj === undefined
      ? []
      : [`echo ${plan.oomScoreAdj} >/proc/self/oom_score_adj`]),
    'umount -l /.host',
    'rmdir /.host',
    'rm -rf /run/mount',
    ...quiet,
    `echo ${STARTED_LINE} >&7 2>/dev/null || :`,
    'exec 7>&- 6>&- 2>&5 5>&-',
    ...becomeLines(plan),
  ];
}

/** The last lines of everything that runs for the task: environment, limits, user, words. */
export function becomeLines(plan: LaunchPlan, words = plan.words): readonly string[] {
  const isName = (name: string): boolean => /^[A-Za-z_]\w*$/.test(name);
  const variables = Object.entries(plan.env);
  const { user } = plan;
  return [
    'unset PWD OLDPWD',
    'env=$(command -v env) prlimit=$(command -v prlimit) setpriv=$(command -v setpriv)',
    ...variables
      .filter(([name]) => isName(name))
      .map(([name, value]) => `export ${name}=${quote(value)}`),
    [
      'exec "$env" --default-signal',
      // The shell passes on only names of its own kind.
      ...variables
        .filter(([name]) => !isName(name))
        .map(([name, value]) => quote(`${name}=${value}`)),
      ...(plan.ulimits.length === 0 ? [] : ['"$prlimit"']),
      ...plan.ulimits.map(
        ({ name, soft, hard }) => `--${quote(name)}=${bound(soft)}:${bound(hard)}`,
      ),
      '"$setpriv"',
      `--bounding-set ${boundingSet(plan.capabilities)}`,
      `--reuid ${user.uid} --regid ${user.gid}`,
      user.groups.length === 0 ? '--clear-groups' : `--groups ${user.groups.join(',')}`,
      ...(plan.hasNoNewPrivileges ? ['--no-new-privs'] : []),
      '--',
      commandLine(words),
    ].join(' '),
  ];
}

function bound(value: number): string {
  return value < 0 ? 'unlimited' : String(value);
}

function absolutes(names: readonly string[]): readonly string[] {
  return names.map((name) => `/${name}`);
}

function indent(lines: readonly string[]): string {
  // Here-documents must not be indented; none of these lines has one.
  return lines.map((line) => `  ${line}`).join('\n');
}

function wrapped(data: string): string {
  return data.replace(/(.{76})/g, '$1\n');
}
