import { describe, expect, it } from '@jest/globals';
import {
  Config,
  Network,
  Node,
  Secret,
  Service,
  idSource,
  seededRandom,
  type Kind,
  type ServiceSpec,
} from '@skep/api';
import { World } from '../service/__fixtures__/world.js';
import { planApply } from './apply.js';
import type { AdmissionPlan, DeclaredObject } from './declared-objects.js';
import { planEdit } from './edit.js';

const file = { name: 'x', uid: '0', gid: '0', mode: 292 };
const WEB: ServiceSpec = {
  task: { container: { image: 'nginx:1' } },
  mode: { type: 'replicated', replicas: 2 },
};

function commit(world: World, plan: AdmissionPlan): World {
  expect(plan.complaints).toEqual([]);
  world.commit('user', plan.changes);
  return world;
}

function made(declared: readonly DeclaredObject[], manager = 'stack shop'): World {
  const world = new World();
  return commit(
    world,
    planApply(world.view(), declared, { ids: idSource(seededRandom(1)), manager }),
  );
}

const world = (): World =>
  made([
    { kind: Service, name: 'web', labels: { app: 'web' }, spec: WEB },
    { kind: Secret, name: 'key', spec: { data: 'AA==' } },
  ]);

/** Services as a kind with a schema: known fields, and an image that is text. */
const JUDGED: Kind<ServiceSpec, Service['status']> = {
  ...Service,
  schema: {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => {
        if (typeof value !== 'object' || value === null)
          return { issues: [{ message: 'no spec' }] };
        const strange = Object.keys(value).filter((key) => !['task', 'mode'].includes(key));
        if (strange.length > 0) return { issues: [{ message: `unknown: ${strange.join()}` }] };
        const spec = value as ServiceSpec;
        const path = ['task', 'container', 'image'];
        const isText = typeof spec.task.container?.image === 'string';
        return isText ? { value: spec } : { issues: [{ message: 'no text', path }] };
      },
    },
  },
};

describe('planEdit', () => {
  it('changes the spec, remembers the one before, and says whose it is', () => {
    const at = world();
    const plan = planEdit(at.view(), Service, 'web', ({ spec }) => ({
      spec: { ...spec, mode: { type: 'replicated' as const, replicas: 5 } },
    }));
    const web = commit(at, plan).view().getByName(Service, 'web')!;
    expect(web.spec.mode).toEqual({ type: 'replicated', replicas: 5 });
    expect(web.meta.labels).toEqual({ app: 'web' });
    expect(web.status.history).toHaveLength(1);
    expect(web.meta.managers?.['user']).toEqual(['mode.replicas']);
    expect(web.meta.managers?.['stack shop']).not.toContain('mode.replicas');
  });

  it('changes labels alone, without a new generation', () => {
    const at = world();
    const before = at.view().getByName(Service, 'web')!;
    const plan = planEdit(at.view(), Service, 'web', () => ({ labels: { app: 'shop' } }));
    expect(plan.results.map(({ action }) => action)).toEqual(['update']);
    const web = commit(at, plan).view().getByName(Service, 'web')!;
    expect(web.meta.labels).toEqual({ app: 'shop' });
    expect(web.meta.generation).toBe(before.meta.generation);
    expect(web.status.history).toEqual(before.status.history);
  });

  it('does nothing when nothing differs', () => {
    const at = world();
    for (const edit of [{}, { spec: structuredClone(WEB), labels: { app: 'web' } }]) {
      const plan = planEdit(at.view(), Service, 'web', () => edit);
      expect([plan.changes, plan.complaints]).toEqual([[], []]);
      expect(plan.results[0]?.action).toBe('unchanged');
    }
  });

  it('resolves secrets by name', () => {
    const at = world();
    const secrets = [{ secretId: '', secretName: 'key', file }];
    const spec = { ...WEB, task: { container: { image: 'nginx:1', secrets } } };
    const plan = planEdit(at.view(), JUDGED, 'web', () => ({ spec }));
    const web = commit(at, plan).view().getByName(Service, 'web')!;
    const key = at.view().getByName(Secret, 'key')!.meta.id;
    expect(web.spec.task.container?.secrets?.[0]?.secretId).toBe(key);
  });

  it('judges what comes from outside by the schema of the kind, then by the rules', () => {
    const at = world();
    const refusals = (spec: unknown): readonly string[] =>
      planEdit(at.view(), JUDGED, 'web', () => ({
        spec: spec as ServiceSpec,
      })).complaints.map(({ code, kind, name, field }) => `${code} ${kind} ${name} ${field}`);
    expect(refusals({ ...WEB, colour: 'red' })).toEqual(['invalid-argument Service web spec']);
    expect(refusals({ ...WEB, task: { container: { image: 7 } } })).toEqual([
      'invalid-argument Service web spec.task.container.image',
    ]);
    expect(refusals('nothing')).toEqual(['invalid-argument Service web spec']);
    const negative = { ...WEB, task: { container: { image: 'no such image!' } } };
    expect(refusals(negative)).toEqual(['invalid-argument Service web spec.task.container.image']);
  });

  it('keeps to the rules of each kind, and refuses what is not there', () => {
    const at = made([
      { kind: Node, name: 'n1', spec: { role: 'manager', availability: 'active' } },
      { kind: Config, name: 'conf', spec: { data: 'AA==' } },
      { kind: Network, name: 'net', spec: {} },
    ]);
    const lastManager = planEdit(at.view(), Node, 'n1', ({ spec }) => ({
      spec: { ...spec, role: 'worker' as const },
    }));
    expect(lastManager.complaints[0]?.code).toBe('failed-precondition');
    const content = planEdit(at.view(), Config, 'conf', () => ({ spec: { data: 'BB==' } }));
    expect(content.complaints).toHaveLength(1);
    const labelled = planEdit(at.view(), Node, 'n1', () => ({ labels: { disk: 'ssd' } }));
    expect(labelled.complaints).toEqual([]);
    expect(planEdit(at.view(), Node, 'n2', () => ({})).complaints[0]?.code).toBe('not-found');
  });
});
