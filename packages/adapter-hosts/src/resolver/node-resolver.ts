/**
 * The resolver of a real host: one name server for all tasks of a node, asked at 127.0.0.11. It
 * tells clients apart by their addresses, answers what the cluster knows, and sends on the rest;
 * what comes from internal networks is only sent to servers inside of them.
 */
import {
  messageOf,
  silentLogger,
  SkepError,
  type Clock,
  type Logger,
  type Random,
} from '@skep/api';
import type { Resolver } from '@skep/adapter';
import {
  answerQuery,
  buildNameView,
  decodeQuery,
  failedForward,
  updateNameView,
  type DnsTransport,
  type NameView,
  type NetworkChange,
  type NodeNetworkState,
} from '@skep/network';
import type { KernelDataplane } from '../dataplane/kernel-dataplane.js';
import { nameServerPlace } from '../dataplane/name-server-place.js';
import { listNamespaces } from '../namespace/netns-list.js';
import { exchange } from './dns-exchange.js';
import { Forwarder } from './forwarder.js';
import { NameListener } from './name-listener.js';
import { openNameSockets } from './name-sockets.js';
import { MachineServers } from './upstream-servers.js';

/** What a resolver needs. */
export interface NodeResolverOptions {
  /** Whose tables say where clients are; it leads what tasks ask 127.0.0.11 to the resolver. */
  readonly dataplane: KernelDataplane;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  /**
   * Servers for what the cluster does not know: addresses, with `:PORT` when it is not 53. A task
   * may have its own. Default: those of the machine, read from /etc/resolv.conf.
   */
  readonly servers?: readonly string[];
}

/** Where a name server has to be in one namespace. */
interface Place {
  /** As `ip netns` knows it; undefined: the machine's own. */
  readonly namespace: string | undefined;
  readonly address: string;
  /** Number of the namespace: another one of that name needs other sockets. */
  readonly inode: number;
  /** Client's address → task. */
  readonly clients: Map<string, string>;
}

interface Server {
  readonly inode: number;
  readonly listener: NameListener;
  clients: ReadonlyMap<string, string>;
}

const SEEDS = 2 ** 31;
const RESOLV_CONF = '/etc/resolv.conf';

/** See {@link nodeResolver}. */
export class NodeResolver implements Resolver {
  readonly #options: NodeResolverOptions;
  readonly #logger: Logger;
  readonly #machineServers: MachineServers;
  readonly #forwarder = new Forwarder();
  /** By namespace and address. */
  readonly #servers = new Map<string, Server>();
  #view: NameView | undefined;
  #state: NodeNetworkState | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  readonly #stopListening: () => void;

  constructor(options: NodeResolverOptions) {
    const { clock, dataplane, logger = silentLogger } = options;
    this.#options = options;
    this.#logger = logger;
    this.#machineServers = new MachineServers(RESOLV_CONF, () => clock.now());
    this.#stopListening = dataplane.onRepaired(() => {
      this.#inTurn(() => this.#serve()).catch((thrown: unknown) =>
        logger.error('names are not answered', { error: messageOf(thrown) }),
      );
    });
  }

  /**
   * Resolves when every task of the tables that the dataplane holds can ask, and is answered from
   * this state.
   * @throws unavailable when a socket cannot be had: with its address, and why.
   */
  async apply(state: NodeNetworkState, change: NetworkChange | undefined): Promise<void> {
    this.#view =
      this.#view === undefined || change === undefined
        ? buildNameView(state)
        : updateNameView(this.#view, state, change);
    this.#state = state;
    await this.#inTurn(() => this.#serve());
  }

  /** Ends all sockets. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopListening();
    await this.#turn;
    for (const { listener } of this.#servers.values()) listener.close();
    this.#servers.clear();
  }

  /** Has sockets where tasks ask, and nowhere else. */
  async #serve(): Promise<void> {
    if (this.#isClosed) throw new SkepError('aborted', 'the resolver was closed');
    const places = await this.#places();
    for (const [key, { listener, inode }] of [...this.#servers]) {
      if (places.get(key)?.inode === inode) continue;
      listener.close();
      this.#servers.delete(key);
    }
    for (const [key, { namespace, address, inode, clients }] of places) {
      const present = this.#servers.get(key);
      if (present !== undefined) {
        present.clients = clients;
        continue;
      }
      const sockets = await openNameSockets(namespace, address);
      const firstId = this.#options.random.int(SEEDS);
      const server: Server = {
        inode,
        clients,
        listener: new NameListener(
          sockets,
          (bytes, client, transport) => this.#answer(server, bytes, client, transport),
          firstId,
        ),
      };
      this.#servers.set(key, server);
    }
  }

  async #places(): Promise<ReadonlyMap<string, Place>> {
    const { dataplane } = this.#options;
    const { tables } = dataplane;
    const places = new Map<string, Place>();
    if (tables === undefined) return places;
    const inodes = new Map(
      (await listNamespaces(tables.host.namespacePrefix)).map(({ name, inode }) => [name, inode]),
    );
    for (const task of tables.tasks.values()) {
      const found = nameServerPlace(tables, task);
      if (found === undefined) {
        this.#logger.warn('a task without IPv4 address has no name server', {
          taskId: task.taskId,
        });
        continue;
      }
      const namespace = dataplane.place(found.namespace);
      const key = `${namespace ?? ''} ${found.address}`;
      const inode = namespace === undefined ? 0 : (inodes.get(namespace) ?? 0);
      const place = places.get(key) ?? {
        namespace,
        address: found.address,
        inode,
        clients: new Map<string, string>(),
      };
      place.clients.set(found.clientAddress, task.taskId);
      places.set(key, place);
    }
    return places;
  }

  async #answer(
    server: Server,
    bytes: Uint8Array,
    client: string,
    transport: DnsTransport,
  ): Promise<Uint8Array | undefined> {
    const view = this.#view;
    const taskId = server.clients.get(client);
    if (view === undefined || taskId === undefined) return refusal(bytes, transport);
    const seed = this.#options.random.int(SEEDS);
    const outcome = answerQuery(bytes, { asker: { taskId }, view, transport, seed });
    if (outcome.type === 'drop') return undefined;
    if (outcome.type === 'reply') return outcome.bytes;
    const isConfined = outcome.via === 'task';
    return this.#forwarder.forward({
      bytes,
      query: outcome.query,
      transport,
      servers: await this.#serversOf(taskId, isConfined),
      ask: isConfined ? (question) => server.listener.upstream.ask(question) : exchange,
    });
  }

  /** A task's own servers, or the machine's; these are out of reach from internal networks. */
  async #serversOf(taskId: string, isConfined: boolean): Promise<readonly string[]> {
    const { template } = this.#state?.tasks.get(taskId) ?? {};
    const own = template?.container?.dns?.nameservers ?? [];
    if (own.length > 0 || isConfined) return own;
    return this.#options.servers ?? this.#machineServers.list();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

/** For somebody who is no task of this node. */
function refusal(bytes: Uint8Array, transport: DnsTransport): Uint8Array | undefined {
  try {
    return failedForward(decodeQuery(bytes), 'REFUSED', transport);
  } catch {
    // What cannot be read from a stranger is not answered.
    return undefined;
  }
}

/** The resolver of a node whose kernel the dataplane programs. */
export function nodeResolver(options: NodeResolverOptions): NodeResolver {
  return new NodeResolver(options);
}
