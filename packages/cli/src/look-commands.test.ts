import { describe, expect, it } from '@jest/globals';
import { SkepError } from '@skep/api';
import type { ControlClient } from '@skep/control';
import { OBJECTS, serviceOf, taskOf, NOW } from './__fixtures__/objects.js';
import { runCommand } from './__fixtures__/run-command.js';
import { timeOf } from './live/logs.js';
import { EXIT } from './surroundings.js';

describe('skep get', () => {
  it('shows tables, parted by an empty line', async () => {
    const { code, out, err } = await runCommand('get svc,no');
    expect({ code, err }).toEqual({ code: EXIT.ok, err: '' });
    expect(out).toMatch(/^NAME +MODE .*\ndb .*\nweb .*\n\nNAME +ROLE .*\nnode1 .*\nnode2 .*\n$/);
  });

  it.each([
    ['get svc web -o name', 'service/web\n'],
    ['get tasks -l none=x', ''],
    ['get nodes -l disk=ssd -o name', 'node/node2\n'],
    ['get ps --field-selector status.state=starting -o name', 'task/web.2.web2abcdefghij\n'],
    ['get task/web.1 svc/db -o name', 'task/web.1.web1abcdefghij\nservice/db\n'],
  ])('%s', async (line, expected) => {
    expect(await runCommand(line)).toMatchObject({ code: EXIT.ok, out: expected });
  });

  it('one object by its name is an object; of a kind, a list', async () => {
    const one = JSON.parse((await runCommand('get svc web -o json')).out) as object;
    const all = JSON.parse((await runCommand('get svc -o json')).out) as object;
    expect(one).toMatchObject({ kind: 'Service', metadata: { name: 'web' } });
    expect(all).toMatchObject({ kind: 'List', items: [{ kind: 'Service' }, { kind: 'Service' }] });
  });

  it.each([
    ['get svc wbe', EXIT.badInput, /there is no Service 'wbe' \(did you mean web\?\)/],
    ['get svcs', EXIT.badInput, /no kind 'svcs' \(did you mean svc\?\)/],
    ['get svc -l a=(', EXIT.badInput, /skep: /],
    [
      'get svc -o xml',
      EXIT.badInput,
      /Allowed choices are table, wide, json, yaml, manifest, name/,
    ],
    ['get', EXIT.badInput, /missing required argument 'objects'/],
    ['get events -l a=b', EXIT.ok, /^no events\n$/],
    ['get secrets,configs -l a=b', EXIT.ok, /^no secrets, no configs\n$/],
  ])('%s', async (line, exit, message) => {
    const { code, out, err } = await runCommand(line);
    expect({ code, out }).toEqual({ code: exit, out: '' });
    expect(err).toMatch(message);
  });

  it('-w: what there is, then a line for each object whose row changes', async () => {
    const web = serviceOf('web');
    const older = taskOf('web', 2, {}, { state: 'starting' });
    const newer = taskOf('web', 2);
    const commits = [
      // The state of a task changes the replicas of its service.
      {
        type: 'commit',
        revision: 12,
        actor: 'dispatcher',
        events: [{ type: 'updated', object: newer, previous: older }],
      },
      // Nothing that a row shows.
      { type: 'commit', revision: 13, actor: 'user', events: [{ type: 'updated', object: web }] },
      { type: 'commit', revision: 14, actor: 'user', events: [{ type: 'deleted', object: web }] },
    ] as const;
    const { out } = await runCommand('get svc web -w', { commits });
    expect(out.split('\n').map((line) => line.split(/ +/).slice(0, 3).join(' '))).toEqual([
      'NAME MODE REPLICAS',
      'web replicated 1/2',
      'web replicated 2/2',
      'web gone',
      '',
    ]);
  });

  it('-w -o json: an object a line, each version once', async () => {
    const changed = serviceOf('web', { mode: { type: 'replicated', replicas: 5 } });
    const object = { ...changed, meta: { ...changed.meta, version: 12 } };
    const commits = [
      { type: 'commit', revision: 12, actor: 'user', events: [{ type: 'updated', object }] },
    ] as const;
    const { out } = await runCommand('get svc web -w -o json', { commits });
    const versions = out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { metadata: { version: number } }).metadata.version);
    expect(versions).toEqual([7, 12]);
  });

  it('ends with 130 when the user has enough', async () => {
    const interruption = () => AbortSignal.abort();
    const commits = [{ type: 'commit', revision: 12, actor: 'u', events: [] }] as const;
    const { code } = await runCommand('get svc -w', { commits }, { interruption });
    expect(code).toBe(EXIT.interrupted);
  });
});

describe('a cluster that does not answer', () => {
  const gone = (code: 'permission-denied' | 'unavailable') => ({
    connect: () =>
      ({
        info: () => Promise.reject(new SkepError(code, 'not there')),
        close: () => Promise.resolve(),
      }) as unknown as ControlClient,
  });

  it('is told, with what to do; exit code 69', async () => {
    const { code, err } = await runCommand('get svc', {}, gone('unavailable'));
    expect(code).toBe(EXIT.unavailable);
    expect(err).toMatch(/no cluster answers at \/run\/manager\.sock: not there\n.*skep up/);
  });

  it('may not be reached by everybody', async () => {
    const { code, err } = await runCommand('get svc', {}, gone('permission-denied'));
    expect({ code, err }).toEqual({ code: EXIT.unavailable, err: 'skep: not there\n' });
  });

  it('is found by name, folder and environment', async () => {
    const asked: unknown[] = [];
    const local = () =>
      Promise.resolve({
        placeOf: (place: unknown) => (asked.push(place), { controlSocket: '/x' }),
      } as never);
    await runCommand('get svc', {}, { local });
    await runCommand('get svc --cluster two --state /s', {}, { local });
    const environment = { SKEP_CLUSTER: 'three', SKEP_STATE: '/t' };
    await runCommand('get svc', {}, { local, environment });
    expect(asked).toEqual([
      {},
      { cluster: 'two', stateRoot: '/s' },
      { cluster: 'three', stateRoot: '/t' },
    ]);
  });
});

describe('skep describe', () => {
  it.each([
    ['describe svc web', /^Name: +web\nKind: +Service/],
    ['describe web', /^Name: +web\nKind: +Service/],
    ['describe web.1', /^Name: +web\.1\.web1a\nKind: +Task/],
    ['describe nodes', /^Name: +node1\n[^]*\n\nName: +node2\n/],
  ])('%s', async (line, text) => {
    const { code, out } = await runCommand(line);
    expect(code).toBe(EXIT.ok);
    expect(out).toMatch(text);
  });

  it.each([
    ['describe nobody', /nothing is meant by 'nobody'/],
    ['describe svc nobody', /there is no Service 'nobody' \(there are: db, web\)/],
  ])('%s', async (line, message) => {
    const { code, err } = await runCommand(line);
    expect(code).toBe(EXIT.badInput);
    expect(err).toMatch(message);
  });

  it('a name that means several things', async () => {
    const network = OBJECTS.find(({ kind }) => kind === 'Network')!;
    const objects = [serviceOf('front'), network];
    const { err } = await runCommand('describe front', { objects });
    expect(err).toMatch(/may mean several objects \(write one of network\/front, service\/front\)/);
  });
});

describe('skep logs', () => {
  const line = (text: string, more = {}) =>
    ({
      type: 'line',
      taskId: 'web1abcdefghij',
      taskName: 'web.1.web1abcdefghij',
      nodeId: 'id-node1',
      nodeName: 'node1',
      time: NOW,
      stream: 'stdout',
      text,
      ...more,
    }) as const;
  const gap = {
    type: 'gap',
    nodeId: 'id-node2',
    nodeName: 'node2',
    taskIds: ['a', 'b'],
    code: 'unavailable',
    message: 'it is gone',
  } as const;

  it('parts what was written to standard output and standard error', async () => {
    const logs = [line('one'), line('two', { stream: 'stderr' })];
    const { out, err, calls } = await runCommand('logs web --tail 5 --since 10m', { logs });
    expect({ out, err }).toEqual({
      out: 'web.1.web1a@node1 | one\n',
      err: 'web.1.web1a@node1 | two\n',
    });
    expect(calls).toEqual([
      ['logs', { services: ['id-web'], tasks: [], follow: false, tail: 5, since: NOW - 600_000 }],
    ]);
  });

  it.each([
    ['logs web.1', 'one\n', { tasks: ['web.1'] }],
    ['logs web.1.web1a -t', '2026-01-02T03:04:05.000Z one\n', { tasks: ['web1abcdefghij'] }],
    ['logs svc/web --no-prefix', 'one\n', { services: ['id-web'] }],
    ['logs web db', 'web.1.web1a@node1 | one\n', { services: ['id-web', 'id-db'] }],
  ])('%s', async (command, out, query) => {
    const outcome = await runCommand(command, { logs: [line('one')] });
    expect(outcome).toMatchObject({ code: EXIT.ok, out, calls: [['logs', query]] });
  });

  it('says which node did not answer; exit code 1', async () => {
    const { code, err } = await runCommand('logs web', { logs: [gap] });
    expect({ code, err }).toEqual({
      code: EXIT.unsettled,
      err: 'skep: node node2 does not answer for 2 tasks: it is gone [unavailable]\n',
    });
  });

  it('for machines: every message a line', async () => {
    const { code, out } = await runCommand('logs web -o json', { logs: [line('one'), gap] });
    expect(code).toBe(EXIT.unsettled);
    expect(
      out
        .trim()
        .split('\n')
        .map((text) => (JSON.parse(text) as { type: string }).type),
    ).toEqual(['line', 'gap']);
  });

  it.each([
    ['logs nobody', /there is no service or task 'nobody'/],
    ['logs node/node1', /only services and tasks write logs/],
    ['logs svc/nobody', /there is no Service 'nobody'/],
    ['logs web --since yesterday', /--since yesterday: that is no time/],
  ])('%s', async (command, message) => {
    const { code, err } = await runCommand(command);
    expect(code).toBe(EXIT.badInput);
    expect(err).toMatch(message);
  });

  it('reads times', () => {
    expect(timeOf('1.5h', NOW)).toBe(NOW - 5_400_000);
    expect(timeOf('2026-01-02', NOW)).toBe(Date.UTC(2026, 0, 2));
  });
});

describe('skep events', () => {
  it.each([
    ['events', /TaskFailed/],
    ['events svc/web', /TaskFailed/],
    ['events --warnings', /TaskFailed/],
  ])('%s', async (line, text) => {
    const { code, out } = await runCommand(line);
    expect(code).toBe(EXIT.ok);
    expect(out).toMatch(text);
  });

  it('of one that nothing happened to', async () => {
    expect(await runCommand('events svc/db')).toMatchObject({ out: '', err: 'no events\n' });
    expect((await runCommand('events web')).out).toMatch(/TaskFailed/);
    expect((await runCommand('events nobody')).err).toMatch(/nothing is meant by 'nobody'/);
  });
});

describe('skep watch', () => {
  const commits = [
    {
      type: 'commit',
      revision: 12,
      actor: 'dispatcher',
      events: [
        {
          type: 'updated',
          object: taskOf('web', 2),
          previous: taskOf('web', 2, {}, { state: 'starting' }),
        },
        {
          type: 'created',
          object: {
            ...OBJECTS.find(({ kind }) => kind === 'Config')!,
            meta: { ...OBJECTS[0]!.meta, id: 'other', name: 'other' },
          },
        },
      ],
    },
  ] as const;

  it('tells what happens, in words', async () => {
    const { out } = await runCommand('watch', { commits });
    expect(out).toMatch(
      /^\d\d:\d\d:05\.000 {2}web\.2 \(web2a\) +running on node1\n.* other +Config is declared\n$/,
    );
  });

  it('only of the kinds that are asked for, as data too', async () => {
    expect((await runCommand('watch nodes', { commits })).out).toBe('');
    const { out } = await runCommand('watch tasks -o json', { commits });
    expect(JSON.parse(out)).toMatchObject({ revision: 12, events: [{ type: 'updated' }] });
  });
});
