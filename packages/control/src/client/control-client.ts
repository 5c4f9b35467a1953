/**
 * The client: what `ControlClient` promises, over a transport.
 */
import { isSkepError, type AnyKind, type Clock, type Kind } from '@skep/api';
import type { SelectorTexts, StoredObject } from '@skep/api';
import { systemClock } from '@skep/api/system';
import type { WhyOptions, WhyStep } from '@skep/controller';
import type { LoadedObject } from '@skep/manifest';
import type { Explanation } from '@skep/scheduler';
import { placedError, type Problem } from 'skep';
import type {
  Changed,
  ClusterInfo,
  CommitMessage,
  ControlClient,
  DeclaredInput,
  DeclareOptions,
  FollowMessage,
  LogMessage,
  LogQuery,
  NodePatch,
  NodeTables,
  ObjectList,
  ObjectPatch,
  RemovalInput,
  WatchMessage,
  WatchOptions,
} from '../contract.js';
import { Connection } from './connection.js';
import { pathOf } from './path.js';
import { fetchTransport, socketTransport } from './transport.js';

/** Where a manager is, and how long it is waited for. */
export type ClientOptions = ClientTimes &
  (
    | {
        /** Path of the manager's socket. */
        readonly path: string;
      }
    | {
        /** The application itself, in the same process: `controlApp(…).fetch`. */
        readonly fetch: (request: Request) => Response | Promise<Response>;
      }
  );

/** How long a client waits. */
export interface ClientTimes {
  /** Longest wait for an answer. Default: 60 s. */
  readonly timeoutMs?: number;
  /** Longest silence of a stream; the server says something every 15 s. Default: 60 s. */
  readonly silenceMs?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** A client of a manager. Connects when it is first asked for something; end it with `close`. */
export function controlClient(options: ClientOptions): ControlClient {
  const { timeoutMs = 60_000, silenceMs = 60_000, clock = systemClock() } = options;
  const transport =
    'path' in options ? socketTransport(options.path) : fetchTransport(options.fetch);
  return new Client(new Connection({ transport, clock, timeoutMs, silenceMs }));
}

type KindName = AnyKind | string;

class Client implements ControlClient {
  readonly #at: Connection;

  constructor(connection: Connection) {
    this.#at = connection;
  }

  info(): Promise<ClusterInfo> {
    return this.#get(pathOf(['info']));
  }

  list<Spec, Status>(
    kind: Kind<Spec, Status> | string,
    selector: SelectorTexts = {},
  ): Promise<ObjectList<Spec, Status>> {
    const { labels, fields } = selector;
    return this.#get(pathOf(['objects'], { kinds: [nameOf(kind)], labels, fields }));
  }

  listAll(kinds: readonly KindName[], selector: SelectorTexts = {}): Promise<ObjectList> {
    const { labels, fields } = selector;
    return this.#get(pathOf(['objects'], { kinds: kinds.map(nameOf), labels, fields }));
  }

  get<Spec, Status>(
    kind: Kind<Spec, Status> | string,
    reference: string,
  ): Promise<StoredObject<Spec, Status>> {
    return this.#get(pathOf(['objects', nameOf(kind), reference]));
  }

  declare(objects: readonly DeclaredInput[], options: DeclareOptions = {}): Promise<Changed> {
    return this.#send('POST', pathOf(['declare']), { objects, ...options });
  }

  async declareLoaded(
    objects: readonly LoadedObject[],
    options: DeclareOptions = {},
  ): Promise<Changed> {
    const inputs = objects.map(({ kind, name, labels, annotations, spec }) => {
      return { kind, name, labels, spec, ...(annotations === undefined ? {} : { annotations }) };
    });
    try {
      return await this.declare(inputs, options);
    } catch (thrown) {
      throw isSkepError(thrown) ? placedError(thrown, objects) : thrown;
    }
  }

  scale(service: string, replicas: number): Promise<Changed> {
    return this.#send('POST', pathOf(['services', service, 'scale']), { replicas });
  }

  update(service: string, patch: ObjectPatch): Promise<Changed> {
    return this.patch('Service', service, patch);
  }

  patch(kind: KindName, reference: string, patch: ObjectPatch): Promise<Changed> {
    return this.#send('PATCH', pathOf(['objects', nameOf(kind), reference]), patch);
  }

  rollback(service: string, options: { readonly toSpecVersion?: number } = {}): Promise<Changed> {
    return this.#send('POST', pathOf(['services', service, 'rollback']), options);
  }

  forceUpdate(service: string): Promise<Changed> {
    return this.#send('POST', pathOf(['services', service, 'force-update']), {});
  }

  hold(service: string): Promise<Changed> {
    return this.#send('POST', pathOf(['services', service, 'hold']), {});
  }

  resume(service: string): Promise<Changed> {
    return this.#send('POST', pathOf(['services', service, 'resume']), {});
  }

  remove(targets: readonly RemovalInput[]): Promise<Changed> {
    const named = targets.map((target) =>
      'kind' in target ? { ...target, kind: nameOf(target.kind) } : target,
    );
    return this.#send('POST', pathOf(['remove']), { targets: named });
  }

  updateNode(node: string, patch: NodePatch): Promise<Changed> {
    return this.#send('PATCH', pathOf(['nodes', node]), patch);
  }

  removeNode(node: string, { force }: { readonly force?: boolean } = {}): Promise<Changed> {
    return this.#at.json({ method: 'DELETE', path: pathOf(['nodes', node], { force }) });
  }

  watch(options: WatchOptions = {}): AsyncIterable<WatchMessage> {
    const { from, kinds, labels, fields, withPrevious, signal } = options;
    const path = pathOf(['watch'], {
      from,
      kinds: kinds?.map(nameOf),
      labels,
      fields,
      previous: withPrevious,
    });
    return watchMessages(this.#at.events({ method: 'GET', path }, signal));
  }

  follow(options: Omit<WatchOptions, 'from'> = {}): AsyncIterable<FollowMessage> {
    return followMessages(this, options);
  }

  async problems(): Promise<readonly Problem[]> {
    const { problems } = await this.#get<{ problems: readonly Problem[] }>(pathOf(['problems']));
    return problems;
  }

  explain(task: string): Promise<Explanation> {
    return this.#get(pathOf(['explain', task]));
  }

  async why<Spec, Status>(
    kind: Kind<Spec, Status> | string,
    reference: string,
    options: WhyOptions = {},
  ): Promise<readonly WhyStep[]> {
    const { revision, change, field, stepsMax } = options;
    const path = pathOf(['why', nameOf(kind), reference], { revision, change, field, stepsMax });
    const { steps } = await this.#get<{ steps: readonly WhyStep[] }>(path);
    return steps;
  }

  logs(query: LogQuery): AsyncIterable<LogMessage> {
    const { signal, ...parameters } = query;
    const path = pathOf(['logs'], parameters);
    // Whatever a manager says here is a message of this type.
    return this.#at.events({ method: 'GET', path }, signal) as AsyncIterable<LogMessage>;
  }

  tables(node: string): Promise<NodeTables> {
    return this.#get(pathOf(['nodes', node, 'tables']));
  }

  metrics(): Promise<string> {
    return this.#at.text({ method: 'GET', path: pathOf(['metrics']) });
  }

  close(): Promise<void> {
    this.#at.close();
    return Promise.resolve();
  }

  #get<Answer>(path: string): Promise<Answer> {
    return this.#at.json({ method: 'GET', path });
  }

  #send<Answer>(method: 'POST' | 'PATCH', path: string, body: unknown): Promise<Answer> {
    return this.#at.json({ method, path, body: JSON.stringify(body) });
  }
}

function nameOf(kind: KindName | Kind<never, never>): string {
  return typeof kind === 'string' ? kind : kind.name;
}

/** What a watch says on the wire has no type of its own: the first says where it begins. */
async function* watchMessages(
  events: AsyncIterable<unknown>,
): AsyncGenerator<WatchMessage, void, undefined> {
  for await (const message of events) {
    if (typeof message === 'object' && message !== null && 'events' in message) {
      yield { type: 'commit', ...(message as CommitMessage) };
    } else {
      yield { type: 'started', ...(message as { readonly revision: number }) };
    }
  }
}

async function* followMessages(
  client: ControlClient,
  options: Omit<WatchOptions, 'from'>,
): AsyncGenerator<FollowMessage, void, undefined> {
  const { kinds, labels, fields, signal } = options;
  const selector = {
    ...(labels === undefined ? {} : { labels }),
    ...(fields === undefined ? {} : { fields }),
  };
  while (!isAborted(signal)) {
    const list = await client.listAll(kinds ?? [], selector);
    if (isAborted(signal)) return;
    yield { type: 'snapshot', ...list };
    try {
      for await (const message of client.watch({ ...options, from: list.revision })) {
        if (message.type === 'commit') yield message;
      }
      return;
    } catch (thrown) {
      if (!isLagging(thrown)) throw thrown;
    }
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function isLagging(thrown: unknown): boolean {
  return isSkepError(thrown, 'resync-required') || isSkepError(thrown, 'compacted');
}
