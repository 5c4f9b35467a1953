/**
 * Looking: info, objects, problems, explanations, tables, metrics.
 */
import { Cluster, clusterSettings, Node, SkepError } from '@skep/api';
import type { WhyOptions } from '@skep/controller';
import type { Hono } from 'hono';
import { CONTROL_VERSION, type ClusterInfo, type NodeTables } from '../contract.js';
import { kindNamed, objectMeant } from './meaning.js';
import { listStream } from './object-list.js';
import type { Surroundings } from './surroundings.js';
import { wireObject } from './wire-object.js';

/** Adds the routes. */
export function readRoutes(app: Hono, at: Surroundings): void {
  const { cluster, parts } = at;
  app.get('/info', (context) => {
    at.query(context);
    return context.json(infoOf(at));
  });
  app.get('/objects', (context) => {
    const query = at.query(context, { kinds: 'texts', labels: 'text', fields: 'text' });
    const names = query.has('kinds') ? (query.list('kinds') as readonly string[]) : undefined;
    const kinds = names?.map((name) => kindNamed(cluster.kinds, name)) ?? cluster.kinds;
    const selector = {
      labels: query.maybeText('labels') ?? '',
      fields: query.maybeText('fields') ?? '',
    };
    const { revision } = cluster.view();
    // Nothing is awaited in between, so all of it is of one revision.
    const objects = kinds.flatMap((kind) =>
      cluster.list(kindNamed(cluster.kinds, kind.name), selector),
    );
    return context.body(listStream(revision, objects), 200, { 'content-type': 'application/json' });
  });
  app.get('/objects/:kind/:reference', (context) => {
    at.query(context);
    const { kind, reference } = context.req.param();
    const found = objectMeant(cluster.view(), kindNamed(cluster.kinds, kind), reference);
    return context.json(wireObject(found));
  });
  app.get('/problems', (context) => {
    at.query(context);
    return context.json({ problems: cluster.problems() });
  });
  app.get('/explain/:task', (context) => {
    at.query(context);
    return context.json(cluster.explain(context.req.param('task')));
  });
  app.get('/why/:kind/:reference', (context) => {
    const { kind, reference } = context.req.param();
    const options = whyOptions(at, context);
    const steps = cluster.why(kindNamed(cluster.kinds, kind), reference, options);
    return context.json({ steps });
  });
  app.get('/nodes/:node/tables', async (context) => {
    at.query(context);
    return context.json(await tablesOf(at, context.req.param('node'), context.req.raw.signal));
  });
  app.get('/metrics', async (context) => {
    at.query(context);
    if (parts.metrics !== undefined) return context.text(await parts.metrics());
    const message = 'this manager counts nothing; start it with metrics';
    throw new SkepError('unimplemented', message);
  });
}

function infoOf({ cluster, declarable, parts }: Surroundings): ClusterInfo {
  const view = cluster.view();
  const nodes = view.list(Node);
  const [stored] = view.list(Cluster);
  return {
    version: CONTROL_VERSION,
    revision: view.revision,
    now: cluster.clock.now(),
    kinds: cluster.kinds.map(({ name, plural, hasUniqueName }) => {
      const isDeclarable = declarable.some((kind) => kind.name === name);
      return { name, plural, hasUniqueName, isDeclarable };
    }),
    settings: clusterSettings(stored?.spec ?? {}),
    nodes: {
      total: nodes.length,
      ready: nodes.filter(({ status }) => status.state === 'ready').length,
    },
    hasTrace: cluster.manager.trace !== undefined,
    bodyBytesMax: parts.bodyBytesMax,
  };
}

function whyOptions(at: Surroundings, context: Parameters<Surroundings['query']>[0]): WhyOptions {
  const query = at.query(context, {
    revision: 'count',
    change: 'text',
    field: 'text',
    stepsMax: 'count',
  });
  const revision = query.maybeCount('revision');
  const change = query.maybeWord('change', ['created', 'updated', 'deleted']);
  const field = query.maybeText('field');
  const stepsMax = query.maybeCount('stepsMax');
  return {
    ...(revision === undefined ? {} : { revision }),
    ...(change === undefined ? {} : { change }),
    ...(field === undefined ? {} : { field }),
    ...(stepsMax === undefined ? {} : { stepsMax }),
  };
}

async function tablesOf(
  { cluster, parts }: Surroundings,
  reference: string,
  gone: AbortSignal,
): Promise<NodeTables> {
  const { meta } = objectMeant(cluster.view(), kindNamed(cluster.kinds, Node.name), reference);
  const { clock } = cluster;
  const silent = new AbortController();
  const timer = clock.schedule(clock.now() + parts.silenceMs, () => silent.abort(), {
    isPeriodic: true,
    label: 'a node that does not answer',
  });
  const signal = AbortSignal.any([gone, silent.signal, parts.stopping]);
  try {
    for await (const answer of cluster.ask(meta.id, { type: 'tables' }, signal)) {
      if (answer.type !== 'tables') continue;
      const { appliedRevision, assignment } = answer;
      return { nodeId: meta.id, nodeName: meta.name, appliedRevision, assignment };
    }
  } catch (thrown) {
    if (parts.stopping.aborted) throw parts.stopping.reason;
    if (!silent.signal.aborted) throw thrown;
    const message = `the node '${meta.name}' says nothing for ${parts.silenceMs} ms`;
    throw new SkepError('deadline-exceeded', message);
  } finally {
    timer.cancel();
  }
  throw new SkepError('unavailable', `the node '${meta.name}' answered without its tables`);
}
