/**
 * All simulated hosts, and the world between them.
 */
import {
  parseAddress,
  SkepError,
  type Clock,
  type DataplaneName,
  type Logger,
  type NodeDescription,
  type NodeId,
  type NodeLink,
  type Random,
  type Runnable,
  type TaskId,
} from '@skep/api';
import { connect, taskNamespace, World, type Delivery } from '@skep/network';
import type { BehaviourOf } from './behaviour.js';
import { parseTarget, type RequestOptions, type RequestResult } from './request.js';
import { SimulatedDataplane } from './simulated-dataplane.js';
import { SimulatedHost } from './simulated-host.js';
import type { SimulatedLinkOptions } from './simulated-link.js';
import { SimulatedResolver } from './simulated-resolver.js';

/** What a simulator needs. */
export interface SimulatorOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** How hosts reach the manager. */
  readonly link: NodeLink;
  /** What containers do. Default: they run until they are stopped. */
  readonly behaviour?: BehaviourOf;
  readonly latencyMs?: SimulatedLinkOptions['latencyMs'];
  readonly logger?: Logger;
  /** How hosts program their kernels. Default: `ipvs`. */
  readonly renderer?: DataplaneName;
}

/** A host to add. */
export interface HostOptions {
  readonly id: NodeId;
  readonly name: string;
  /** What differs from 4 CPUs, 8 GiB, linux/amd64 and the engine's own plugins. */
  readonly description?: Partial<NodeDescription>;
}

/** First underlay address that is given to a host: 192.168.50.11. */
const FIRST_ADDRESS = 0xc0a8320b;
/** Prefix length of the underlay; hosts are numbered on through it. */
const UNDERLAY_PREFIX = 16;
/** Where requests from outside of the cluster come from: the machine of whoever runs it. */
const OUTSIDE_ADDRESS = '192.168.50.1';

/** Simulated hosts by name, and requests between them. */
export class Simulator implements Runnable {
  /** Everything that packets see. */
  readonly world = new World();
  readonly #options: SimulatorOptions;
  readonly #hosts = new Map<NodeId, SimulatedHost>();
  #isRunning = false;
  #added = 0;

  constructor(options: SimulatorOptions) {
    this.#options = options;
  }

  /** All hosts, in the order in which they were added. */
  get hosts(): readonly SimulatedHost[] {
    return [...this.#hosts.values()];
  }

  /** The host with this id or name. @throws not-found */
  host(idOrName: string): SimulatedHost {
    const host = this.#hosts.get(idOrName) ?? this.hosts.find(({ name }) => name === idOrName);
    if (host === undefined) throw new SkepError('not-found', `no host '${idOrName}'`);
    return host;
  }

  /**
   * Adds a host; its agent starts with the simulator, or at once when that runs.
   * @throws already-exists when there is a host of this id or name.
   */
  async addHost(options: HostOptions): Promise<SimulatedHost> {
    const { clock, random, link, logger, latencyMs, renderer } = this.#options;
    const known = this.hosts.find((one) => one.id === options.id || one.name === options.name);
    if (known !== undefined) {
      throw new SkepError('already-exists', `there is a host ${known.name} (${known.id}) already`);
    }
    const address = addressText(FIRST_ADDRESS + this.#added);
    this.#added += 1;
    const { id, name } = options;
    const own = random.fork(`host/${name}`);
    this.world.addNode({ name, address: `${address}/${UNDERLAY_PREFIX}` });
    const host = new SimulatedHost({
      ...options,
      address,
      link,
      clock,
      random: own,
      behaviour: this.#options.behaviour ?? (() => ({})),
      network: () => ({
        dataplane: new SimulatedDataplane({
          nodeName: name,
          address,
          world: this.world,
          clock,
          random: own.fork('dataplane'),
          ...(renderer === undefined ? {} : { renderer }),
        }),
        resolver: new SimulatedResolver(own.fork('resolver')),
      }),
      onPower: (isOn) => this.#powerChanged(name, isOn),
      ...(logger === undefined ? {} : { logger }),
      ...(latencyMs === undefined ? {} : { latencyMs }),
    });
    this.#hosts.set(id, host);
    if (this.#isRunning) await host.start();
    return host;
  }

  /** Takes a host away for good. */
  async removeHost(idOrName: string): Promise<void> {
    const host = this.host(idOrName);
    host.powerOff();
    await host.stopAgent();
    this.#hosts.delete(host.id);
    this.world.removeNode(host.name);
  }

  async start(): Promise<void> {
    this.#isRunning = true;
    for (const host of this.hosts) await host.start();
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    for (const host of [...this.hosts].reverse()) await host.stopAgent();
  }

  /** Makes a request, and follows it through the very tables that the nodes hold. */
  request(target: string, options: RequestOptions = {}): RequestResult {
    const { host, port, path } = parseTarget(target);
    const protocol = options.protocol ?? 'tcp';
    const asker = options.from === undefined ? undefined : this.#hostOf(options.from);
    const destination =
      asker === undefined || options.from === undefined
        ? this.#outsideAddress(host)
        : asker.resolver.addressFor(options.from, host);
    if (destination === undefined) return unresolved(host, asker?.resolver, options.from);
    this.world.now = this.#options.clock.now();
    const result = connect(this.world, {
      from:
        asker === undefined || options.from === undefined
          ? { outside: OUTSIDE_ADDRESS }
          : { node: asker.name, namespace: taskNamespace('', options.from).name },
      destination,
      destinationPort: port,
      protocol,
      listens: (delivery) => this.#container(delivery)?.isAnswering === true,
    });
    const { outcome, hops, replyHops, reason, delivered } = result;
    const container = delivered === undefined ? undefined : this.#container(delivered);
    const seenSource = delivered?.seenSource.address;
    const response =
      outcome !== 'answered' || container === undefined || seenSource === undefined
        ? undefined
        : respond(container, { protocol, port: delivered?.port ?? port, path, source: seenSource });
    return {
      outcome,
      body: response?.body ?? '',
      ...(response === undefined ? {} : { status: response.status }),
      ...(delivered === undefined ? {} : { node: delivered.node }),
      ...(delivered?.taskId === undefined ? {} : { taskId: delivered.taskId }),
      ...(container === undefined
        ? {}
        : { taskName: container.task.name, containerId: container.id }),
      ...(seenSource === undefined ? {} : { seenSource }),
      ...(reason === undefined ? {} : { reason }),
      hops,
      replyHops,
    };
  }

  /** The host on which a task's container is. @throws not-found */
  #hostOf(taskId: TaskId): SimulatedHost {
    const host = this.hosts.find(({ runtime }) => runtime.container(taskId) !== undefined);
    if (host === undefined) throw new SkepError('not-found', `no container of task ${taskId}`);
    return host;
  }

  #container({ node, taskId }: Delivery): ReturnType<SimulatedHost['runtime']['container']> {
    if (taskId === undefined || node === '') return undefined;
    return this.host(node).runtime.container(taskId);
  }

  #outsideAddress(host: string): string | undefined {
    if (parseAddress(host) !== undefined) return host;
    return this.hosts.find(({ name }) => name === host)?.address;
  }

  #powerChanged(name: string, isOn: boolean): void {
    const node = this.world.node(name);
    node.isUp = isOn;
    if (!isOn) this.world.setNode(name, []);
  }
}

function respond(
  container: NonNullable<ReturnType<SimulatedHost['runtime']['container']>>,
  request: Parameters<NonNullable<(typeof container)['behaviour']['respond']>>[0],
): { readonly status: number; readonly body: string } {
  return (
    container.behaviour.respond?.(request, container.id) ?? {
      status: 200,
      body: container.id.slice(0, 12),
    }
  );
}

function unresolved(
  host: string,
  resolver: SimulatedResolver | undefined,
  from: TaskId | undefined,
): RequestResult {
  const isKnown = from !== undefined && resolver?.lookup(from, host).outcome === 'NOERROR';
  const reason = `the name '${host}' ${isKnown ? 'has no address now' : 'is not known'}`;
  return { outcome: 'unresolved', body: '', reason, hops: [], replyHops: [] };
}

function addressText(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}
