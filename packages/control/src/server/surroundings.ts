/**
 * What all routes work with.
 */
import { SkepError, type AnyKind, type Logger } from '@skep/api';
import type { AdmissionPlan } from '@skep/orchestrator';
import type { View } from '@skep/store';
import { declarableKinds, type ClusterBase } from 'skep';
import type { Context } from 'hono';
import type { Changed } from '../contract.js';
import { readBody } from './body.js';
import { eventStream, type ServerEvent } from './event-stream.js';
import { Fields } from './fields.js';
import { queryFields, type ParameterForm } from './query.js';

/** What the routes are made with. */
export interface SurroundingParts {
  readonly cluster: ClusterBase;
  readonly logger: Logger;
  /** Metrics as text, if the manager counts anything. */
  readonly metrics: (() => Promise<string> | string) | undefined;
  readonly bodyBytesMax: number;
  readonly keepAliveMs: number;
  /** See `LogParts.silenceMs`. */
  readonly silenceMs: number;
  /** Fires when the server stops; its reason is told to whoever listens to a stream. */
  readonly stopping: AbortSignal;
}

/** Reads requests and answers them. */
export class Surroundings {
  readonly parts: SurroundingParts;
  readonly cluster: ClusterBase;
  /** Kinds that may be declared, with the schemas that judge what comes from outside. */
  readonly declarable: readonly AnyKind[];

  constructor(parts: SurroundingParts) {
    this.parts = parts;
    this.cluster = parts.cluster;
    this.declarable = declarableKinds(parts.cluster.kinds);
  }

  /** The request's body, a JSON object with these fields. */
  async body(context: Context, known: readonly string[]): Promise<Fields> {
    const text = await readBody(context.req.raw, this.parts.bodyBytesMax);
    try {
      return new Fields('the body', JSON.parse(text === '' ? '{}' : text), known);
    } catch (thrown) {
      if (!(thrown instanceof SyntaxError)) throw thrown;
      throw new SkepError('invalid-argument', `the body is no JSON: ${thrown.message}`);
    }
  }

  /** The request's query. */
  query(context: Context, forms: Readonly<Record<string, ParameterForm>> = {}): Fields {
    return queryFields(context.req.queries(), forms);
  }

  /** Lets a plan in, and answers with what became of it. */
  async change(context: Context, plan: (view: View) => AdmissionPlan): Promise<Response> {
    const results = await this.cluster.admit(plan);
    return this.changed(context, results);
  }

  /** Answers with what became of a change. */
  changed(context: Context, results: Changed['results']): Response {
    const { revision } = this.cluster.store.view();
    return context.json({ revision, results } satisfies Changed);
  }

  /** Answers with a stream of events. */
  stream(context: Context, events: (signal: AbortSignal) => AsyncIterable<ServerEvent>): Response {
    const { keepAliveMs, stopping, logger } = this.parts;
    const { path } = context.req;
    const body = eventStream({
      events,
      stopping,
      keepAliveMs,
      clock: this.cluster.clock,
      failed: (error) => logger.info('control stream ended', { path, error }),
    });
    return context.body(body, 200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
    });
  }
}
