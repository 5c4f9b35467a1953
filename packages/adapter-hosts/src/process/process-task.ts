/**
 * One task as a process: the steps that the agent drives. Everything that matters is on disk, so
 * that the next agent goes on where this one ends.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, SkepError, type AssignedTask, type Logger, type TaskId } from '@skep/api';
import type { TaskContext, TaskExit, TaskStarted } from '@skep/adapter';
import { isWithin, orAborted, pause, throwIfAborted } from '../task/abort.js';
import { runGroup } from '../task/command.js';
import { createCgroups, planCgroup, removeCgroups, wasOutOfMemory } from './cgroup.js';
import type { CgroupLayout } from './cgroup.js';
import { hasSupervisor, watchEnd, type EndWatch } from './end-watch.js';
import { healthSettings, healthWords } from './health.js';
import { HealthMonitor } from './health-monitor.js';
import { checkHost } from './host-check.js';
import { launch } from './launch.js';
import type { LaunchPlan } from './launch-plan.js';
import { becomeLines, READ_SCRIPT } from './launch-script.js';
import type { LogKeeper } from './log-keeper.js';
import { logLimit } from './log-options.js';
import { isAlive, sendSignal } from './proc.js';
import { commandLine, quote } from './shell.js';
import {
  FILES,
  isRunning,
  readExitCode,
  readIfThere,
  readProcesses,
  readRecord,
  writeRecord,
  type TaskProcesses,
  type TaskRecord,
} from './task-folder.js';

const KILL = 9;
/** What a shell says of a process that was killed. */
const KILLED = 137;
/** Killed processes that are still there after this time wait for a device. */
const KILL_TIMEOUT_MS = 10_000;
/** A supervisor that has nothing left to do ends within this time, unless it waits for a device. */
const SUPERVISOR_TIMEOUT_MS = 10_000;
const REMOVE_POLL_MS = 10;
const HEALTH_OUTPUT_BYTES = 4_096;

/** What a task needs of its runtime. */
export interface ProcessTaskHost {
  readonly bootId: string;
  readonly cgroups: CgroupLayout;
  /** Groups of tasks are made below this relative path. */
  readonly cgroupParent: string;
  readonly logger: Logger;
  readonly logs: LogKeeper;
  readonly logBytesMax: number;
  readonly plan: (task: AssignedTask, context: TaskContext) => LaunchPlan;
  readonly hostPorts: (task: AssignedTask) => Pick<TaskStarted, 'hostPorts'>;
}

/** A task of this node, prepared or not. */
export class ProcessTask {
  readonly #id: TaskId;
  readonly #folder: string;
  readonly #host: ProcessTaskHost;
  #launching: Promise<void> | undefined;
  #watch: EndWatch | undefined;
  #monitor: HealthMonitor | undefined;

  constructor(id: TaskId, folder: string, host: ProcessTaskHost) {
    this.#id = id;
    this.#folder = folder;
    this.#host = host;
  }

  async prepare(task: AssignedTask, context: TaskContext, signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    if (readRecord(this.#folder) !== undefined) return;
    const plan = this.#host.plan(task, context);
    checkHost(plan, task);
    const logBytesMax = logLimit(task.template.logDriver, this.#host.logBytesMax);
    const now = Date.now();
    await this.#makeFolder(plan, now);
    throwIfAborted(signal);
    const group = join(this.#host.cgroupParent, this.#id);
    await writeRecord(this.#folder, {
      version: 1,
      taskId: this.#id,
      name: task.name,
      containerId: randomBytes(32).toString('hex'),
      bootId: this.#host.bootId,
      createdAt: now,
      stopSignal: plan.stopSignal,
      stopGraceMs: plan.stopGraceMs,
      logBytesMax,
      cgroupFolders: planCgroup(this.#host.cgroups, group, task.template.resources).folders,
    });
  }

  async start(task: AssignedTask, context: TaskContext, signal: AbortSignal): Promise<TaskStarted> {
    throwIfAborted(signal);
    const record = this.#require(task);
    const plan = this.#host.plan(task, context);
    if (readProcesses(this.#folder) === undefined) {
      this.#launching ??= this.#launch(task, plan, record).finally(() => {
        this.#launching = undefined;
      });
      // Not given up half way: what was begun is either there or not when this returns.
      await this.#launching;
      throwIfAborted(signal);
    }
    const processes = readProcesses(this.#folder);
    if (processes === undefined)
      throw new SkepError('internal', `task ${task.name} has no process`);
    const watch = this.#watchOver(record, processes);
    if (plan.healthCheck !== undefined && record.isHealthy !== true) {
      await this.#becomeHealthy(plan, { record, processes, watch }, signal);
    }
    return {
      container: { containerId: record.containerId, pid: processes.first.pid },
      ...this.#host.hostPorts(task),
    };
  }

  async wait(task: AssignedTask, context: TaskContext, signal: AbortSignal): Promise<TaskExit> {
    throwIfAborted(signal);
    const record = readRecord(this.#folder);
    const processes = record === undefined ? undefined : readProcesses(this.#folder);
    if (record === undefined || processes === undefined) {
      return { exitCode: KILLED, error: 'the process was lost with its host' };
    }
    const watch = this.#watchOver(record, processes);
    if (record.isUnhealthy !== true) {
      const monitor = this.#monitorOf(this.#host.plan(task, context), record, processes);
      const ends = [watch.ended, ...(monitor === undefined ? [] : [monitor.unhealthy])];
      await orAborted(Promise.race(ends), signal);
    }
    const isUnhealthy = record.isUnhealthy ?? this.#monitor?.health.status === 'unhealthy';
    if (isUnhealthy) {
      await writeRecord(this.#folder, { ...record, isUnhealthy: true });
      await this.#stop(signal);
      return { ...this.#exit(record), error: 'unhealthy container' };
    }
    return this.#exit(record);
  }

  /** Stop signal, grace period, kill. */
  async shutdown(signal: AbortSignal | undefined): Promise<void> {
    // What is being started is started first, so that it can be stopped.
    await this.#launching?.catch(() => undefined);
    await this.#stop(signal);
  }

  async remove(): Promise<void> {
    const until = Date.now() + SUPERVISOR_TIMEOUT_MS;
    for (;;) {
      await this.shutdown(undefined);
      // A supervisor that an agent left behind may be about to start the command, or to write how
      // it ended. Without the folder, nobody would find what it has started.
      if (!hasSupervisor(this.#folder) && (await this.#removeTraces())) return;
      if (Date.now() >= until) break;
      await pause(REMOVE_POLL_MS);
    }
    throw new SkepError('unavailable', `${this.#folder} cannot be removed: still in use`);
  }

  /** Whether the task prints nothing any more. */
  hasEnded(): boolean {
    const record = readRecord(this.#folder);
    const processes = readProcesses(this.#folder);
    if (record === undefined) return true;
    return processes !== undefined && !isRunning(record, processes, this.#host.bootId);
  }

  /** Takes over what runs, so that its log is kept although nobody has asked for the task yet. */
  adopt(): void {
    const record = readRecord(this.#folder);
    const processes = readProcesses(this.#folder);
    if (record !== undefined && processes !== undefined) this.#watchOver(record, processes);
  }

  /** The agent ends; the task goes on. */
  close(): void {
    this.#monitor?.stop();
    this.#watch?.close();
    this.#monitor = undefined;
    this.#watch = undefined;
  }

  /** @throws unavailable when the disk is full: it may have room later. */
  async #makeFolder(plan: LaunchPlan, now: number): Promise<void> {
    try {
      await rm(this.#folder, { recursive: true, force: true });
      await mkdir(join(this.#folder, FILES.root), { recursive: true, mode: 0o700 });
      for (const folder of plan.volumeFolders) await mkdir(folder, { recursive: true });
      await writeFile(join(this.#folder, FILES.marks), `${now} 0 0\n`, { mode: 0o600 });
    } catch (thrown) {
      const { code = '' } = thrown as NodeJS.ErrnoException;
      if (!['ENOSPC', 'EDQUOT'].includes(code)) throw thrown;
      const text = `${this.#folder} cannot be made: ${messageOf(thrown)}`;
      throw new SkepError('unavailable', text, { cause: thrown });
    }
  }

  #require(task: AssignedTask): TaskRecord {
    const record = readRecord(this.#folder);
    if (record !== undefined) return record;
    throw new SkepError('not-found', `task ${task.name} was not prepared here`);
  }

  async #launch(task: AssignedTask, plan: LaunchPlan, record: TaskRecord): Promise<void> {
    if (readExitCode(this.#folder) !== undefined) {
      const said = readIfThere(join(this.#folder, FILES.setup))?.trim() ?? '';
      throw new SkepError('failed-precondition', `the process could not be started: ${said}`);
    }
    const { cgroups, cgroupParent, logger } = this.#host;
    const cgroup = planCgroup(cgroups, join(cgroupParent, this.#id), task.template.resources);
    for (const fault of createCgroups(cgroups, cgroup)) {
      logger.warn('task without a limit', { task: task.name, fault });
    }
    await launch(plan, this.#folder, {
      cgroupFolders: cgroup.folders,
      isSilent: record.logBytesMax === 0,
    });
  }

  #watchOver(record: TaskRecord, processes: TaskProcesses): EndWatch {
    if (this.#watch !== undefined) return this.#watch;
    const watch = watchEnd(this.#folder, processes);
    this.#watch = watch;
    this.#host.logs.add(this.#folder, record.logBytesMax);
    void watch.ended.then(() => {
      this.#monitor?.stop();
      this.#host.logs.end(this.#folder);
    });
    return watch;
  }

  async #becomeHealthy(
    plan: LaunchPlan,
    running: { record: TaskRecord; processes: TaskProcesses; watch: EndWatch },
    signal: AbortSignal,
  ): Promise<void> {
    const { record, processes, watch } = running;
    const monitor = this.#monitorOf(plan, record, processes);
    if (monitor === undefined) return;
    await orAborted(Promise.race([monitor.healthy, monitor.unhealthy, watch.ended]), signal);
    if (monitor.health.status === 'healthy') {
      await writeRecord(this.#folder, { ...record, isHealthy: true });
      return;
    }
    if (monitor.health.status === 'unhealthy') {
      await this.#stop(signal);
      throw new SkepError('failed-precondition', 'unhealthy container');
    }
    const exit = this.#exit(record);
    if (exit.exitCode === 0) return;
    throw new SkepError(
      'failed-precondition',
      exit.error ?? `task: non-zero exit (${exit.exitCode})`,
      { details: { exitCode: exit.exitCode } },
    );
  }

  #monitorOf(
    plan: LaunchPlan,
    record: TaskRecord,
    processes: TaskProcesses,
  ): HealthMonitor | undefined {
    const check = plan.healthCheck;
    if (check === undefined || !isAlive(processes.first)) return this.#monitor;
    this.#monitor ??= new HealthMonitor({
      check,
      startedAt: Date.now(),
      wasHealthy: record.isHealthy === true,
      probe: () => this.#probe(plan, record, processes),
    });
    return this.#monitor;
  }

  /** Runs the check where the command runs, as the same user, with the same limits. */
  async #probe(plan: LaunchPlan, record: TaskRecord, { first }: TaskProcesses): Promise<boolean> {
    const { healthCheck } = plan;
    if (healthCheck === undefined || !isAlive(first)) return false;
    const lines = [`cd ${quote(plan.workingDir)}`, ...becomeLines(plan, healthWords(healthCheck))];
    const enter = ['nsenter', '--target', String(first.pid), '--mount', '--uts', '--ipc', '--net'];
    const script = [
      ...record.cgroupFolders.map((group) => `echo 0 >${quote(join(group, 'cgroup.procs'))}`),
      `exec ${commandLine([...enter, '--pid', READ_SCRIPT[0], '-c', lines.join('\n')])}`,
    ].join('\n');
    try {
      const [program, args] = READ_SCRIPT;
      const { timeoutMs } = healthSettings(healthCheck);
      const result = await runGroup(program, args, {
        input: script,
        timeoutMs,
        outputBytesMax: HEALTH_OUTPUT_BYTES,
      });
      return result.exitCode === 0 && !result.isTimedOut;
    } catch {
      return false;
    }
  }

  async #stop(signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted(signal);
    const record = readRecord(this.#folder);
    const processes = readProcesses(this.#folder);
    if (record === undefined || processes === undefined) return;
    this.#monitor?.stop();
    if (!isRunning(record, processes, this.#host.bootId)) return;
    const watch = this.#watchOver(record, processes);
    if (sendSignal(processes.command, record.stopSignal)) {
      await orAborted(isWithin(watch.ended, record.stopGraceMs), signal);
    }
    // The whole namespace dies with its first process, whatever it has started.
    sendSignal(processes.first, KILL);
    const isOver = await orAborted(isWithin(watch.ended, KILL_TIMEOUT_MS), signal);
    if (isOver || !isAlive(processes.first)) return;
    const text = `task ${record.name} was killed, but process ${processes.first.pid} does not end`;
    throw new SkepError('unavailable', text);
  }

  #exit(record: TaskRecord): TaskExit {
    const exitCode = readExitCode(this.#folder) ?? KILLED;
    if (record.bootId !== this.#host.bootId) {
      return { exitCode, error: 'the host was restarted' };
    }
    const isStarved = exitCode !== 0 && wasOutOfMemory(record.cgroupFolders);
    return { exitCode, ...(isStarved ? { error: 'out of memory' } : {}) };
  }

  /** Groups and folder of what does not run; false when something was added to it meanwhile. */
  async #removeTraces(): Promise<boolean> {
    const record = readRecord(this.#folder);
    this.close();
    this.#host.logs.forget(this.#folder);
    await this.#removeCgroups(record?.cgroupFolders ?? []);
    try {
      await rm(this.#folder, { recursive: true, force: true });
      return true;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOTEMPTY') return false;
      throw thrown;
    }
  }

  async #removeCgroups(folders: readonly string[]): Promise<void> {
    const levels = this.#host.cgroupParent.split('/').length;
    for (let tries = 0; tries < 50; tries++) {
      if (removeCgroups(folders, levels)) return;
      await pause(20);
    }
    throw new SkepError('unavailable', `${folders.join(', ')} cannot be removed: still in use`);
  }
}
