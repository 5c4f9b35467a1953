/**
 * One simulated machine: its containers, its tables, its agent, and what can happen to it.
 */
import {
  silentLogger,
  SkepError,
  type Clock,
  type Logger,
  type NodeDescription,
  type NodeId,
  type NodeLink,
  type Random,
} from '@skep/api';
import { Agent } from '@skep/adapter';
import type { BehaviourOf } from './behaviour.js';
import type { SimulatedContainer } from './container.js';
import { describeHost } from './description.js';
import type { SimulatedDataplane } from './simulated-dataplane.js';
import type { SimulatedResolver } from './simulated-resolver.js';
import { SimulatedLink, type SimulatedLinkOptions } from './simulated-link.js';
import { SimulatedRuntime } from './simulated-runtime.js';

/** What a simulated host needs. */
export interface SimulatedHostOptions {
  readonly id: NodeId;
  readonly name: string;
  /** Address in the underlay. */
  readonly address: string;
  readonly link: NodeLink;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  readonly description?: Partial<NodeDescription>;
  readonly behaviour: BehaviourOf;
  readonly latencyMs?: SimulatedLinkOptions['latencyMs'];
  /** Makes the seams anew each time the host boots. */
  readonly network: () => {
    readonly dataplane: SimulatedDataplane;
    readonly resolver: SimulatedResolver;
  };
  /** The host lost its power, and with it what its kernel held, or has it again. */
  readonly onPower: (isOn: boolean) => void;
}

/** A simulated machine. */
export class SimulatedHost {
  readonly id: NodeId;
  readonly name: string;
  readonly address: string;
  readonly runtime: SimulatedRuntime;
  readonly #options: SimulatedHostOptions;
  readonly #link: SimulatedLink;
  #description: Partial<NodeDescription>;
  #seams: { readonly dataplane: SimulatedDataplane; readonly resolver: SimulatedResolver };
  #agent: Agent | undefined;
  #isOn = true;

  constructor(options: SimulatedHostOptions) {
    this.id = options.id;
    this.name = options.name;
    this.address = options.address;
    this.#options = options;
    this.#description = options.description ?? {};
    this.#seams = options.network();
    this.#link = new SimulatedLink({
      inner: options.link,
      clock: options.clock,
      random: options.random.fork('link'),
      ...(options.latencyMs === undefined ? {} : { latencyMs: options.latencyMs }),
    });
    this.runtime = new SimulatedRuntime({
      nodeName: options.name,
      clock: options.clock,
      random: options.random.fork('runtime'),
      behaviour: options.behaviour,
      description: () => describeHost(options.name, this.#description),
      hostPorts: (task) => this.#seams.dataplane.hostPorts(task.id),
    });
  }

  /** What programs the node's tables. */
  get dataplane(): SimulatedDataplane {
    return this.#seams.dataplane;
  }

  /** What answers names for the tasks here. */
  get resolver(): SimulatedResolver {
    return this.#seams.resolver;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  /** Whether the manager can be reached from here. */
  get isConnected(): boolean {
    return this.#isOn && !this.#link.isCut;
  }

  /** The agent, while it runs. */
  get agent(): Agent | undefined {
    return this.#agent;
  }

  /** Starts the agent. */
  async start(): Promise<void> {
    if (!this.#isOn || this.#agent !== undefined) return;
    const { id, address, clock, random } = this.#options;
    this.#agent = new Agent({
      nodeId: id,
      address,
      link: this.#link,
      runtime: this.runtime,
      ...this.#seams,
      clock,
      random: random.fork('agent'),
      logger: this.#options.logger ?? silentLogger,
    });
    await this.#agent.start();
  }

  /** Ends the agent; containers and tables stay. */
  async stopAgent(): Promise<void> {
    const agent = this.#agent;
    this.#agent = undefined;
    await agent?.stop();
  }

  /** The machine loses its power: agent, containers and tables are gone at once. */
  powerOff(): void {
    if (!this.#isOn) return;
    this.#isOn = false;
    this.#link.cut();
    void this.stopAgent();
    void this.#seams.dataplane.close();
    void this.#seams.resolver.close();
    this.runtime.powerOff();
    this.#options.onPower(false);
  }

  /** The machine boots: empty, with the images it had. */
  async powerOn(): Promise<void> {
    if (this.#isOn) return;
    this.#isOn = true;
    this.#options.onPower(true);
    this.#link.heal();
    this.#seams = this.#options.network();
    await this.start();
  }

  /** Cuts the machine off from the manager; everything on it goes on. */
  disconnect(): void {
    this.#link.cut();
  }

  /** Undoes {@link SimulatedHost.disconnect}. */
  reconnect(): void {
    if (this.#isOn) this.#link.heal();
  }

  /** Changes what the machine says about itself; the agent notices within 20 s. */
  describeAs(description: Partial<NodeDescription>): void {
    this.#description = { ...this.#description, ...description };
  }

  /**
   * A container ends by itself.
   * @throws not-found when no container of the task runs here.
   */
  crash(taskId: string, exitCode = 1): SimulatedContainer {
    const container = this.runtime.container(taskId);
    if (container === undefined || container.state !== 'running') {
      throw new SkepError('not-found', `no container of task ${taskId} runs on ${this.name}`);
    }
    container.end({ exitCode });
    return container;
  }
}
