/**
 * What there is of a cluster on this machine, without asking its manager.
 */
import { readFileSync } from 'node:fs';
import { isAlive } from '@skep/adapter-hosts';
import { readJson } from './files.js';
import { logFile, placeOf, type ClusterPlace } from './place.js';
import { processesIn, type FoundProcess, type ProcessRole } from './process/process-search.js';
import { agentKey, keyOfFile, MANAGER_KEY } from './process/process-settings.js';
import type { LocalPort } from './ports/port-publisher.js';
import type { SupervisorReport } from './supervisor-process.js';
import { readSettings } from './kept-clusters.js';
import { describeCluster, type ClusterUp, type LocalNode } from './up.js';

/** A process of a cluster. */
export interface LocalProcess {
  readonly role: ProcessRole;
  /** Of an agent. */
  readonly node?: string;
  readonly pid?: number;
  /** When it was started, in ms since 1970. */
  readonly startedAt?: number;
  readonly isRunning: boolean;
  /** How often it was started anew since the supervisor began. */
  readonly restarts: number;
  /** How it last ended by itself. */
  readonly lastExit?: string;
  readonly log: string;
}

/** A cluster as it is. */
export interface LocalStatus extends Partial<
  Pick<ClusterUp, 'hosts' | 'runtime' | 'dataplane' | 'subnet'>
> {
  readonly cluster: string;
  readonly folder: string;
  readonly controlSocket: string;
  /** Its settings are kept. */
  readonly exists: boolean;
  /** `degraded`: some of its processes run, and not all. */
  readonly state: 'absent' | 'stopped' | 'degraded' | 'running';
  /** Supervisor, manager, then agents by node. */
  readonly processes: readonly LocalProcess[];
  readonly nodes: readonly LocalNode[];
  /** Published ports on this machine, as long as there is a supervisor. */
  readonly ports: readonly LocalPort[];
}

/**
 * What there is of a cluster. Cost: a look at every process of the machine.
 * @throws permission-denied for who may not look into its folder; internal for damaged settings.
 */
export function status(place: ClusterPlace = {}): Promise<LocalStatus> {
  return Promise.resolve().then(() => statusOf(place));
}

function statusOf(place: ClusterPlace): LocalStatus {
  const paths = placeOf(place);
  const settings = readSettings(paths);
  const found = processesIn(paths.folder);
  const report = readJson<SupervisorReport>(paths.supervisorFile);
  const entry = (role: ProcessRole, key: string, node?: string): LocalProcess => {
    const own = found.find(
      (one) => one.role === role && (role === 'supervisor' || keyOfFile(one.file) === key),
    );
    const known = report?.processes.find((one) => one.key === key);
    return {
      role,
      ...(node === undefined ? {} : { node }),
      ...(own === undefined ? {} : { pid: own.pid, startedAt: startOf(own) }),
      isRunning: own !== undefined && isAlive(own),
      restarts: known?.restarts ?? 0,
      ...(known?.lastExit === undefined ? {} : { lastExit: known.lastExit }),
      log: logFile(paths, key),
    };
  };
  const processes =
    settings === undefined && found.length === 0
      ? []
      : [
          entry('supervisor', 'supervisor'),
          entry('manager', MANAGER_KEY),
          ...(settings?.nodes ?? []).map(({ name }) => entry('agent', agentKey(name), name)),
        ];
  const hasSupervisor = processes[0]?.isRunning === true;
  return {
    ...(settings === undefined
      ? {
          cluster: paths.cluster,
          folder: paths.folder,
          controlSocket: paths.controlSocket,
          nodes: [],
        }
      : describeCluster(paths, settings)),
    exists: settings !== undefined,
    state: stateOf(processes),
    processes,
    ports: hasSupervisor ? (report?.ports ?? []) : [],
  };
}

function stateOf(processes: readonly LocalProcess[]): LocalStatus['state'] {
  if (processes.length === 0) return 'absent';
  const running = processes.filter(({ isRunning }) => isRunning).length;
  if (running === 0) return 'stopped';
  return running === processes.length ? 'running' : 'degraded';
}

/** **Source:** proc(5): field 22 of stat in ticks of 1/100 s after `btime` of /proc/stat. */
function startOf({ startTime }: FoundProcess): number {
  const boot = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? '0';
  return Number(boot) * 1_000 + Number(startTime) * 10;
}
