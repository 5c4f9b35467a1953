/**
 * A cluster on virtual time, its nodes, and a client of it without a socket.
 */
import { isSkepError, type SkepErrorCode } from '@skep/api';
import { seededRandom, VirtualClock } from '@skep/api/virtual';
import type { Hono } from 'hono';
import { openCluster, type LiveCluster, type LiveOptions } from 'skep';
import { controlClient } from '../client/control-client.js';
import type { ControlClient } from '../contract.js';
import { controlApp, type ControlOptions } from '../server/app.js';
import { FakeNode } from './fake-node.js';

/** Two replicas behind a published port. */
export const WEB = 'services: { web: { image: "web:1", deploy: { replicas: 2 } } }';

/** What tests work with. */
export interface Rig {
  readonly clock: VirtualClock;
  readonly cluster: LiveCluster;
  readonly app: Hono;
  readonly client: ControlClient;
  readonly nodes: readonly FakeNode[];
  /** Ends the server: streams end. */
  readonly stopping: AbortController;
  node(name: string): FakeNode;
  stop(): Promise<void>;
}

/** Options of {@link rig}. */
export interface RigOptions extends LiveOptions, Omit<ControlOptions, 'cluster' | 'metrics'> {
  readonly nodes?: number;
  readonly text?: () => string;
}

/** A cluster whose nodes have come in. */
export async function rig(options: RigOptions = {}): Promise<Rig> {
  const { nodes: count = 2, text, keepAliveMs, silenceMs, bodyBytesMax, ...live } = options;
  const clock = (options.clock as VirtualClock | undefined) ?? new VirtualClock();
  const checks = live.store === undefined ? { checks: true } : {};
  const cluster = await openCluster({ random: seededRandom(1), ...checks, ...live, clock });
  const stopping = new AbortController();
  const app = controlApp(
    {
      cluster,
      ...(options.logger === undefined ? {} : { logger: options.logger }),
      ...(text === undefined ? {} : { metrics: text }),
      ...(keepAliveMs === undefined ? {} : { keepAliveMs }),
      ...(silenceMs === undefined ? {} : { silenceMs }),
      ...(bodyBytesMax === undefined ? {} : { bodyBytesMax }),
    },
    stopping.signal,
  );
  const client = controlClient({ fetch: (request) => app.fetch(request), clock });
  const nodes: FakeNode[] = [];
  for (let number = 1; number <= count; number += 1) {
    const name = `node${number}`;
    const { meta } = await cluster.declareNode({ name, id: `id-${name}` });
    const address = `10.90.0.${10 + number}`;
    const node = new FakeNode({ id: meta.id, name, address, link: cluster.link, clock });
    await node.connect();
    nodes.push(node);
  }
  await clock.advance(3_000);
  return {
    clock,
    cluster,
    app,
    client,
    nodes,
    stopping,
    node: (name) => nodes.find(({ id }) => id === `id-${name}`)!,
    stop: async () => {
      await client.close();
      const stopped = cluster.stop();
      await clock.advance(1_000);
      await stopped;
    },
  };
}

/** The rig with {@link WEB} at work. */
export async function running(options: RigOptions = {}): Promise<Rig> {
  const made = await rig(options);
  await made.cluster.apply(WEB);
  await made.clock.advance(3_000);
  return made;
}

/** The code of what a promise is rejected with. */
export async function codeOf(body: () => unknown): Promise<SkepErrorCode | string> {
  try {
    await body();
  } catch (thrown) {
    return isSkepError(thrown) ? thrown.code : String(thrown);
  }
  return 'nothing was refused';
}

/** Reads a stream in the background, so that time can pass meanwhile. */
export class Listener<T> {
  readonly heard: T[] = [];
  /** What the stream ended with, if it has ended: `over`, or the code of its error. */
  end: string | undefined;
  readonly whenOver: Promise<void>;
  readonly #abort = new AbortController();

  constructor(open: (signal: AbortSignal) => AsyncIterable<T>) {
    this.whenOver = this.#listen(open);
  }

  leave(): void {
    this.#abort.abort();
  }

  async #listen(open: (signal: AbortSignal) => AsyncIterable<T>): Promise<void> {
    try {
      for await (const item of open(this.#abort.signal)) this.heard.push(item);
      this.end = 'over';
    } catch (thrown) {
      this.end = isSkepError(thrown) ? thrown.code : String(thrown);
    }
  }
}
