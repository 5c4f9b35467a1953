/**
 * The supervisor of a cluster: it keeps the manager and the agents running. It may end at any
 * moment; the next one finds what runs and goes on.
 */
import { statSync } from 'node:fs';
import { constants } from 'node:os';
import { messageOf, type Logger } from '@skep/api';
import { isAlive, sendSignal, type ProcessIdentity } from '@skep/adapter-hosts';
import { logFile, type ClusterPaths } from '../place.js';
import { readText } from '../files.js';
import { parseSettings, type ClusterSettings } from '../settings.js';
import { rotateLog } from './log-rotation.js';
import { processesIn } from './process-search.js';
import { MANAGER_KEY, keyOfFile, processPlan, writeProcessFiles } from './process-settings.js';
import {
  afterExit,
  afterStart,
  afterStop,
  NO_HISTORY,
  planSupervision,
  type ProcessHistory,
  type SupervisionStep,
  type WantedProcess,
} from './supervision.js';
import { launch } from './supervised-process.js';

/** What a supervisor is given. */
export interface SupervisorOptions {
  readonly paths: ClusterPaths;
  readonly stateRoot: string;
  readonly logger: Logger;
  /** Called before an agent is started: makes what the node has to be. */
  readonly prepareNode: (node: string, settings: ClusterSettings) => Promise<void>;
  /** Called when something about the processes is different. */
  readonly onChange: (processes: readonly SupervisedState[]) => void;
  /** Called with the settings when they are read, and again when they change. */
  readonly onSettings: (settings: ClusterSettings) => void;
}

/** What the supervisor last knew of a process. */
export interface SupervisedState {
  readonly key: string;
  readonly pid?: number;
  readonly restarts: number;
  readonly lastExit?: string;
}

const LOOK_MS = 1_000;
const ROTATE_LOOKS = 10;
const { SIGTERM, SIGKILL } = constants.signals;

/** See the module comment. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #running = new Map<string, ProcessIdentity>();
  /** Those of them that this supervisor started: it is told how they end. */
  readonly #children = new Set<ProcessIdentity>();
  readonly #histories = new Map<string, ProcessHistory>();
  #settings: ClusterSettings | undefined;
  #wanted: readonly WantedProcess[] = [];
  #readAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();
  #looks = 0;
  #isStopped = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Takes over what runs, and begins. @throws what is wrong with the settings */
  start(): void {
    this.#readSettings();
    this.#adopt();
    this.#look();
  }

  /** Ends the supervision, not the processes. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#turn;
  }

  /** What is known of the processes, the manager first. */
  get processes(): readonly SupervisedState[] {
    return this.#wanted.map(({ key }) => {
      const { restarts, lastExit } = this.#histories.get(key) ?? NO_HISTORY;
      const pid = this.#running.get(key)?.pid;
      return {
        key,
        restarts,
        ...(pid === undefined ? {} : { pid }),
        ...(lastExit === undefined ? {} : { lastExit }),
      };
    });
  }

  /** One after the other: nothing is decided while a step is under way. */
  #look(): void {
    clearTimeout(this.#timer);
    this.#turn = this.#turn
      .then(() => this.#pass())
      .catch((thrown: unknown) => {
        this.#options.logger.error('supervision failed', { error: messageOf(thrown) });
      });
  }

  async #pass(): Promise<void> {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#readSettings();
    for (const [key, identity] of this.#running) {
      if (this.#children.has(identity) || isAlive(identity)) continue;
      this.#ended(key, identity, 'ended');
    }
    const { steps, wakeAt } = planSupervision(this.#wanted, this.#histories, Date.now());
    for (const step of steps) await this.#do(step);
    this.#looks += 1;
    if (this.#looks % ROTATE_LOOKS === 0) this.#rotate();
    if (this.#isStopped) return;
    const waitMs = Math.max(0, Math.min(LOOK_MS, (wakeAt ?? Infinity) - Date.now()));
    this.#timer = setTimeout(() => this.#look(), waitMs);
  }

  #readSettings(): void {
    const { paths, stateRoot, logger, onSettings } = this.#options;
    const { settingsFile } = paths;
    try {
      const { mtimeMs } = statSync(settingsFile);
      if (mtimeMs === this.#readAt) return;
      const settings = parseSettings(readText(settingsFile) ?? '', settingsFile);
      const plan = processPlan(paths, stateRoot, settings);
      writeProcessFiles(
        paths,
        plan,
        processesIn(paths.folder).map(({ file }) => file),
      );
      this.#readAt = mtimeMs;
      this.#settings = settings;
      this.#wanted = plan;
      onSettings(settings);
    } catch (thrown) {
      if (this.#settings === undefined) throw thrown;
      // What runs goes on as it was told; the file is looked at again.
      logger.error('settings not read', { file: settingsFile, error: messageOf(thrown) });
    }
  }

  /** What an earlier supervisor started. Of two with one key the older one has it. */
  #adopt(): void {
    const { paths, logger } = this.#options;
    for (const found of processesIn(paths.folder)) {
      const key = keyOfFile(found.file);
      if (found.role === 'supervisor' || this.#running.has(key)) continue;
      this.#running.set(key, found);
      const history = this.#histories.get(key) ?? NO_HISTORY;
      this.#histories.set(key, afterStart(history, found.file, Date.now()));
      logger.info('process taken over', { process: key, pid: found.pid });
    }
  }

  async #do(step: SupervisionStep): Promise<void> {
    const { key, type, file = '' } = step;
    if (type === 'start') return this.#start(key, file);
    const identity = this.#running.get(key);
    const history = this.#histories.get(key) ?? NO_HISTORY;
    if (identity === undefined) return;
    this.#histories.set(key, afterStop(history, Date.now()));
    sendSignal(identity, type === 'kill' ? SIGKILL : SIGTERM);
    this.#options.logger.info('process asked to end', { process: key, pid: identity.pid, type });
  }

  async #start(key: string, file: string): Promise<void> {
    const { paths, logger, prepareNode } = this.#options;
    const settings = this.#settings;
    if (settings === undefined) return;
    // Another supervisor may have started it in the moment before it ended.
    const found = processesIn(paths.folder).find((one) => keyOfFile(one.file) === key);
    if (found !== undefined) {
      this.#adopt();
      return;
    }
    const history = this.#histories.get(key) ?? NO_HISTORY;
    try {
      const isManager = key === MANAGER_KEY;
      if (!isManager) await prepareNode(key.replace(/^agent-/, ''), settings);
      const identity = await launch({
        command: settings.command,
        role: isManager ? 'manager' : 'agent',
        file,
        log: logFile(paths, key),
        onExit: (exit) => {
          if (this.#isStopped) return;
          this.#ended(key, identity, exit);
          this.#look();
        },
      });
      this.#running.set(key, identity);
      this.#children.add(identity);
      this.#histories.set(key, afterStart(history, file, Date.now()));
      logger.info('process started', { process: key, pid: identity.pid });
      this.#options.onChange(this.processes);
    } catch (thrown) {
      const error = messageOf(thrown);
      logger.error('process not started', { process: key, error });
      this.#histories.set(key, afterExit(history, error, Date.now()));
      this.#options.onChange(this.processes);
    }
  }

  #ended(key: string, identity: ProcessIdentity, exit: string): void {
    if (this.#running.get(key) !== identity) return;
    this.#running.delete(key);
    this.#children.delete(identity);
    const history = this.#histories.get(key) ?? NO_HISTORY;
    this.#histories.set(key, afterExit(history, exit, Date.now()));
    if (history.stopSince === undefined) {
      this.#options.logger.warn('process ended', { process: key, pid: identity.pid, exit });
    }
    this.#options.onChange(this.processes);
  }

  #rotate(): void {
    const { paths, logger } = this.#options;
    for (const key of ['supervisor', ...this.#wanted.map((one) => one.key)]) {
      try {
        rotateLog(logFile(paths, key));
      } catch (thrown) {
        logger.warn('log not put aside', { process: key, error: messageOf(thrown) });
      }
    }
  }
}
