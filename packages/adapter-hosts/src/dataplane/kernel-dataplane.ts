/**
 * The dataplane of a real Linux host: the texts that a renderer makes of a node's tables, given to
 * the kernel's own tools, differences after the first time, and read back.
 */
import { SkepError, isSkepError, type AllocatedPort, type TaskId } from '@skep/api';
import type { Dataplane } from '@skep/adapter';
import {
  bridgeNamespace,
  buildTables,
  createNodeLocal,
  diffTables,
  hostPortsOf,
  planNodeLocal,
  taskNamespace,
  updateTables,
  type GatewayBridge,
  type NamespaceReference,
  type NetworkChange,
  type NodeLocal,
  type NodeNetworkState,
  type NodeTables,
} from '@skep/network';
import {
  runCommands,
  type CommandRunner,
  type NamespaceCommand,
} from '../namespace/command-runner.js';
import { listNamespaces } from '../namespace/netns-list.js';
import { takeFingerprints, type FingerprintTaker } from '../namespace/fingerprints.js';
import { NftSessions } from '../namespace/nft-sessions.js';
import { AdoptedTasks } from './adopted-tasks.js';
import { workingIptables } from './iptables-variant.js';
import { readNodeLocal, writeNodeLocal } from './node-local-file.js';
import { NodeKernel } from './node-kernel.js';
import { differenceSteps, rendererOf, type NodeRenderer, type RendererName } from './node-texts.js';

/** The node whose kernel is programmed. */
export interface KernelNode {
  /** The network namespace that is the node; absent: the machine itself. */
  readonly namespace?: string;
  /**
   * What the names of all namespaces begin with that the node makes: whatever else begins so and is
   * in no table is removed. Not empty. For a node of a cluster: `nodePrefix(clusterId, name)`.
   */
  readonly namespacePrefix: string;
  /** Address of the node in the underlay, without prefix length. */
  readonly underlayAddress: string;
  /** Default: `docker_gwbridge` with 172.18.0.1/16. */
  readonly gatewayBridge?: GatewayBridge;
}

/** How a kernel dataplane is set up. */
export interface KernelDataplaneOptions {
  readonly node: KernelNode;
  /** How tables become texts. Default: `nftables`. */
  readonly renderer?: RendererName;
  /**
   * File in which the node keeps what it decides by itself, so that an agent that starts again
   * leaves what runs as it is. It should end with the namespaces: under /run. Default: none, and
   * then a new agent may move addresses on the gateway bridge.
   */
  readonly stateFile?: string;
  /**
   * Who makes the namespaces of tasks. `made`, the default: the dataplane, before a task is begun.
   * `adopted`: a container engine; nothing of a task is programmed before
   * {@link KernelDataplane.adoptTaskNamespace}.
   */
  readonly taskNamespaces?: 'made' | 'adopted';
  /** Default: the machine's own programs; those for nft stay, see {@link NftSessions}. */
  readonly run?: CommandRunner;
  /** How changes of a namespace are noticed without reading it all. Default: by one process. */
  readonly fingerprints?: FingerprintTaker;
}

/** Programs the kernel of one node. See {@link kernelDataplane}. */
export class KernelDataplane implements Dataplane {
  readonly #node: KernelNode;
  readonly #renderer: NodeRenderer;
  readonly #kernel: NodeKernel;
  readonly #run: CommandRunner;
  /** Programs that stay; undefined when somebody else runs the commands. */
  readonly #sessions: NftSessions | undefined;
  readonly #stateFile: string | undefined;
  readonly #adopted: AdoptedTasks;
  readonly #hasAdopted: boolean;
  #local: NodeLocal;
  #isLocalRead = false;
  #tables: NodeTables | undefined;
  /** What the kernel holds; undefined when that is not known. */
  #applied: NodeTables | undefined;
  /** What it held last: while it is worked on, this is the next best. */
  #held: NodeTables | undefined;
  readonly #onRepaired = new Set<() => void>();
  /** What is done last: everything is done in turn. */
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(options: KernelDataplaneOptions) {
    const { node, renderer = 'nftables' } = options;
    if (node.namespacePrefix === '' || !/^[\w.-]+$/.test(node.namespacePrefix)) {
      throw new SkepError(
        'invalid-argument',
        `namespace prefix ${JSON.stringify(node.namespacePrefix)}: letters, digits, dots, ` +
          'dashes and underscores are needed, for what begins so is taken to be the node’s',
      );
    }
    if (renderer === 'ipvs' && node.namespace === undefined) {
      throw new SkepError(
        'invalid-argument',
        'the renderer ipvs has chains of the same names as Docker, and would empty those of an ' +
          'engine on this machine: use nftables, or a node in a namespace',
      );
    }
    this.#node = node;
    this.#renderer = rendererOf(renderer);
    this.#sessions = options.run === undefined ? new NftSessions() : undefined;
    const run = options.run ?? this.#sessions?.run ?? runCommands;
    this.#adopted = new AdoptedTasks(node.namespacePrefix);
    this.#hasAdopted = options.taskNamespaces === 'adopted';
    this.#run = this.#adopted.over(
      renderer === 'ipvs' ? workingIptables(run, node.namespace) : run,
    );
    this.#stateFile = options.stateFile;
    this.#kernel = new NodeKernel({
      namespace: node.namespace,
      namespacePrefix: node.namespacePrefix,
      renderer: this.#renderer,
      run: this.#run,
      fingerprints: options.fingerprints ?? takeFingerprints,
    });
    this.#local = createNodeLocal(node);
  }

  /** The tables that the kernel was last known to hold. */
  get tables(): NodeTables | undefined {
    return this.#held;
  }

  /** What this kernel does not have of what the tables ask for, for people; it works without. */
  get limits(): readonly string[] {
    return this.#kernel.limits;
  }

  /** Host-mode ports of a task, with the numbers that the node chose. */
  hostPorts(taskId: TaskId): readonly AllocatedPort[] {
    return hostPortsOf(this.#local, taskId);
  }

  /** Programs that stay, with their namespaces (`''`: the machine's own): for people and tests. */
  get processes(): readonly (readonly [string, number])[] {
    return this.#sessions?.processes ?? [];
  }

  /** Name of a namespace of the node as `ip netns` knows it; undefined: the machine's own. */
  place(namespace: NamespaceReference): string | undefined {
    return this.#kernel.place(namespace);
  }

  /** Name of the network namespace of a task, as `ip netns` knows it. */
  taskNamespace(taskId: TaskId): string {
    return taskNamespace(this.#node.namespacePrefix, taskId).name;
  }

  /**
   * The first time, and after a failure, everything is looked at and put right; then differences.
   * @throws unavailable with the line that a tool refused; failed-precondition when a program is
   * not there, with the command that installs it.
   */
  async apply(state: NodeNetworkState, change: NetworkChange | undefined): Promise<void> {
    if (!this.#isLocalRead) await this.#readLocal();
    // The maps of the state are live: everything is computed before time passes.
    const local = planNodeLocal(this.#local, state, change);
    const next =
      this.#tables === undefined
        ? buildTables(state, local)
        : updateTables(this.#tables, state, change, local);
    const isNew = local !== this.#local;
    this.#local = local;
    this.#tables = next;
    await this.#inTurn(async () => {
      if (isNew && this.#stateFile !== undefined) await writeNodeLocal(this.#stateFile, local);
      await this.#program(next);
    });
  }

  /** Reads back everything; what is wrong is put right and told. */
  repair(): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      const applied = this.#applied;
      if (applied === undefined || this.#isClosed) return [];
      this.#applied = undefined;
      const findings = await this.#kernel.converge(applied);
      this.#applied = applied;
      if (findings.length > 0) for (const listener of this.#onRepaired) listener();
      return findings;
    });
  }

  /** Calls the listener after a repair that found something; the result ends that. */
  onRepaired(listener: () => void): () => void {
    this.#onRepaired.add(listener);
    return () => this.#onRepaired.delete(listener);
  }

  /**
   * Makes the network namespace of a process that of a task: what a container engine made with no
   * network becomes the task's, with all its interfaces. Done twice, it is done once; several that
   * are asked for at a time are done together.
   * @throws not-found when the tables have no such task; unavailable as {@link apply}, and when the
   * process is gone; failed-precondition when it has no namespace of its own.
   */
  async adoptTaskNamespace(taskId: TaskId, pid: number): Promise<void> {
    await this.#adopted.add(taskId, pid);
    await this.#inTurn(async () => {
      const tables = this.#held;
      if (tables?.tasks.has(taskId) !== true) {
        const isExpected = this.#tables?.tasks.has(taskId) === true;
        throw isExpected
          ? new SkepError('unavailable', `the tables of task ${taskId} are not applied yet`)
          : new SkepError('not-found', `no table of this node has the task ${taskId}`);
      }
      if (this.#applied?.tasks.has(taskId) !== true) await this.#program(tables);
      else if (!(await this.#adopted.isNamed(taskId))) await this.#rename(tables, taskId);
    });
  }

  /** Ends the work; the kernel keeps what it has, and the next agent takes it over. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#turn;
    await this.#sessions?.close();
  }

  /**
   * Removes everything that the node made: for a node that is no more. On the machine itself the
   * gateway bridge and the tables of nftables go too.
   */
  clear(): Promise<void> {
    return this.#inTurn(async () => {
      this.#applied = undefined;
      this.#tables = undefined;
      this.#held = undefined;
      await this.#kernel.removeAll();
      if (this.#node.namespace !== undefined) return;
      const { name } = this.#local.gatewayBridge;
      const machine = (...command: string[]): NamespaceCommand => ({
        namespace: undefined,
        command,
      });
      // Ends of pairs live as long as a process holds the namespace of the other end.
      const [legs] = await this.#run([machine('ip', '-o', 'link', 'show', 'master', name)]);
      const names = (legs?.output ?? '').match(/\bgw[0-9a-f]{8}(?=[@:])/g) ?? [];
      await this.#run([
        ...names.map((leg) => machine('ip', 'link', 'delete', leg)),
        machine('ip', 'link', 'delete', name),
        {
          ...machine('nft', '-f', '-'),
          input: 'table inet skep\ndelete table inet skep\n',
        },
      ]);
    });
  }

  async #program(next: NodeTables): Promise<void> {
    if (this.#isClosed) throw new SkepError('aborted', 'the dataplane was closed');
    const applied = this.#applied;
    // Should it fail half-way, nobody knows what the kernel holds.
    this.#applied = undefined;
    this.#adopted.keepOnly(next);
    if (this.#hasAdopted && applied === undefined) await this.#takeOver(next);
    const visible = this.#visible(next);
    if (applied === undefined) {
      await this.#kernel.converge(visible);
    } else {
      const { steps, suspects } = differenceSteps(this.#renderer, diffTables(applied, visible));
      try {
        await this.#kernel.run(steps);
      } catch (thrown) {
        // A program died in the middle of a change: what it did is seen by looking.
        if (!isSkepError(thrown, 'aborted')) throw thrown;
        await this.#kernel.converge(visible);
      }
      if (suspects.length > 0) await this.#kernel.converge(visible, new Set(suspects));
    }
    this.#applied = visible;
    this.#held = next;
  }

  /** What is to be programmed of these tables: all of them, or less the tasks not adopted yet. */
  #visible(tables: NodeTables): NodeTables {
    return this.#hasAdopted ? this.#adopted.visible(tables) : tables;
  }

  /** What has the name of a task was adopted by an earlier agent. */
  async #takeOver(tables: NodeTables): Promise<void> {
    const named = await listNamespaces(this.#node.namespacePrefix);
    const names = new Set(named.flatMap(({ name, isMounted }) => (isMounted ? name : [])));
    const own = tables.tasks.keys().map((taskId) => this.taskNamespace(taskId));
    this.#adopted.takeOver(own.filter((name) => names.has(name)));
  }

  /** The name of a task's namespace stands for another one: it is given to that of its process. */
  async #rename(tables: NodeTables, taskId: TaskId): Promise<void> {
    const name = this.taskNamespace(taskId);
    const prefix = this.#node.namespacePrefix;
    const networks = tables.tasks.get(taskId)?.endpoints ?? [];
    const bridges = networks.map(({ networkId }) => bridgeNamespace(prefix, networkId).name);
    const visible = this.#visible(tables);
    this.#applied = undefined;
    await this.#machine([`netns delete ${name}`]);
    await this.#kernel.converge(visible, new Set(['host', name, ...bridges]));
    this.#applied = visible;
  }

  async #readLocal(): Promise<void> {
    this.#isLocalRead = true;
    if (this.#stateFile === undefined) return;
    this.#local = (await readNodeLocal(this.#stateFile, this.#local)) ?? this.#local;
  }

  async #machine(lines: readonly string[]): Promise<void> {
    const input = `${lines.join('\n')}\n`;
    const command = ['ip', '-batch', '-'];
    const [result] = await this.#run([{ namespace: undefined, command, input }]);
    if (result?.status === 0) return;
    throw new SkepError('unavailable', `${lines.join('; ')}: ${result?.errors.trim() ?? ''}`);
  }

  /** One after the other: nothing may look while another changes what it looks at. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

/**
 * The dataplane of a node on this machine. It needs the rights of root, and the programs that
 * `probeDataplane` looks for.
 * @throws invalid-argument for a prefix, a renderer or a combination that cannot be.
 */
export function kernelDataplane(options: KernelDataplaneOptions): KernelDataplane {
  return new KernelDataplane(options);
}
