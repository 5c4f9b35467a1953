import { describe, expect, it } from '@jest/globals';
import { isSkepError } from '@skep/api';
import { node, service, task, viewOf } from './__fixtures__/objects.js';
import { findAnyTask, findNode, findService, findTask } from './find.js';

function refusal(body: () => unknown): string {
  try {
    body();
  } catch (thrown) {
    if (isSkepError(thrown, 'not-found')) return thrown.message;
  }
  return 'it was found';
}

describe('findService', () => {
  it('finds by id first, then by name, without case', async () => {
    const other = { ...service('b') };
    const view = await viewOf(service('a'), { ...other, meta: { ...other.meta, name: 'Web' } });
    expect(findService(view, 'a').meta.id).toBe('a');
    expect(findService(view, 'web').meta.id).toBe('b');
  });

  it('says what there is when it finds nothing', async () => {
    const view = await viewOf(service('vote'), service('client'));
    expect(refusal(() => findService(view, 'vot'))).toBe("no service 'vot'; known: client, vote");
    expect(refusal(() => findService(view, ''))).toContain('known: client, vote');
  });
});

describe('findNode', () => {
  it('finds by id, by name and by host name; of several the one with the first id', async () => {
    const description = {
      hostname: 'box.example',
      platform: { os: 'linux', architecture: 'amd64' },
      resources: {},
      engine: { version: '1', labels: {} },
    };
    const view = await viewOf(
      node('n2', {}, 'twin'),
      node('n1', {}, 'twin'),
      node('n3', { description }, 'other'),
    );
    expect(findNode(view, 'n2').meta.id).toBe('n2');
    expect(findNode(view, 'twin').meta.id).toBe('n1');
    expect(findNode(view, 'box.example').meta.id).toBe('n3');
    expect(refusal(() => findNode(view, 'n9'))).toBe("no node 'n9'; known: other, twin, twin");
    expect(refusal(() => findNode(view, ''))).toContain('no node');
  });

  it('says that there is none', async () => {
    const view = await viewOf();
    expect(refusal(() => findNode(view, 'n1'))).toBe("no node 'n1'; known: none");
  });
});

describe('findTask', () => {
  const TASKS = [
    task('t3', { slot: 3 }),
    task('t1', { slot: 1 }, { state: 'failed' }),
    task('t2', { slot: 2 }),
    task('t4', { slot: 4 }, { state: 'starting' }),
  ];

  it.each([
    ['its id', 't2', 't2'],
    ['its id, though it does not run', 't1', 't1'],
    ['its name', 'web.3.t3', 't3'],
    ['service and slot', 'web.3', 't3'],
    ['its service: the first slot that runs', 'web', 't2'],
  ])('finds by %s', async (_how, reference, expected) => {
    const view = await viewOf(service('web'), ...TASKS);
    expect(findTask(view, reference).meta.id).toBe(expected);
  });

  it.each(['web.1', 'web.4', 'web.9', 'other', ''])('finds no running task %j', async (what) => {
    const view = await viewOf(service('web'), ...TASKS);
    expect(refusal(() => findTask(view, what))).toBe(`no running task is meant by '${what}'`);
  });

  it('finds the task of a global service by its node', async () => {
    const onNode = task('t5', { slot: 0, nodeId: 'n1' });
    const view = await viewOf(service('web'), onNode);
    expect(findTask(view, 'web.n1.t5').meta.id).toBe('t5');
  });
});

describe('findAnyTask', () => {
  it('prefers tasks that wait for a node, then those that have one, then the ended', async () => {
    const ended = task('t1', { slot: 1 }, { state: 'failed' });
    const placed = task('t2', { slot: 2 }, { nodeId: 'n1' });
    const waiting = task('t3', { slot: 3 }, { state: 'pending' });
    const found = async (...tasks: readonly (typeof ended)[]): Promise<string> =>
      findAnyTask(await viewOf(service('web'), ...tasks), 'web').meta.id;
    expect(await found(ended, placed, waiting)).toBe('t3');
    expect(await found(ended, placed)).toBe('t2');
    expect(await found(ended)).toBe('t1');
    const view = await viewOf(service('web'));
    expect(refusal(() => findAnyTask(view, 'web'))).toBe("no task is meant by 'web'");
  });
});
