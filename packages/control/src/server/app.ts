/**
 * The control server as an application: requests in, responses out, no socket yet.
 */
import { isSkepError, silentLogger, SkepError, type Logger } from '@skep/api';
import { Hono } from 'hono';
import type { ClusterBase } from 'skep';
import { CONTROL_VERSION } from '../contract.js';
import { errorBody, statusOf } from '../wire-error.js';
import { changeRoutes } from './change-routes.js';
import { readRoutes } from './read-routes.js';
import { streamRoutes } from './stream-routes.js';
import { Surroundings } from './surroundings.js';

/** Most bytes of a request's body, unless said otherwise: a stack with all of its secrets. */
export const BODY_BYTES_MAX = 16 * 1024 * 1024;

/** Time between two signs of life on a stream, unless said otherwise. */
export const KEEP_ALIVE_MS = 15_000;

/** Time after which a node that was asked something has not answered, unless said otherwise. */
export const SILENCE_MS = 10_000;

/** What a control server is made with. */
export interface ControlOptions {
  readonly cluster: ClusterBase;
  /** Changes are logged as `info`, everything else as `debug`. Default: silent. */
  readonly logger?: Logger;
  /** Metrics as Prometheus reads them. Default: there are none. */
  readonly metrics?: () => Promise<string> | string;
  /** Default: {@link BODY_BYTES_MAX}. Larger ones are refused with `resource-exhausted`. */
  readonly bodyBytesMax?: number;
  /** Default: {@link KEEP_ALIVE_MS}. Smaller: clients notice sooner that the manager hangs. */
  readonly keepAliveMs?: number;
  /** Default: {@link SILENCE_MS}. */
  readonly silenceMs?: number;
}

/**
 * All routes, below `/v1`. For a server of your own, and for tests: `app.request('/v1/info')`.
 * `stopping` ends its streams: its reason is told to whoever listens.
 */
export function controlApp(
  options: ControlOptions,
  stopping: AbortSignal = new AbortController().signal,
): Hono {
  const { cluster, logger = silentLogger, metrics } = options;
  const { bodyBytesMax = BODY_BYTES_MAX, keepAliveMs = KEEP_ALIVE_MS } = options;
  const { silenceMs = SILENCE_MS } = options;
  const seams = { cluster, logger, metrics, stopping };
  const at = new Surroundings({ ...seams, bodyBytesMax, keepAliveMs, silenceMs });
  const routes = new Hono();
  readRoutes(routes, at);
  changeRoutes(routes, at);
  streamRoutes(routes, at);
  const app = new Hono();
  app.use(async (context, next) => {
    const began = cluster.clock.now();
    await next();
    const { method, path } = context.req;
    const elapsedMs = cluster.clock.now() - began;
    const fields = { method, path, status: context.res.status, elapsedMs };
    if (method === 'GET') logger.debug('control request', fields);
    else logger.info('control change', fields);
  });
  app.route(`/${CONTROL_VERSION}`, routes);
  app.notFound((context) => {
    const { method, path } = context.req;
    const message = `there is no ${method} ${path} here; this manager speaks /${CONTROL_VERSION}`;
    return context.json(errorBody(new SkepError('not-found', message)), statusOf('not-found'));
  });
  app.onError((thrown, context) => {
    const { method, path } = context.req;
    if (!isSkepError(thrown) || thrown.code === 'internal') {
      logger.error('control request failed', { method, path, error: thrown });
    }
    const body = errorBody(thrown);
    return context.json(body, statusOf(body.code));
  });
  return app;
}
