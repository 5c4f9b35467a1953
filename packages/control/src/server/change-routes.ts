/**
 * Changing: declarations, services, nodes, removals.
 */
import type { SkepError } from '@skep/api';
import { Node, Service } from '@skep/api';
import {
  planEdit,
  planForceUpdate,
  planHold,
  planRemove,
  planRemoveNode,
  planRollback,
  planScale,
  type AdmissionPlan,
  type DeclaredObject,
  type RemovalTarget,
} from '@skep/orchestrator';
import type { View } from '@skep/store';
import type { Context, Hono } from 'hono';
import { findNode } from 'skep';
import { mergePatch } from '../merge-patch.js';
import { Fields } from './fields.js';
import { kindNamed } from './meaning.js';
import type { Surroundings } from './surroundings.js';

/** Adds the routes. */
export function changeRoutes(app: Hono, at: Surroundings): void {
  app.post('/declare', (context) => declare(at, context));
  app.post('/remove', async (context) => {
    const body = await changeBody(at, context, ['targets']);
    const targets = body.list('targets').map((target, index) => targetOf(at, target, index));
    if (targets.length === 0) throw body.fault('targets', 'is empty', 'say what is to be removed');
    return at.change(context, (view) => planRemove(view, targets));
  });
  app.patch('/objects/:kind/:reference', (context) => patchObject(at, context));
  serviceRoutes(app, at);
  nodeRoutes(app, at);
}

function serviceRoutes(app: Hono, at: Surroundings): void {
  const { clock } = at.cluster;
  app.post('/services/:service/scale', async (context) => {
    const replicas = (await changeBody(at, context, ['replicas'])).count('replicas');
    return at.change(context, (view) => planScale(view, context.req.param('service'), replicas));
  });
  app.post('/services/:service/rollback', async (context) => {
    const toSpecVersion = (await changeBody(at, context, ['toSpecVersion'])).maybeCount(
      'toSpecVersion',
    );
    const to = toSpecVersion === undefined ? {} : { toSpecVersion };
    return at.change(context, (view) =>
      planRollback(view, context.req.param('service'), { now: clock.now(), ...to }),
    );
  });
  const simple: readonly (readonly [string, (view: View, service: string) => AdmissionPlan])[] = [
    ['force-update', planForceUpdate],
    ['hold', (view, service) => planHold(view, service, true)],
    ['resume', (view, service) => planHold(view, service, false)],
  ];
  for (const [verb, plan] of simple) {
    app.post(`/services/:service/${verb}`, async (context) => {
      await changeBody(at, context, []);
      return at.change(context, (view) => plan(view, context.req.param('service') ?? ''));
    });
  }
}

function nodeRoutes(app: Hono, at: Surroundings): void {
  const { clock } = at.cluster;
  app.patch('/nodes/:node', async (context) => {
    const body = await changeBody(at, context, ['availability', 'labels']);
    const availability = body.maybeWord('availability', ['active', 'pause', 'drain']);
    const labels = body.maybeTextPatch('labels');
    if (availability === undefined && labels === undefined) throw nothingToDo(body);
    return at.change(context, (view) => {
      const { id } = findNode(view, context.req.param('node')).meta;
      return planEdit(view, Node, id, ({ meta, spec }) => ({
        spec: availability === undefined ? spec : { ...spec, availability },
        labels: patchedLabels(meta.labels, labels),
      }));
    });
  });
  app.delete('/nodes/:node', async (context) => {
    const isForced = at.query(context, { force: 'flag' }).maybeFlag('force') ?? false;
    return at.change(context, (view) => {
      const { id } = findNode(view, context.req.param('node')).meta;
      return planRemoveNode(view, id, { now: clock.now(), isForced });
    });
  });
}

/** The body of a request that takes no query. */
function changeBody(at: Surroundings, context: Context, known: readonly string[]): Promise<Fields> {
  at.query(context);
  return at.body(context, known);
}

async function declare(at: Surroundings, context: Context): Promise<Response> {
  const body = await changeBody(at, context, ['objects', 'manager', 'force', 'prune']);
  const objects = body.list('objects').map((object, index) => declaredOf(at, object, index));
  const manager = body.maybeText('manager');
  const prune = body.maybeText('prune');
  const results = await at.cluster.declare(objects, {
    force: body.maybeFlag('force') ?? false,
    ...(manager === undefined ? {} : { manager }),
    ...(prune === undefined ? {} : { prune }),
  });
  return at.changed(context, results);
}

function declaredOf({ declarable }: Surroundings, value: unknown, index: number): DeclaredObject {
  const known = ['kind', 'name', 'labels', 'annotations', 'spec'];
  const fields = new Fields(`the body: objects[${index}]`, value, known);
  const labels = fields.maybeTexts('labels');
  const annotations = fields.maybeTexts('annotations');
  return {
    kind: kindNamed(declarable, fields.text('kind')),
    name: fields.text('name'),
    spec: fields.anything('spec'),
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function targetOf({ declarable }: Surroundings, value: unknown, index: number): RemovalTarget {
  const where = `the body: targets[${index}]`;
  const fields = new Fields(where, value, ['kind', 'reference', 'stack']);
  if (fields.has('stack')) {
    const stack = fields.text('stack');
    if (!fields.has('kind') && !fields.has('reference')) return { stack };
    throw fields.fault('stack', 'stands beside an object', 'name a stack or an object');
  }
  const kind = kindNamed(declarable, fields.text('kind'));
  if (kind.name !== Node.name) return { kind, reference: fields.text('reference') };
  // Its tasks have to go with it.
  throw fields.fault('kind', 'is Node', 'remove nodes one by one: DELETE /v1/nodes/NODE');
}

async function patchObject(at: Surroundings, context: Context): Promise<Response> {
  const { kind: name = '', reference = '' } = context.req.param();
  const body = await changeBody(at, context, ['spec', 'labels']);
  const kind = kindNamed(at.declarable, name);
  const patch = body.maybeRecord('spec');
  const labels = body.maybeTextPatch('labels');
  if (patch === undefined && labels === undefined) throw nothingToDo(body);
  if (patch !== undefined && kind.name === Service.name && patch['task'] === null) {
    throw body.fault('spec.task', 'is null', 'a service has a task');
  }
  return at.change(context, (view) =>
    planEdit(view, kind, reference, ({ meta, spec }) => ({
      spec: patch === undefined ? spec : mergePatch(spec, patch),
      labels: patchedLabels(meta.labels, labels),
    })),
  );
}

function patchedLabels(
  labels: Readonly<Record<string, string>>,
  patch: Readonly<Record<string, string | null>> | undefined,
): Readonly<Record<string, string>> {
  return patch === undefined ? labels : (mergePatch(labels, patch) as typeof labels);
}

function nothingToDo(body: Fields): SkepError {
  return body.fault('', 'changes nothing', 'name the fields that are to change');
}
