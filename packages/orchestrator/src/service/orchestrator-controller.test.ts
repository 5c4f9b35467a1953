import { describe, expect, it } from '@jest/globals';
import { Node, Service, Task, withStatus, type StoredObject } from '@skep/api';
import type { Watch } from '@skep/controller';
import type { ObjectEvent } from '@skep/store';
import { World } from './__fixtures__/world.js';
import { orchestratorController } from './orchestrator-controller.js';

const controller = orchestratorController();

function watchOf(kind: { readonly name: string }): Watch {
  const watch = controller.watches?.find((entry) => entry.kind.name === kind.name);
  if (watch === undefined) throw new Error(`no watch of ${kind.name}`);
  return watch;
}

function world(): World {
  const made = new World();
  for (const id of ['n1', 'n2']) made.node(id);
  made.service({}, 'one');
  made.service({ mode: { type: 'global' } }, 'each');
  made.service({ mode: { type: 'global-job' } }, 'job');
  made.service({ mode: { type: 'replicated', replicas: 0 } }, 'none');
  for (const id of ['one', 'each', 'job', 'none']) made.settle(id);
  for (const task of made.tasks('one')) made.run(task, 'n1');
  return made;
}

const updated = (previous: StoredObject, object: StoredObject): ObjectEvent => ({
  type: 'updated',
  object,
  previous,
});

describe('orchestratorController', () => {
  it('is the actor that owns the tasks', () => {
    expect([controller.name, controller.for]).toEqual(['orchestrator', Service]);
  });

  it('is woken by tasks for their service, before and after', () => {
    const made = world();
    const [task] = made.tasks('one');
    const other = { ...task!, spec: { ...task!.spec, serviceId: 'other' } };
    const { keys } = watchOf(Task);
    expect(keys({ type: 'created', object: task! }, made.view())).toEqual(['one']);
    expect(keys(updated(task!, other), made.view())).toEqual(['one', 'other']);
    const { serviceId: _, ...alone } = task!.spec;
    const standAlone = { ...task!, spec: alone };
    expect(keys({ type: 'deleted', object: standAlone }, made.view())).toEqual([]);
  });

  it('is woken by nodes for the services there and for all global ones', () => {
    const made = world();
    const { keys } = watchOf(Node);
    const event = (id: string): ObjectEvent => ({ type: 'updated', object: made.get(Node, id) });
    expect(keys(event('n1'), made.view())).toEqual(['each', 'job', 'one']);
    expect(keys(event('n2'), made.view())).toEqual(['each', 'job']);
  });

  it.each<[string, Partial<Node['status']>, boolean]>([
    ['an acknowledgement', { tables: { appliedRevision: 7 } }, false],
    ['an address in a network', { networks: [] }, false],
    ['a state', { state: 'down' }, true],
    ['an address', { address: '10.1.1.1' }, true],
  ])('%s of a node: relevant %s', (_name, change, expected) => {
    const node = world().get(Node, 'n1');
    const event = updated(node, withStatus(node, { ...node.status, ...change }));
    expect(watchOf(Node).predicate?.(event)).toBe(expected);
  });

  it.each<[string, Partial<Task['status']>, boolean]>([
    ['addresses', { networks: [] }, false],
    ['a drain', { drainedAt: 1 }, false],
    ['a state', { state: 'failed' }, true],
    ['a reason to wait', { pending: { code: 'x', message: 'y' } }, true],
  ])('%s of a task: relevant %s', (_name, change, expected) => {
    const [task] = world().tasks('one');
    const event = updated(task!, withStatus(task!, { ...task!.status, ...change }));
    expect(watchOf(Task).predicate?.(event)).toBe(expected);
  });

  it('is not woken by what the allocator writes into the service', () => {
    const service = world().get(Service, 'one');
    const endpoint = {
      observedGeneration: 1,
      mode: 'vip' as const,
      ports: [],
      virtualAddresses: [],
    };
    const event = updated(service, withStatus(service, { ...service.status, endpoint }));
    expect(controller.predicate?.(event)).toBe(false);
    expect(controller.predicate?.({ type: 'created', object: service })).toBe(true);
  });
});
