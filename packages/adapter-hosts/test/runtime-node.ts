/**
 * One node without networks under a manager in memory, both on the machine's clock: for faults of
 * runtimes, whose ends are to be seen in what is declared and in what is left on the machine.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, type TaskRuntime } from '@skep/adapter';
import { Node, Service, silentLogger, Task, type ServiceSpec } from '@skep/api';
import { systemRandom } from '@skep/api/system';
import { RealTimeManager } from './real-time-manager.js';

/** A runtime that can be closed without ending what it runs. */
export type ClosableRuntime = TaskRuntime & { close(): Promise<void> };

const PATIENCE_MS = 30_000;
const LOOK_MS = 20;

/** See the module comment. */
export class RuntimeNode {
  readonly manager: RealTimeManager;
  /** Exit codes of tasks that failed: what history does not keep can be gone before one looks. */
  readonly failures: number[] = [];
  readonly #nodeId: string;
  #living: { readonly agent: Agent; readonly runtime: ClosableRuntime } | undefined;

  private constructor(manager: RealTimeManager, nodeId: string) {
    this.manager = manager;
    this.#nodeId = nodeId;
    manager.commits$.subscribe(({ events }) => {
      for (const { object } of events) {
        if (object.kind !== Task.name) continue;
        const { state, container } = (object as Task).status;
        if (state === 'failed') this.failures.push(container?.exitCode ?? Number.NaN);
      }
    });
  }

  static async start(runtime: ClosableRuntime): Promise<RuntimeNode> {
    // History is kept short: what has ended is to leave the node soon.
    const settings = { taskHistoryLimit: 0 } as const;
    const manager = await RealTimeManager.start(settings, silentLogger);
    const spec = { role: 'worker', availability: 'active' } as const;
    const [node] = await manager.apply({ kind: Node, name: 'node1', spec });
    const made = new RuntimeNode(manager, node?.id ?? '');
    await made.replaceAgent(runtime);
    await made.until('the node', () => manager.view().list(Node)[0]?.status.state === 'ready');
    return made;
  }

  /** The agent ends, without a word to what runs, and another one takes over. */
  async replaceAgent(runtime: ClosableRuntime): Promise<void> {
    await this.#endAgent();
    const nothing = (): Promise<void> => Promise.resolve();
    const agent = new Agent({
      nodeId: this.#nodeId,
      address: '127.0.0.1',
      link: this.manager.manager.link,
      runtime,
      dataplane: { apply: nothing, repair: () => Promise.resolve([]), close: nothing },
      resolver: { apply: nothing, close: nothing },
      clock: this.manager.clock,
      random: systemRandom(),
    });
    this.#living = { agent, runtime };
    await agent.start();
  }

  /** Declares a service named `web`. */
  async declare(spec: ServiceSpec): Promise<void> {
    await this.manager.apply({ kind: Service, name: 'web', spec });
  }

  /** Tasks that have not ended, of the service. */
  tasks(): readonly Task[] {
    return this.manager.tasks('web');
  }

  /** Waits for so many tasks that run, and for the node to have no other. */
  async settled(replicas: number): Promise<readonly Task[]> {
    await this.until(`${replicas} tasks, and no other`, async () => {
      const tasks = this.tasks();
      const isRunning = tasks.every(({ status }) => status.state === 'running');
      if (tasks.length !== replicas || !isRunning) return false;
      const known = await this.#living?.runtime.known().catch(() => undefined);
      const ids = tasks.map(({ meta }) => meta.id).sort();
      return known?.join() === ids.join();
    });
    return this.tasks();
  }

  /** Waits until it is so. */
  async until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!(await isSo())) {
      if (performance.now() > end) throw new Error(`waited in vain: ${what}; ${this.#states()}`);
      await sleep(LOOK_MS);
    }
  }

  /** Ends manager and agent; what runs is left. */
  async stop(): Promise<void> {
    await this.#endAgent();
    await this.manager.stop();
  }

  async #endAgent(): Promise<void> {
    const living = this.#living;
    this.#living = undefined;
    await living?.agent.stop();
    await living?.runtime.close();
  }

  #states(): string {
    const tasks = this.manager.view().list(Task);
    return tasks.map(({ meta, status }) => `${meta.name} ${JSON.stringify(status)}`).join('\n');
  }
}
