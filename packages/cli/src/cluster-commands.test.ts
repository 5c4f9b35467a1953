import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { nodeOf, OBJECTS, serviceOf, taskOf } from './__fixtures__/objects.js';
import { runCommand } from './__fixtures__/run-command.js';
import { EXIT } from './surroundings.js';

describe('commands that change', () => {
  it.each([
    [
      'scale web=3 db=0',
      [
        ['scale', 'web', 3],
        ['scale', 'db', 0],
      ],
    ],
    [
      'update web --image web:2',
      [['update', 'id-web', { spec: { task: { container: { image: 'web:2' } } } }]],
    ],
    [
      'update web --hold --label-add a=b',
      [
        ['hold', 'id-web'],
        ['update', 'id-web', { labels: { a: 'b' } }],
      ],
    ],
    [
      'update web --resume --force',
      [
        ['resume', 'id-web'],
        ['forceUpdate', 'id-web'],
      ],
    ],
    ['rollback web', [['rollback', 'web', {}]]],
    ['rollback web --to 3', [['rollback', 'web', { toSpecVersion: 3 }]]],
    [
      'rm web db --stack st',
      [
        [
          'remove',
          [
            { kind: 'Service', reference: 'web' },
            { kind: 'Service', reference: 'db' },
            { stack: 'st' },
          ],
        ],
      ],
    ],
    ['rm net front', [['remove', [{ kind: 'Network', reference: 'front' }]]]],
    [
      'rm secret/token no/node2 --force',
      [
        ['remove', [{ kind: 'Secret', reference: 'token' }]],
        ['removeNode', 'node2', { force: true }],
      ],
    ],
    [
      'drain node1 node2',
      [
        ['updateNode', 'node1', { availability: 'drain' }],
        ['updateNode', 'node2', { availability: 'drain' }],
      ],
    ],
    ['pause node1', [['updateNode', 'node1', { availability: 'pause' }]]],
    ['activate node1', [['updateNode', 'node1', { availability: 'active' }]]],
    [
      'label node/node2 disk=ssd zone-',
      [['updateNode', 'node2', { labels: { disk: 'ssd', zone: null } }]],
    ],
    ['label svc/web a=b', [['update', 'web', { labels: { a: 'b' } }]]],
  ])('%s', async (line, calls) => {
    const outcome = await runCommand(line);
    expect(outcome).toMatchObject({ code: EXIT.ok, err: '', calls });
    expect(outcome.out).toMatch(/^(?:service|node)\/\S+ (?:updated|removed)\n/);
  });

  it.each([
    ['scale web', /scale web: write KEY=VALUE/],
    ['scale web=-1', /scale web=-1: write SERVICE=NUMBER/],
    ['update web', /say what to change of web/],
    ['update nobody --force', /no Service 'nobody'/],
    ['update web --hold --resume', /--hold and --resume: one or the other/],
    ['update web --update-order sideways', /Allowed choices are stop-first, start-first/],
    ['rm', /say what to remove/],
    ['label node2 a=b', /'node2'|no kind 'node2'/],
    ['label secret/token a=b', /labels of a Secret are changed with 'skep apply' only/],
    ['apply -f x.yml', /x\.yml: cannot be read/],
    ['apply -f x.yml --prune', /--prune removes what a stack has no more/],
  ])('%s is refused, and nothing is done', async (line, message) => {
    const { code, err, calls } = await runCommand(line);
    expect({ code, calls }).toEqual({ code: EXIT.badInput, calls: [] });
    expect(err).toMatch(message);
  });
});

const STACK = 'services: { web: { image: web, networks: [front] } }\nnetworks: { front: {} }\n';
const withFile = (text: string) => ({ readFile: () => new TextEncoder().encode(text) });

describe('skep apply', () => {
  it('declares what the files hold, as the stack', async () => {
    const { code, out, calls } = await runCommand(
      'apply -f s.yml --stack st --prune',
      {},
      withFile(STACK),
    );
    expect({ code, out }).toEqual({ code: EXIT.ok, out: 'service/web created\n' });
    expect(calls).toEqual([
      [
        'declareLoaded',
        ['Network/st_front', 'Service/st_web'],
        { force: false, manager: 'stack st', prune: 'st' },
      ],
    ]);
  });

  it('says what is wrong with them, and declares nothing', async () => {
    const { code, err, calls } = await runCommand('apply -f s.yml', {}, withFile('services: 3\n'));
    expect({ code, calls }).toEqual({ code: EXIT.badInput, calls: [] });
    expect(err).toMatch(/^s\.yml:1:\d+: error: /);
  });

  it('knows what the cluster has: external networks have to be there', async () => {
    const text = (name: string) =>
      'services: { web: { image: web, networks: [n] } }\n' +
      `networks: { n: { external: true, name: ${name} } }\n`;
    expect(await runCommand('apply -f s.yml', {}, withFile(text('front')))).toMatchObject({
      code: EXIT.ok,
      err: '',
    });
    const { code, err } = await runCommand('apply -f s.yml', {}, withFile(text('missing')));
    expect(code).toBe(EXIT.badInput);
    expect(err).toMatch(/^s\.yml:2:\d+: error: .*missing/m);
  });

  const states = [
    {
      type: 'commit',
      revision: 12,
      actor: 'd',
      events: [{ type: 'updated', object: taskOf('web', 2) }],
    },
  ] as const;

  it('--watch waits until all runs', async () => {
    const objects = OBJECTS.filter(({ kind }) => kind !== 'EndpointSlice');
    const manager = { objects, commits: states };
    const { code, out } = await runCommand('apply -f s.yml --watch', manager, withFile(STACK));
    expect(code).toBe(EXIT.ok);
    expect(out).toBe('service/web created\nweb 1/2: 1 starting\nweb 2/2\nas declared\n');
  });

  it('--watch says what is missing when it ends before', async () => {
    const { code, err } = await runCommand('apply -f s.yml --watch', {}, withFile(STACK));
    expect(code).toBe(EXIT.unsettled);
    expect(err).toBe('not as declared after 300 s\n  web 1/2: 1 starting\n');
  });

  it('--watch tells an update that stopped by itself; exit code 1 at once', async () => {
    const update = {
      state: 'paused',
      startedAt: 1,
      message: 'update paused due to failure',
      specVersion: 1,
      dirtySlots: 1,
      failedTasks: [],
    } as const;
    const objects = [nodeOf('node1'), serviceOf('web', {}, { update })];
    const { code, err } = await runCommand('update web --force --watch', { objects });
    expect(code).toBe(EXIT.unsettled);
    expect(err).toMatch(/^not as declared\n {2}web 0\/2: update paused due to failure\n$/);
  });

  it('draws bars on a terminal', async () => {
    const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 60 });
    const objects = OBJECTS.filter(({ kind }) => kind !== 'EndpointSlice');
    await runCommand('scale web=2 --watch', { objects, commits: states }, { progress: stream });
    const drawn = String(stream.read());
    expect(drawn).toMatch(/web {2}█{10}░{10} {2}1\/2 {2}1 starting/);
    expect(drawn).toMatch(/web {2}█{20} {2}2\/2 {2}as declared/);
  });

  it('drain --watch waits for the last task', async () => {
    const gone = taskOf('web', 1, {}, { state: 'shutdown' });
    const objects = [nodeOf('node1'), taskOf('web', 1)];
    const commits = [
      { type: 'commit', revision: 12, actor: 'd', events: [{ type: 'updated', object: gone }] },
    ] as const;
    const done = await runCommand('drain node1 --watch', { objects, commits });
    expect(done).toMatchObject({ code: EXIT.ok, out: 'node/node1 updated\n1 task left\n' });
    const late = await runCommand('drain node1 --watch --timeout 5', { objects });
    expect(late).toMatchObject({
      code: EXIT.unsettled,
      err: 'not waited for longer than 5 s: 1 task left\n',
    });
  });
});
