import { describe, expect, it } from '@jest/globals';
import { QUESTION_TASKS_MAX, SkepError, Task, taskName, type NodeQuestion } from '@skep/api';
import { silence, type FakeNode } from '../__fixtures__/fake-node.js';
import { Listener, running, type Rig } from '../__fixtures__/rig.js';
import type { LogMessage, LogQuery } from '../contract.js';
import { inQuestions } from './log-history.js';

/** `web.1 node1 stdout: text`, or `gap node1 unavailable web.1`. */
function words(at: Rig, messages: readonly LogMessage[]): readonly string[] {
  const slot = (taskId: string): string => {
    const task = at.cluster.view().get(Task, taskId);
    return task === undefined ? taskId : `${task.spec.serviceName}.${task.spec.slot}`;
  };
  return messages.map((message) =>
    message.type === 'line'
      ? `${slot(message.taskId)} ${message.nodeName} ${message.stream}: ${message.text}`
      : `gap ${message.nodeName} ${message.code} ${message.taskIds.map(slot).join()}`,
  );
}

async function listen(at: Rig, query: LogQuery): Promise<Listener<LogMessage>> {
  const listener = new Listener((signal) => at.client.logs({ ...query, signal }));
  await at.clock.advance(10);
  return listener;
}

/** What was written, once the stream is over. */
async function read(at: Rig, query: LogQuery): Promise<readonly string[]> {
  const listener = await listen(at, query);
  await at.clock.advance(11_000);
  await listener.whenOver;
  expect(listener.end).toBe('over');
  return words(at, listener.heard);
}

/** The task of a slot that runs, and its node. */
function taskOf(at: Rig, slot: number): { readonly id: string; readonly node: FakeNode } {
  const task = at.cluster.tasks('web').find(({ spec }) => spec.slot === slot)!;
  return { id: task.meta.id, node: at.nodes.find(({ id }) => id === task.status.nodeId)! };
}

describe('logs', () => {
  it('come from all nodes, by time, with who wrote them and where', async () => {
    const at = await running();
    const [one, two] = [taskOf(at, 1), taskOf(at, 2)];
    one.node.print(one.id, 'a', { time: 10 });
    two.node.print(two.id, 'b', { time: 20, stream: 'stderr' });
    one.node.print(one.id, 'c', { time: 30 });
    two.node.print(two.id, 'd', { time: 30 });
    const [n1, n2] = [one.node.id.slice(3), two.node.id.slice(3)];
    expect(await read(at, { services: ['web'] })).toEqual([
      `web.1 ${n1} stdout: a`,
      `web.2 ${n2} stderr: b`,
      ...[`web.1 ${n1} stdout: c`, `web.2 ${n2} stdout: d`].sort((a, b) =>
        a.split(' ')[1]! < b.split(' ')[1]! ? -1 : 1,
      ),
    ]);
    const listener = await listen(at, { tasks: ['web.1'], tail: 1 });
    const task = at.cluster.view().get(Task, one.id)!;
    expect(listener.heard).toEqual([
      {
        type: 'line',
        taskId: one.id,
        taskName: taskName(task),
        serviceId: task.spec.serviceId,
        nodeId: one.node.id,
        nodeName: n1,
        time: 30,
        stream: 'stdout',
        text: 'c',
      },
    ]);
    expect(await read(at, { services: ['web'], since: 15, streams: ['stderr'] })).toEqual([
      `web.2 ${n2} stderr: b`,
    ]);
    expect(await read(at, { services: ['web'], tasks: ['web.1'], tail: 0 })).toEqual([]);
    await at.stop();
  });

  it('say which node did not answer, and what a node cannot read', async () => {
    const at = await running();
    const [one, two] = [taskOf(at, 1), taskOf(at, 2)];
    const name = (node: FakeNode): string => node.id.slice(3);
    one.node.print(one.id, 'a');
    two.node.answer = silence;
    expect(await read(at, { services: ['web'] })).toEqual([
      `gap ${name(two.node)} deadline-exceeded web.2`,
      `web.1 ${name(one.node)} stdout: a`,
    ]);
    two.node.answer = async function* () {
      yield await Promise.reject<never>(new SkepError('internal', 'the disk is broken'));
    };
    expect((await read(at, { services: ['web'] }))[0]).toBe(`gap ${name(two.node)} internal web.2`);
    await two.node.leave();
    await at.clock.advance(1_000);
    const gone = await read(at, { services: ['web'] });
    expect(gone[0]).toBe(`gap ${name(two.node)} unavailable web.2`);
    one.node.forget(one.id);
    expect(await read(at, { tasks: [one.id] })).toEqual([`gap ${name(one.node)} not-found web.1`]);
    await at.stop();
  });

  it('ask a node about no more tasks at a time than it answers for', async () => {
    const at = await running();
    const { id } = taskOf(at, 1);
    const task = at.cluster.view().get(Task, id)!;
    const many = 2 * QUESTION_TASKS_MAX + 10;
    const tasks = new Map(Array.from({ length: many }, (_, index) => [`t${index}`, task]));
    const questions = inQuestions({ nodeId: 'n', nodeName: 'n', tasks });
    expect(questions.map((question) => question.tasks.size)).toEqual([256, 256, 10]);
    expect(questions.flatMap((question) => [...question.tasks.keys()])).toEqual([...tasks.keys()]);
    await at.stop();
  });
});

describe('logs that are followed', () => {
  it('go on over new tasks, until the service is gone', async () => {
    const at = await running();
    const one = taskOf(at, 1);
    one.node.print(one.id, 'before');
    const listener = await listen(at, { services: ['web'], follow: true });
    one.node.print(one.id, 'after');
    await at.client.scale('web', 3);
    await at.clock.advance(3_000);
    const three = taskOf(at, 3);
    three.node.print(three.id, 'new');
    await at.clock.advance(10);
    expect(words(at, listener.heard).map((line) => line.split(': ')[1])).toEqual([
      'before',
      'after',
      'new',
    ]);
    await at.client.remove([{ kind: 'Service', reference: 'web' }]);
    await at.clock.advance(30_000);
    await listener.whenOver;
    expect(listener.end).toBe('over');
    await at.stop();
  });

  it('go on where they stopped when a node comes back, without a line twice', async () => {
    const at = await running();
    const one = taskOf(at, 1);
    const listener = await listen(at, { tasks: ['web.1'], follow: true });
    one.node.print(one.id, 'a', { time: 1_000 });
    one.node.print(one.id, 'b', { time: 1_000 });
    await at.clock.advance(10);
    await one.node.leave();
    await at.clock.advance(500);
    one.node.print(one.id, 'c', { time: 1_000 });
    one.node.print(one.id, 'd', { time: 2_000 });
    await at.clock.advance(3_000);
    await one.node.connect();
    await at.clock.advance(9_000);
    one.node.print(one.id, 'e', { time: 3_000 });
    await at.clock.advance(10);
    const node = one.node.id.slice(3);
    expect(words(at, listener.heard)).toEqual([
      `web.1 ${node} stdout: a`,
      `web.1 ${node} stdout: b`,
      `gap ${node} unavailable web.1`,
      `web.1 ${node} stdout: c`,
      `web.1 ${node} stdout: d`,
      `web.1 ${node} stdout: e`,
    ]);
    await one.node.end(one.id);
    await at.clock.advance(3_000);
    await listener.whenOver;
    expect(listener.end).toBe('over');
    await at.stop();
  });

  it('wait for a node that has not got its task yet, not for ever', async () => {
    const at = await running();
    const one = taskOf(at, 1);
    const { answer } = one.node;
    const fault = async function* (question: NodeQuestion) {
      const taskId = question.type === 'logs' ? question.taskIds[0]! : '';
      yield await Promise.resolve({
        type: 'fault',
        taskId,
        code: 'not-found',
        message: 'none',
      } as const);
    };
    one.node.answer = fault;
    const patient = await listen(at, { tasks: ['web.1'], follow: true });
    await at.clock.advance(1_500);
    one.node.answer = answer;
    await at.clock.advance(4_000);
    one.node.print(one.id, 'here');
    await at.clock.advance(10);
    expect(words(at, patient.heard)).toEqual([`web.1 ${one.node.id.slice(3)} stdout: here`]);
    patient.leave();
    one.node.answer = fault;
    const questions = one.node.questions.length;
    const other = await listen(at, { tasks: ['web.1'], follow: true });
    await at.clock.advance(60_000);
    expect(one.node.questions.length - questions).toBe(5);
    expect(words(at, other.heard)).toEqual([`gap ${one.node.id.slice(3)} not-found web.1`]);
    other.leave();
    await at.stop();
  });

  it('are not read from the node when nobody reads them here', async () => {
    const at = await running();
    const one = taskOf(at, 1);
    let asked = 0;
    one.node.answer = async function* (question, signal) {
      const taskId = question.type === 'logs' ? question.taskIds[0]! : '';
      while (!signal.aborted) {
        asked += 1;
        const line = { time: asked, stream: 'stdout', text: `line ${asked}` } as const;
        yield await Promise.resolve({ type: 'line', taskId, ...line });
      }
    };
    const logs = at.client.logs({ tasks: ['web.1'], follow: true })[Symbol.asyncIterator]();
    for (let count = 0; count < 100; count += 1) await logs.next();
    await at.clock.advance(1_000);
    // 64 KiB are read ahead.
    expect(asked).toBeLessThan(1_000);
    await logs.return?.();
    await at.clock.advance(10);
    const { length } = at.cluster.manager.controllers.pending();
    expect(length).toBe(0);
    await at.stop();
  });

  it('end with the server', async () => {
    const at = await running();
    const listener = await listen(at, { services: ['web'], follow: true });
    at.stopping.abort(new SkepError('unavailable', 'the manager is stopping'));
    await listener.whenOver;
    expect(listener.end).toBe('unavailable');
    await at.stop();
  });
});
