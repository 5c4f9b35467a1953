import { describe, expect, it } from '@jest/globals';
import { newObject } from './kind.js';
import type { StoredObject } from './meta.js';
import { byNode, byService, bySlot, slotKey, Task, taskName, tasksByNetwork } from './task.js';
import type { TaskSpec, TaskStatus } from './task.js';

function task(spec: Partial<TaskSpec>, status: Partial<TaskStatus> = {}): Task {
  const base = { serviceName: 'vote', slot: 1, desiredState: 'running', cause: 'scale' } as const;
  return newObject(Task, {
    id: 'x9k2',
    spec: { ...base, template: {}, ...spec },
    status: { ...Task.initialStatus, ...status },
  });
}

const keysOf = (index: string, object: StoredObject<TaskSpec, TaskStatus>): unknown =>
  Task.indexes[index]?.(object);

describe('taskName', () => {
  it.each<[string, Partial<TaskSpec>, string]>([
    ['a replica by its slot', { slot: 3 }, 'vote.3.x9k2'],
    ['a task of a job by its slot, from 0', { slot: 0, jobIteration: 2 }, 'vote.0.x9k2'],
    ['a global task by its node', { slot: 0, nodeId: 'n1' }, 'vote.n1.x9k2'],
    ['a task without a service', { serviceName: '', slot: 0 }, '.0.x9k2'],
  ])('names %s', (_what, spec, expected) => {
    expect(taskName(task(spec))).toBe(expected);
  });
});

describe('slotKey', () => {
  it('tells slots of services, nodes of global services, and both apart', () => {
    const keys = [
      slotKey({ serviceId: 's1', slot: 1 }),
      slotKey({ serviceId: 's1', slot: 2 }),
      slotKey({ serviceId: 's2', slot: 1 }),
      slotKey({ serviceId: 's1', slot: 0, nodeId: 'n1' }),
      slotKey({ serviceId: 's1', slot: 0, nodeId: 'n2' }),
      slotKey({ serviceId: 's1', slot: 0, nodeId: '1' }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.slice(0, 1)).toEqual(['s1/1']);
  });

  it('does not look at the slot of a global task', () => {
    expect(slotKey({ serviceId: 's1', slot: 0, nodeId: 'n1' })).toBe(
      slotKey({ serviceId: 's1', slot: 5, nodeId: 'n1' }),
    );
  });
});

describe('Task', () => {
  it('is found by its service and slot, unless it stands alone', () => {
    const replica = task({ serviceId: 's1', slot: 2 });
    expect([keysOf('service', replica), keysOf('slot', replica)]).toEqual(['s1', 's1/2']);
    const alone = task({ serviceName: '' });
    expect([keysOf('service', alone), keysOf('slot', alone)]).toEqual([undefined, undefined]);
  });

  it('is found by the node it is on, else by the one it is meant for', () => {
    expect(keysOf('node', task({}))).toBeUndefined();
    expect(keysOf('node', task({ nodeId: 'n1' }))).toBe('n1');
    expect(keysOf('node', task({}, { nodeId: 'n2' }))).toBe('n2');
    expect(keysOf('node', task({ nodeId: 'n1' }, { nodeId: 'n2' }))).toBe('n2');
  });

  it('is found by every network it has an address in', () => {
    expect(keysOf('network', task({}))).toBeUndefined();
    const networks = ['net1', 'net2'].map((networkId) => ({
      networkId,
      addresses: [],
      aliases: [],
    }));
    expect(keysOf('network', task({}, { networks }))).toEqual(['net1', 'net2']);
  });

  it('has selectors that name these indexes', () => {
    const selectors = [byService('s1'), byNode('n1'), bySlot('s1/1'), tasksByNetwork('net1')];
    expect(selectors.map(({ index, key }) => `${index} ${key}`)).toEqual([
      'service s1',
      'node n1',
      'slot s1/1',
      'network net1',
    ]);
    for (const { index } of selectors) expect(Object.keys(Task.indexes)).toContain(index);
  });

  it('begins as new, with a status that nobody can change for others', () => {
    expect(Task.initialStatus).toMatchObject({ state: 'new', message: 'created' });
    expect(Object.isFrozen(Task.initialStatus)).toBe(true);
  });
});
