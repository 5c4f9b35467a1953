/**
 * The dataplane of a real Linux host: the texts that a renderer makes of a node's tables, given to
 * the kernel's own tools, differences after the first time, and read back.
 */
import { SkepError, type AllocatedPort, type TaskId } from '@skep/api';
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
  /** Default: the machine's own programs. */
  readonly run?: CommandRunner;
}

/** Programs the kernel of one node. See {@link kernelDataplane}. */
export class KernelDataplane implements Dataplane {
  readonly #node: KernelNode;
  readonly #renderer: NodeRenderer;
  readonly #kernel: NodeKernel;
  readonly #run: CommandRunner;
  readonly #stateFile: string | undefined;
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
    const { node, renderer = 'nftables', run = runCommands } = options;
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
    this.#run = renderer === 'ipvs' ? workingIptables(run, node.namespace) : run;
    this.#stateFile = options.stateFile;
    this.#kernel = new NodeKernel({
      namespace: node.namespace,
      namespacePrefix: node.namespacePrefix,
      renderer: this.#renderer,
      run: this.#run,
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
   * network becomes the task's, with all its interfaces.
   * @throws not-found when the tables have no such task; unavailable as {@link apply}.
   */
  adoptTaskNamespace(taskId: TaskId, pid: number): Promise<void> {
    return this.#inTurn(async () => {
      const tables = this.#applied;
      const task = tables?.tasks.get(taskId);
      if (tables === undefined || task === undefined) {
        throw new SkepError('not-found', `no table of this node has the task ${taskId}`);
      }
      const name = this.taskNamespace(taskId);
      const host = { name: 'host', kind: 'host' } as const;
      const lines = [`netns delete ${name}`, `netns attach ${name} ${pid}`];
      const prefix = this.#node.namespacePrefix;
      const bridges = task.endpoints.map(
        ({ networkId }) => bridgeNamespace(prefix, networkId).name,
      );
      this.#applied = undefined;
      await this.#machine(lines);
      await this.#kernel.converge(tables, new Set([host.name, name, ...bridges]));
      this.#applied = tables;
    });
  }

  /** Ends the work; the kernel keeps what it has, and the next agent takes it over. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#turn;
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
    if (applied === undefined) {
      await this.#kernel.converge(next);
    } else {
      const { steps, suspects } = differenceSteps(this.#renderer, diffTables(applied, next));
      await this.#kernel.run(steps);
      if (suspects.length > 0) await this.#kernel.converge(next, new Set(suspects));
    }
    this.#applied = next;
    this.#held = next;
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
