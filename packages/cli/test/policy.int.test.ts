/**
 * `skep policy compare` and `skep policy explain`: traces of all forms, policies of all sorts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { swarmPolicy } from '@skep/scheduler';
import { EXIT, type Surroundings } from '../src/surroundings.js';
import { skepIn, type Files, type Outcome } from './shell.js';

const TRACE = `event,name,count,cpus,memory,gpus
node,n,2,4,8GiB,1
arrive,web,2,1
arrive,train,3,1,,1
`;
const JSON_TRACE = JSON.stringify({
  name: 'small',
  nodes: [{ name: 'n1', cpus: 2 }],
  events: [{ arrive: 'a', cpus: 1 }, { arrive: 'b', cpus: 2 }, { leave: 'a' }],
});
const NODES = 'sn,cpu_milli,memory_mib,gpu,model\nx1,8000,16384,2,T4\nx2,8000,16384,1,V100\n';
const PODS = `name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec
p1,1000,1024,1,1000,T4
p2,1000,1024,1,500,
`;
const LISTS = ['--openb-nodes', 'nodes.csv', '--openb-pods', 'pods.csv'];
const ORDERS = '[{"seed":42,"order":[0,1,1],"nodeRank":[1,0]}]';

interface Run extends Outcome {
  readonly written: Readonly<Record<string, string>>;
}

const mine = { ...swarmPolicy(), name: 'mine' };
const MODULES: Readonly<Record<string, unknown>> = {
  '/work/mine.mjs': { default: mine },
  '/work/named.mjs': { policy: mine },
  '/work/several.mjs': { policies: [mine, { ...mine, name: 'other' }] },
  '/work/made.mjs': {
    default: ({ trace, seed }: { trace: { name: string }; seed: number }) => ({
      ...mine,
      name: `for ${trace.name} ${seed}`,
    }),
  },
  '/work/none.mjs': { default: { filters: [] } },
};

async function skep(
  args: readonly string[],
  files: Files = {},
  more: Partial<Surroundings> = {},
): Promise<Run> {
  const written: Record<string, string> = {};
  const outcome = await skepIn(args, {
    readFile: (path) => {
      const content = files[path];
      if (content === undefined) throw new Error(`no such file: ${path}`);
      return typeof content === 'string' ? new TextEncoder().encode(content) : content;
    },
    environment: {},
    workingDirectory: '/work',
    homeDirectory: '/home/somebody',
    writeFile: (path, text) => {
      if (path.includes('/')) throw new Error('no such folder');
      written[path] = text;
    },
    importModule: async (path) => {
      if (path in MODULES) return MODULES[path];
      throw new Error('no such module');
    },
    ...more,
  });
  return { ...outcome, written };
}

const compare = (...args: readonly string[]): Promise<Run> =>
  skep(['policy', 'compare', ...args], {
    't.csv': TRACE,
    't.json': JSON_TRACE,
    '-': JSON_TRACE,
    'nodes.csv': NODES,
    'pods.csv': PODS,
    'orders.json': ORDERS,
    'bad.csv': 'event,name,cpus\nnode,n1,four\n',
    'bad-pods.csv': PODS.replace('500', 'half'),
    'bad-orders.json': '[{ "seed": 42 }\n',
    'long-orders.json': ORDERS.replace('0,1,1', '0,1,2'),
  });

describe('skep policy compare', () => {
  it('prints a line for each policy', async () => {
    const { code, out, err } = await compare('--trace', 't.csv', '--policy', 'swarm');
    expect([code, err]).toEqual([EXIT.ok, '']);
    expect(out).toBe(
      't.csv: 2 nodes, 5 arrivals; asked for 150.00 % of the gpu\n\n' +
        'policy  placed  pending  gpu held  fragmented  nodes  moves\n' +
        'swarm        4        1  100.00 %      0.00 %      2      2\n',
    );
  });

  it('has usual policies, and takes JSON from standard input', async () => {
    const { code, out } = await compare('--trace', '-', '--json');
    expect(code).toBe(EXIT.ok);
    const data = JSON.parse(out) as { trace: string; policies: { policy: string }[] };
    expect(data.trace).toBe('small');
    expect(data.policies.map(({ policy }) => policy)).toEqual([
      'swarm',
      'least-allocated',
      'most-allocated',
      'best-fit',
      'fgd',
    ]);
  });

  it('writes a page, JSON and text', async () => {
    const files = ['-o', 'r.html', '-o', 'r.json', '-o', 'r.txt'];
    const { code, out, written } = await compare('--trace', 't.json', '--policy', 'fgd', ...files);
    expect(code).toBe(EXIT.ok);
    expect(written['r.html']).toMatch(/^<!doctype html>/);
    expect(JSON.parse(written['r.json'] ?? '')).toMatchObject({ trace: 'small', departures: 1 });
    expect(written['r.txt']).toBe(out);
  });

  it('takes policies from modules, and names as in the paper', async () => {
    const policies = ['./mine.mjs', '/work/several.mjs', 'named.mjs', './made.mjs', 'GpuPacking'];
    const names = policies.map((policy) => ['--policy', policy]).flat();
    const twice = await compare('--trace', 't.json', ...names);
    expect([twice.code, twice.err]).toEqual([
      EXIT.badInput,
      "skep: two policies are named 'mine'; give one another name: { ...policy, name: 'other' }\n",
    ]);
    const { code, out } = await compare('--trace', 't.json', ...names.slice(4));
    expect(code).toBe(EXIT.ok);
    expect(out).toMatch(/^mine .*\n^for small 42 .*\n^gpu-packing /m);
  });

  it('plays lists in the form of OpenB, in a published order or its own', async () => {
    const lists = ['--openb-nodes', 'nodes.csv', '--openb-pods', 'pods.csv', '--policy', 'FGD'];
    const published = await compare(...lists, '--openb-orders', 'orders.json');
    expect([published.code, published.err]).toEqual([EXIT.ok, '']);
    expect(published.out).toContain('2 nodes, 3 arrivals; asked for 66.67 % of the gpu');
    const own = await compare(...lists, '--seed', '7');
    expect(own.out).toMatch(/asked for 1\d\d\.\d\d % of the gpu/);
    const missing = await compare(...lists, '--openb-orders', 'orders.json', '--seed', '7');
    expect([missing.code, missing.err]).toEqual([
      EXIT.badInput,
      'skep: orders.json: there is no seed 7 (there are 42)\n',
    ]);
  });

  it.each<[string, readonly string[], string]>([
    ['no trace', [], 'skep: there is no trace: give --trace FILE, or --openb-nodes FILE and'],
    ['two traces', ['--trace', 't.csv', '--openb-nodes', 'n'], 'skep: --trace and --openb-…: give'],
    ['half a trace', ['--openb-nodes', 'nodes.csv'], 'skep: there is no trace'],
    ['a missing file', ['--trace', 'x.csv'], 'skep: x.csv: cannot be read: no such file'],
    ['a fault in a file', ['--trace', 'bad.csv'], "bad.csv:2:9: cpus is 'four' (write a number)"],
    [
      'a fault in a list',
      ['--openb-nodes', 'nodes.csv', '--openb-pods', 'bad-pods.csv'],
      "bad-pods.csv:3:16: gpu_milli is 'half' (write a number from 0)",
    ],
    [
      'an order that is no JSON',
      [...LISTS, '--openb-orders', 'bad-orders.json'],
      "bad-orders.json:2:1: expected ',' or ']'",
    ],
    [
      'an order of other lists',
      [...LISTS, '--openb-orders', 'long-orders.json'],
      'skep: long-orders.json: seed 42 of the orders names row 2 (from 0), the list of tasks has 2',
    ],
    [
      'an unknown policy',
      ['--trace', 't.csv', '--policy', 'swam'],
      "skep: there is no policy 'swam' (known: swarm, least-allocated",
    ],
    [
      'a module that is not there',
      ['--trace', 't.csv', '--policy', './x.mjs'],
      'skep: ./x.mjs: cannot be loaded: no such module',
    ],
    [
      'a module without a policy',
      ['--trace', 't.csv', '--policy', './none.mjs'],
      'skep: ./none.mjs: exports no policy (export default { name, filters',
    ],
    [
      'a file that cannot be written',
      ['--trace', 't.csv', '--policy', 'swarm', '-o', 'no/r.html'],
      'skep: no/r.html: cannot be written: no such folder (check the path)',
    ],
    ['a seed that is none', ['--trace', 't.csv', '--seed', 'x'], 'expected a whole number of at'],
    [
      'a kind of device that nobody has',
      ['--trace', 't.csv', '--kind', 'tpu'],
      "skep: no node has devices of the kind 'tpu' (there are gpu)",
    ],
  ])('refuses %s', async (_what, args, text) => {
    const { code, out, err } = await compare(...args);
    expect([code, out]).toEqual([EXIT.badInput, '']);
    expect(err).toContain(text);
  });

  it('shows how far it is on a terminal, and only there', async () => {
    const shown: string[] = [];
    const terminal = (isTTY: boolean) => ({
      isTTY,
      columns: 80,
      write: (text: string) => shown.push(text) > 0,
      on: () => undefined,
      once: () => undefined,
    });
    const run = (isTTY: boolean) =>
      skep(
        ['policy', 'compare', '--trace', 't.csv', '--policy', 'swarm'],
        { 't.csv': TRACE },
        { progress: terminal(isTTY) as unknown as NonNullable<Surroundings['progress']> },
      );
    await run(false);
    expect(shown).toEqual([]);
    expect((await run(true)).code).toBe(EXIT.ok);
    expect(shown.join('')).toContain('%');
  });

  it('says how long it took when there is a clock', async () => {
    let now = 0;
    const { out } = await skep(
      ['policy', 'compare', '--trace', 't.csv', '--policy', 'swarm'],
      { 't.csv': TRACE },
      { clock: () => (now += 250) },
    );
    expect(out).toMatch(/ time\nswarm .* 0\.25 s\n$/);
  });

  const openb = join(import.meta.dirname ?? __dirname, '../../../../shared/openb');
  const itOpenb = existsSync(openb) ? it : it.skip;
  itOpenb('reads the published lists', async () => {
    const path = (name: string): string => join(openb, name);
    const files = Object.fromEntries(
      ['openb_node_list_gpu_node.csv', 'openb_pod_list_default.csv'].map((name) => {
        return [name, readFileSync(path(name))];
      }),
    );
    const rows = '0,1,2,3,4,5,6,7,8,9,10,11'.split(',').map(Number);
    const ranks = Array.from({ length: 1213 }, (_, at) => at);
    const orders = JSON.stringify([{ seed: 42, order: rows, nodeRank: ranks }]);
    const { code, out } = await skep(
      [
        'policy',
        'compare',
        ...['--openb-nodes', 'openb_node_list_gpu_node.csv'],
        ...['--openb-pods', 'openb_pod_list_default.csv', '--openb-orders', 'o.json'],
        ...['--policy', 'BestFit'],
      ],
      { ...files, 'o.json': orders },
    );
    expect(code).toBe(EXIT.ok);
    expect(out).toContain('1213 nodes, 12 arrivals');
    expect(out).toMatch(/^best-fit +12 +0 /m);
  });
});

describe('skep policy explain', () => {
  const explain = (...args: readonly string[]): Promise<Run> =>
    skep(['policy', 'explain', '--trace', 't.csv', ...args], { 't.csv': TRACE });

  it('explains the tasks that find no place, with exit code 1', async () => {
    const { code, out, err } = await explain();
    expect([code, err]).toEqual([EXIT.unsettled, '']);
    expect(out).toContain('arrival 5, policy swarm\ntrain.3 → no suitable node');
    expect(out).toMatch(/^ {2}would fit /m);
    expect(out).toMatch(/^ {4}n1 {2}\w+: gpu .* needs 1, has 0$/m);
  });

  it('explains a task that is named, and where it went', async () => {
    const { code, out } = await explain('--task', 'web.2', '--task', 'train.1');
    expect(code).toBe(EXIT.ok);
    expect(out).toContain(
      'arrival 2, policy swarm\nweb.2 → n2: fewer active tasks in total (0, n1 1)',
    );
    expect(out).toContain('arrival 3, policy swarm\ntrain.1 → n1: ');
  });

  it('is data with --json, and short with --top', async () => {
    const { out } = await explain('--task', 'web.1', '--json');
    const [first] = JSON.parse(out) as { explanation: { taskName: string; nodes: unknown[] } }[];
    expect(first?.explanation.taskName).toBe('web.1');
    expect(first?.explanation.nodes).toHaveLength(2);
    const short = await explain('--task', 'web.1', '--top', '1');
    expect(short.out).toContain('and 1 more of 2 nodes (--top lists more)');
  });

  it('says when every task has a place', async () => {
    const files = { 'j.json': JSON_TRACE.replace('"cpus":2}]', '"cpus":4}]') };
    const { code, out } = await skep(['policy', 'explain', '--trace', 'j.json'], files);
    expect([code, out]).toEqual([EXIT.ok, 'every task has a place\n']);
  });

  it('refuses a task that does not come, and a module of several policies', async () => {
    const unknown = await explain('--task', 'web.9');
    expect([unknown.code, unknown.err]).toEqual([
      EXIT.badInput,
      'skep: no task web.9 arrives in t.csv\n',
    ]);
    const several = await explain('--policy', './several.mjs');
    expect([several.code, several.err]).toEqual([
      EXIT.badInput,
      'skep: ./several.mjs: has 2 policies (export one)\n',
    ]);
  });

  it('teaches how to use it', async () => {
    const { code, out } = await skep(['policy', 'compare', '--help']);
    expect(code).toBe(EXIT.ok);
    expect(out).toContain('event,name,count,cpus,memory,gpus,labels');
    expect(out).toContain('kubernetes');
  });
});
