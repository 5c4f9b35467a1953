/**
 * Tells a publisher what a cluster publishes, as its manager tells it.
 */
import { messageOf, Node, Service, Task } from '@skep/api';
import type { Kind, Logger, StoredObject } from '@skep/api';
import { controlClient, type FollowMessage } from '@skep/control';
import type { PortPublisher } from './port-publisher.js';
import { needsTasks, wantedPorts } from './wanted-ports.js';

/** What a feed is given. */
export interface PortFeedOptions {
  readonly controlSocket: string;
  readonly publisher: PortPublisher;
  readonly logger: Logger;
}

const RECONNECT_MS = 1_000;

/** Follows the manager as long as ports are to be published. */
export class PortFeed {
  readonly #options: PortFeedOptions;
  /** By kind, then id. */
  readonly #objects = new Map<string, Map<string, StoredObject>>();
  #abort: AbortController | undefined;
  #following: Promise<void> = Promise.resolve();

  constructor(options: PortFeedOptions) {
    this.#options = options;
  }

  /** Ports are published from now on, or not any more. */
  publish(isWanted: boolean): void {
    if (isWanted === (this.#abort !== undefined)) return;
    this.#abort?.abort();
    this.#abort = undefined;
    if (!isWanted) return this.#options.publisher.publish([]);
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.#following = this.#following.then(() => this.#follow(signal));
  }

  async close(): Promise<void> {
    this.#abort?.abort();
    await this.#following;
  }

  /** While the manager is away, ports stay as they were: the nodes go on without it. */
  async #follow(signal: AbortSignal): Promise<void> {
    const { controlSocket, logger } = this.#options;
    let isTold = false;
    while (!signal.aborted) {
      const client = controlClient({ path: controlSocket });
      try {
        const withTasks = needsTasks(this.#all(Service));
        const kinds = [Service, Node, ...(withTasks ? [Task] : [])];
        for await (const message of client.follow({ kinds, signal })) {
          isTold = false;
          this.#take(message);
          if (signal.aborted || needsTasks(this.#all(Service)) !== withTasks) break;
        }
      } catch (thrown) {
        // Told once: a manager that is being started is no news every second.
        if (!isTold) logger.info('manager not followed', { error: messageOf(thrown) });
        isTold = true;
        await pause(RECONNECT_MS, signal);
      } finally {
        await client.close();
      }
    }
  }

  #take(message: FollowMessage): void {
    if (message.type === 'snapshot') {
      this.#objects.clear();
      for (const object of message.objects) this.#mapOf(object.kind).set(object.meta.id, object);
    } else {
      for (const { type, object } of message.events) {
        const map = this.#mapOf(object.kind);
        if (type === 'deleted') map.delete(object.meta.id);
        else map.set(object.meta.id, object);
      }
    }
    const [services, nodes, tasks] = [this.#all(Service), this.#all(Node), this.#all(Task)];
    this.#options.publisher.publish(wantedPorts({ services, nodes, tasks }));
  }

  #mapOf(kind: string): Map<string, StoredObject> {
    const known = this.#objects.get(kind) ?? new Map<string, StoredObject>();
    this.#objects.set(kind, known);
    return known;
  }

  /** Objects are what their kind says. */
  #all<Spec, Status>({ name }: Kind<Spec, Status>): readonly StoredObject<Spec, Status>[] {
    return [...this.#mapOf(name).values()] as StoredObject<Spec, Status>[];
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
