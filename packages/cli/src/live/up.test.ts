import { describe, expect, it } from '@jest/globals';
import { runCommand } from '../__fixtures__/run-command.js';
import { EXIT } from '../surroundings.js';
import type { LocalClusters } from './local-clusters.js';

const UP = {
  cluster: 'skep',
  folder: '/s/skep',
  controlSocket: '/s/skep/manager.sock',
  hosts: 'namespaces',
  runtime: 'processes',
  dataplane: 'nftables',
  subnet: '10.90.0.0/24',
  nodes: [
    { name: 'node1', address: '10.90.0.11' },
    { name: 'node2', address: '10.90.0.12' },
  ],
  wasRunning: false,
  changes: ['started the manager', 'added node1'],
} as const;

const STATUS = {
  cluster: 'skep',
  folder: '/s/skep',
  controlSocket: '/s/skep/manager.sock',
  exists: true,
  state: 'running',
  hosts: 'namespaces',
  runtime: 'processes',
  dataplane: 'nftables',
  subnet: '10.90.0.0/24',
  processes: [
    { role: 'manager', pid: 7, isRunning: true, restarts: 0, log: '/s/skep/log/manager.log' },
    { role: 'agent', node: 'node1', isRunning: false, restarts: 2, lastExit: 'exit 1', log: '/l' },
  ],
  nodes: [],
  ports: [
    { port: 80, protocol: 'tcp', service: 'web', address: '::1', isOpen: false, reason: 'taken' },
  ],
} as const;

/** Local clusters that are only pretended, and what they were told. */
function localOf(more: Partial<Record<keyof LocalClusters, unknown>> = {}) {
  const calls: unknown[] = [];
  const told = (name: string, value: unknown) => (options: object) => {
    const { signal: _, onStep: __, ...rest } = options as Record<string, unknown>;
    calls.push([name, rest]);
    return Promise.resolve(value);
  };
  const local = {
    placeOf: () => ({ controlSocket: UP.controlSocket }),
    up: told('up', UP),
    down: told('down', { wasThere: true, removed: ['3 tasks', '2 nodes'] }),
    status: told('status', STATUS),
    listClusters: () => Promise.resolve(['skep', 'second']),
    runProcess: (role: string, file: string) => (calls.push([role, file]), Promise.resolve(0)),
    ...more,
  } as unknown as LocalClusters;
  return { calls, local: () => Promise.resolve(local) };
}

describe('skep up', () => {
  it('says what it is to be, and what it has become', async () => {
    const { calls, local } = localOf();
    const { code, out } = await runCommand(
      [
        'up',
        '-d',
        '--nodes',
        '2',
        '--hosts',
        'namespaces',
        '--runtime',
        'processes',
        '--dataplane',
        'nftables',
        '--image',
        'vote:1=node vote.js',
        '--no-publish-locally',
        '--name-server',
        '9.9.9.9',
        '--cluster',
        'skep',
        '--timeout',
        '5',
      ],
      {},
      { local },
    );
    expect(code).toBe(EXIT.ok);
    expect(calls).toEqual([
      [
        'up',
        {
          cluster: 'skep',
          hosts: 'namespaces',
          nodes: 2,
          runtime: 'processes',
          dataplane: 'nftables',
          publishLocally: false,
          nameServers: ['9.9.9.9'],
          images: { 'vote:1': { command: ['node', 'vote.js'] } },
          timeoutMs: 5_000,
        },
      ],
    ]);
    expect(out).toBe(
      'cluster skep is up: 2 nodes (namespaces), processes, nftables, 10.90.0.0/24\n' +
        '  started the manager\n  added node1\n  manager: /s/skep/manager.sock\n',
    );
  });

  it('leaves as it was what nobody says', async () => {
    const { calls, local } = localOf();
    await runCommand('up -d', {}, { local });
    expect(calls).toEqual([['up', { timeoutMs: 300_000 }]]);
  });

  it('declares files once the cluster is up; not before they can be read', async () => {
    const { calls, local } = localOf();
    const text = 'services: { web: { image: web } }\n';
    const readFile = () => new TextEncoder().encode(text);
    const good = await runCommand('up -d -f s.yml', {}, { local, readFile });
    expect(good).toMatchObject({
      code: EXIT.ok,
      calls: [['declareLoaded', ['Network/default', 'Service/web'], { force: false }]],
    });
    const bad = await runCommand('up -d -f nowhere.yml', {}, { local });
    expect(bad.code).toBe(EXIT.badInput);
    expect(calls).toHaveLength(1);
  });

  it('stays, tells what happens, and stops the cluster at Ctrl-C, with its state kept', async () => {
    const { calls, local } = localOf();
    const interruption = () => AbortSignal.abort();
    const { code, err } = await runCommand('up', {}, { local, interruption });
    expect(code).toBe(EXIT.interrupted);
    expect(calls.map((call) => (call as readonly unknown[])[0])).toEqual(['up', 'down']);
    expect(calls[1]).toEqual(['down', { keepState: true }]);
    expect(err).toMatch(/stopping the cluster\nremoved 3 tasks\nremoved 2 nodes\n$/);
  });

  it('Ctrl-C while it waits for what was declared stops the cluster, too', async () => {
    const { calls, local } = localOf();
    const user = new AbortController();
    const readFile = () => new TextEncoder().encode('services: { web: { image: web } }\n');
    const more = { local, readFile, interruption: () => user.signal };
    const pending = runCommand('up -f s.yml --watch', {}, { ...more, out: () => user.abort() });
    expect((await pending).code).toBe(EXIT.interrupted);
    expect(calls.at(-1)).toEqual(['down', { keepState: true }]);
  });

  it.each([
    ['up --hosts clouds', /Allowed choices are namespaces, local/],
    ['up --nodes 0', /expected a whole number of at least 1/],
    ['up --image x', /--image x: write NAME=COMMAND/],
    ['up --socket /x', /--socket names a cluster that runs/],
  ])('refuses %s', async (line, message) => {
    const { calls, local } = localOf();
    const { code, err } = await runCommand(line, {}, { local });
    expect({ code, calls }).toEqual({ code: EXIT.badInput, calls: [] });
    expect(err).toMatch(message);
  });
});

describe('skep down', () => {
  it('says what it removed', async () => {
    const { calls, local } = localOf();
    const { code, out } = await runCommand('down --keep-state --timeout 3', {}, { local });
    expect({ code, out }).toEqual({ code: EXIT.ok, out: 'removed 3 tasks\nremoved 2 nodes\n' });
    expect(calls).toEqual([['down', { keepState: true, timeoutMs: 3_000 }]]);
  });

  it('there may be nothing to remove', async () => {
    const { local } = localOf({ down: () => Promise.resolve({ wasThere: false, removed: [] }) });
    expect(await runCommand('down', {}, { local })).toMatchObject({
      code: EXIT.ok,
      out: 'there was nothing\n',
    });
  });
});

describe('skep status', () => {
  it('shows processes, nodes, services, ports; exit code 0 when all is as declared', async () => {
    const { code, out } = await runCommand('status', {}, { local: localOf().local });
    expect(code).toBe(EXIT.ok);
    expect(out).toMatch(
      /^cluster skep: running \(namespaces, processes, nftables, 10\.90\.0\.0\/24\)\n/,
    );
    expect(out).toMatch(/^other clusters here: second$/m);
    expect(out).toMatch(/^agent node1 +not running +- +- +2 +exit 1 +\/l$/m);
    expect(out).toMatch(/^web +replicated +1\/2/m);
    expect(out).toMatch(/^::1:80\/tcp +web +not open +taken$/m);
    expect(out).toMatch(/\nas declared\n$/);
  });

  it('exit code 1 with what is wrong', async () => {
    const problems = [{ kind: 'Service', name: 'web', code: 'x', message: 'it is not well' }];
    const { code, out } = await runCommand('status', { problems }, { local: localOf().local });
    expect(code).toBe(EXIT.unsettled);
    expect(out).toMatch(/not as declared\n {2}Service web: it is not well \[x\]\n$/);
  });

  it('a cluster that is not there', async () => {
    const absent = { ...STATUS, exists: false, state: 'absent', processes: [], ports: [] };
    const { local } = localOf({ status: () => Promise.resolve(absent) });
    const { code, out } = await runCommand('status --json', {}, { local });
    expect(code).toBe(EXIT.unsettled);
    expect(JSON.parse(out)).toMatchObject({ state: 'absent', isGood: false, problems: null });
  });
});

describe('skep internal', () => {
  it('is a process of a cluster, and in no help', async () => {
    const { calls, local } = localOf();
    expect((await runCommand('internal agent /s/a.json', {}, { local })).code).toBe(EXIT.ok);
    expect(calls).toEqual([['agent', '/s/a.json']]);
    expect((await runCommand('--help')).out).not.toContain('internal');
  });
});
