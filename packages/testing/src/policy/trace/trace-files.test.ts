import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { messageOf } from '@skep/api';
import { cluster, node } from '../build/node.js';
import { nodeOptionsOf, taskOptionsOf } from '../build/options-of.js';
import { task, tasksOf } from '../build/service.js';
import { lawDrafts } from '../laws/arbitrary.js';
import { buildDraft } from '../laws/draft.js';
import type { Trace } from '../replay/trace.js';
import { csvLine, parseCsv } from './csv.js';
import { parseTraceCsv, renderTraceCsv } from './csv-trace.js';
import { parseTraceJson, renderTraceJson } from './json-trace.js';
import { parseLocatedJson, plainOf } from './located-json.js';

const RUNS = { numRuns: 60, seed: 3 };

function fault(act: () => unknown): string {
  try {
    act();
  } catch (thrown) {
    return messageOf(thrown);
  }
  return 'nothing is wrong';
}

describe('csv', () => {
  it('knows the place of each value, quoted ones and lines with two ends, too', () => {
    const text = '\uFEFFa, b ,"c ""d""\nsecond"\r\n\n# a comment\n"",x,\n';
    const rows = parseCsv({ path: 'f', text });
    expect(rows.map((row) => row.map((cell) => [cell.text, cell.line, cell.column]))).toEqual([
      [
        ['a', 1, 1],
        ['b', 1, 3],
        ['c "d"\nsecond', 1, 7],
      ],
      [
        ['', 5, 1],
        ['x', 5, 4],
        ['', 5, 6],
      ],
    ]);
  });

  it('names the place of a quote that is not closed, or too early', () => {
    expect(fault(() => parseCsv({ path: 'f', text: 'a\nb,"c\n' }))).toMatch(/^f:2:3: .*not closed/);
    expect(fault(() => parseCsv({ path: 'f', text: '"a"b' }))).toMatch(/^f:1:1: text follows/);
  });

  it('reads what it writes', () => {
    const texts = fc.array(fc.string({ unit: fc.constantFrom('a', ' ', ',', '"', '\n', '#') }), {
      minLength: 2,
      maxLength: 5,
    });
    fc.assert(
      fc.property(texts, (values) => {
        const [row] = parseCsv({ path: 'f', text: `${csvLine(['x', ...values])}\n` });
        expect(row?.map((cell) => cell.text)).toEqual(['x', ...values]);
      }),
      RUNS,
    );
  });
});

describe('JSON with places', () => {
  it('reads what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(3), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(plainOf(parseLocatedJson({ path: 'f', text }))).toEqual(JSON.parse(text));
      }),
      RUNS,
    );
  });

  it.each([
    ['', 'f:1:1: expected a value'],
    ['{\n  "a": 1,\n}', 'f:3:1: expected a text in double quotes'],
    ['[1 2]', "f:1:4: expected ',' or ']'"],
    ['{"a" 1}', "f:1:6: expected ':'"],
    ['{"a":1,"a":2}', "f:1:8: the key 'a' stands twice"],
    ['[01]', 'f:1:2: expected a value'],
    ['["\t"]', 'f:1:2: expected a text'],
    ['["\\x"]', 'f:1:2: expected a text'],
    ['1\n2', 'f:2:1: text follows the end'],
    ['[tru]', 'f:1:2: expected a value'],
    [`${'['.repeat(70)}${']'.repeat(70)}`, 'f:1:66: nested deeper than 64'],
  ])('says where %p is wrong', (text, message) => {
    expect(fault(() => parseLocatedJson({ path: 'f', text }))).toContain(message);
  });
});

describe('options of objects', () => {
  it('are those that build the same', () => {
    fc.assert(
      fc.property(lawDrafts(), (draft) => {
        const { nodes, services = [] } = buildDraft(draft);
        if (typeof nodes === 'object') {
          for (const one of nodes) expect(node(one.meta.name, nodeOptionsOf(one))).toEqual(one);
        }
        for (const one of services.flatMap(tasksOf)) {
          expect(task(one.meta.name, taskOptionsOf(one))).toEqual(one);
        }
      }),
      RUNS,
    );
  });

  it('say everything that the builders can', () => {
    const rich = node('n1', {
      id: 'x',
      memory: 1_000_000_007,
      gpus: { count: 2, model: 'T4', capacityMilli: 500 },
      devices: [{ kind: 'nic' }],
      engineLabels: { disk: 'ssd' },
      role: 'manager',
      os: 'windows',
      architecture: 'arm64',
      address: '10.9.0.1',
      taints: [{ key: 'gpu', effect: 'NoSchedule' }],
      plugins: [{ type: 'Volume', name: 'csi' }],
      images: [{ names: ['nginx'], sizeBytes: 1 }],
      topology: { rack: 'r' },
    });
    expect(node('n1', nodeOptionsOf(rich))).toEqual(rich);
    const full = task('t', {
      service: 'web',
      slot: 3,
      version: 2,
      gpus: { count: 2, milli: 300, models: ['T4'] },
      devices: [{ kind: 'nic', count: 1 }],
      hostPorts: [80, '53/udp'],
      priority: 3,
      constraints: ['node.role == worker', 'node.labels.a == b'],
      placement: { tolerations: [{ operator: 'Exists' }] },
      template: { logDriver: { name: 'none' }, resources: { limits: { pids: 5 } } },
      preassignedTo: 'n1',
      on: 'n1',
    });
    expect(task('t', taskOptionsOf(full))).toEqual(full);
  });
});

const CSV = `# two nodes and a service
event,name,count,cpus,memory,gpus,models,labels,service,constraints,spread,maxPerNode
node,n,2,8,32GiB,2,T4,zone=a disk=ssd
node,big,,64,,,,zone=b
arrive,web,3,0.5,1GiB,,,,web,node.labels.disk == ssd; node.role == worker,zone node.labels.disk,2
arrive,train,,1,,2,T4|V100
arrive,share,,,1024,0.25,T4
leave,web.2
arrive,web.2
`;

const EXPECTED: Pick<Trace, 'nodes' | 'events'> = {
  nodes: [
    node('n1', {
      cpus: 8,
      memory: '32GiB',
      gpus: { count: 2, model: 'T4' },
      labels: { zone: 'a', disk: 'ssd' },
    }),
    node('n2', {
      cpus: 8,
      memory: '32GiB',
      gpus: { count: 2, model: 'T4' },
      labels: { zone: 'a', disk: 'ssd' },
    }),
    node('big', { cpus: 64, labels: { zone: 'b' } }),
  ],
  events: [
    ...[1, 2, 3].map((slot) => ({
      type: 'arrival' as const,
      task: task(`web.${slot}`, {
        service: 'web',
        slot,
        cpus: 0.5,
        memory: '1GiB',
        constraints: ['node.labels.disk == ssd', 'node.role == worker'],
        spread: ['zone', 'disk'],
        maxPerNode: 2,
      }),
    })),
    {
      type: 'arrival',
      task: task('train', { cpus: 1, gpus: { count: 2, models: ['T4', 'V100'] } }),
    },
    {
      type: 'arrival',
      task: task('share', { memory: 1024, gpus: { count: 1, milli: 250, models: ['T4'] } }),
    },
    { type: 'departure', taskId: 'web.2' },
    { type: 'arrival', task: task('web.2') },
  ],
};

describe('a trace as csv', () => {
  it('is read', () => {
    const trace = parseTraceCsv({ path: 't.csv', text: CSV }, 'mine');
    expect(trace).toEqual({ name: 'mine', ...EXPECTED });
  });

  it('is written so that reading it gives the same', () => {
    const text = renderTraceCsv({ name: 'x', ...EXPECTED });
    expect(text.split('\n')[1]).toBe('node,n1,,8,32GiB,2,T4,zone=a disk=ssd');
    const again = parseTraceCsv({ path: 't.csv', text });
    expect(again.nodes).toEqual(EXPECTED.nodes);
    expect(again.events.map(String)).toEqual(EXPECTED.events.map(String));
    expect(renderTraceCsv(again)).toBe(text);
  });

  it.each<[string, string, string]>([
    ['nothing', '', 't.csv:1:1: the file is empty'],
    ['an unknown column', 'event,name,ram\n', "t.csv:1:12: there is no column 'ram' (known: event"],
    ['a column twice', 'event,name,name\n', "t.csv:1:12: the column 'name' is there twice"],
    ['no names', 'event,cpus\nnode,1\n', "t.csv:1:1: there is no column 'name'"],
    ['no node', 'event,name\narrive,a\n', 't.csv:1:1: there is no node in it'],
    ['an unknown event', 'event,name\nnoed,n1\n', "t.csv:2:1: 'noed' is no event (write node,"],
    ['no name', 'event,name\nnode,\n', 't.csv:2:1: it has no name'],
    ['no number', 'event,name,cpus\nnode,n1,four\n', "t.csv:2:9: cpus is 'four' (write a number)"],
    ['no size', 'event,name,memory\nnode,n1,8 gigs\n', "t.csv:2:1: node('n1'): memory '8 gigs'"],
    ['a cell too many', 'event,name\nnode,n1,4\n', 't.csv:2:9: the first line has 2 columns'],
    ['a foreign cell', 'event,name,labels\narrive,a,b=c\n', 't.csv:2:10: labels means nothing'],
    ['no label', 'event,name,labels\nnode,n1,ssd\n', "t.csv:2:9: 'ssd' is no label (write zone=a"],
    ['models alone', 'event,name,models\nnode,n1,T4\n', 't.csv:2:9: models without gpus'],
    ['models alone', 'event,name,models\narrive,t,T4\n', 't.csv:2:10: models without gpus'],
    ['a node twice', 'event,name\nnode,n1\nnode,n1\n', 't.csv:3:1: the node n1 is there already'],
    [
      'a task twice',
      'event,name\nnode,n1\narrive,a\narrive,a\n',
      't.csv:4:1: the task a is there already',
    ],
    [
      'a task that leaves without having come',
      'event,name\nnode,n1\nleave,a\n',
      't.csv:3:1: the task a is not there to leave',
    ],
    [
      'a count that is none',
      'event,name,count\nnode,n,0\n',
      't.csv:2:1: count is 0; write a whole',
    ],
    ['far too many', 'event,name,count\nnode,n,1e9\n', 't.csv:2:1: count is 1000000000; write at'],
  ])('is refused with its place: %s', (_what, text, message) => {
    expect(fault(() => parseTraceCsv({ path: 't.csv', text }))).toContain(message);
  });

  it('is not written when no column can say it', () => {
    const { nodes } = cluster({ nodes: 1, role: 'manager' });
    expect(fault(() => renderTraceCsv({ name: '', nodes, events: [] }))).toBe(
      "the node n1 has 'role', which no column says; write JSON",
    );
  });
});

describe('a trace as JSON', () => {
  it('is read', () => {
    const text = `{
      "name": "mine",
      "nodes": [
        { "name": "n", "count": 2, "cpus": 8, "memory": "32GiB",
          "gpus": { "count": 2, "model": "T4" }, "labels": { "zone": "a", "disk": "ssd" } },
        { "name": "big", "cpus": 64, "labels": { "zone": "b" } }
      ],
      "events": [
        { "arrive": "web", "count": 3, "service": "web", "cpus": 0.5, "memory": "1GiB",
          "constraints": ["node.labels.disk == ssd", "node.role == worker"],
          "spread": ["zone", "disk"], "maxPerNode": 2 },
        { "arrive": "train", "cpus": 1, "gpus": { "count": 2, "models": ["T4", "V100"] } },
        { "arrive": "share", "memory": 1024,
          "gpus": { "count": 1, "milli": 250, "models": ["T4"] } },
        { "leave": "web.2" },
        { "arrive": "web.2" }
      ]
    }`;
    expect(parseTraceJson({ path: 't.json', text })).toEqual({ name: 'mine', ...EXPECTED });
  });

  it('is written so that reading it gives the same', () => {
    const draws = fc.tuple(lawDrafts(), fc.array(fc.nat(20), { maxLength: 5 }));
    fc.assert(
      fc.property(draws, ([draft, leaving]) => {
        const { nodes = [], services = [] } = buildDraft(draft);
        fc.pre(typeof nodes === 'object' && nodes.length > 0);
        const tasks = services.flatMap(tasksOf);
        const left = new Set(leaving.map((at) => tasks[at]?.meta.id));
        const trace: Trace = {
          name: 'drawn',
          nodes: nodes,
          events: [
            ...tasks.map((one) => ({ type: 'arrival' as const, task: one })),
            ...tasks
              .filter(({ meta }) => left.has(meta.id))
              .map(({ meta }) => ({ type: 'departure' as const, taskId: meta.id })),
          ],
        };
        const text = renderTraceJson(trace);
        expect(parseTraceJson({ path: 't.json', text })).toEqual(trace);
      }),
      RUNS,
    );
  });

  it('is written a line for each node and event', () => {
    const text = renderTraceJson({ name: 'x', ...EXPECTED });
    expect(text.split('\n').slice(0, 4)).toEqual([
      '{',
      '  "name": "x",',
      '  "nodes": [',
      '    {"name":"n1","cpus":8,"memory":"32GiB","gpus":{"count":2,"model":"T4"},' +
        '"labels":{"zone":"a","disk":"ssd"}},',
    ]);
  });

  it.each<[string, string, string]>([
    ['a list', '[]', 't.json:1:1: expected a trace: an object in braces'],
    ['no nodes', '{"events":[]}', 't.json:1:1: there is no "nodes" (add it)'],
    ['nodes that are no list', '{"nodes":{}}', 't.json:1:10: nodes must be a list'],
    ['an unknown field', '{"node":[]}', "t.json:1:2: there is no 'node' here (known: name"],
    ['a nameless node', '{"nodes":[{}]}', 't.json:1:11: a node without a name'],
    ['a name that is no text', '{"nodes":[{"name":5}]}', 't.json:1:19: name must be a text'],
    [
      'an unknown option',
      '{"nodes":[{"name":"n1",\n"cpu":4}]}',
      "t.json:2:1: node: there is no option 'cpu'; a node has id, cpus",
    ],
    ['a number as text', '{"nodes":[{"name":"n1","cpus":"4"}]}', 't.json:1:31: cpus must be a num'],
    ['labels as a list', '{"nodes":[{"name":"n","labels":["a"]}]}', 't.json:1:32: labels must be'],
    [
      'an amount below 0',
      '{"nodes":[{"name":"n1","cpus":-1}]}',
      "t.json:1:11: node('n1'): cpus -1",
    ],
    [
      'an event that is both',
      '{"nodes":[{"name":"n"}],"events":[{"arrive":"a","leave":"b"}]}',
      't.json:1:35: an event is { "arrive": NAME',
    ],
    [
      'a node given',
      '{"nodes":[{"name":"n"}],"events":[{"arrive":"a","on":"n"}]}',
      't.json:1:35: on: the policy says where',
    ],
    [
      'constraints that are a number',
      '{"nodes":[{"name":"n"}],"events":[{"arrive":"a","constraints":5}]}',
      't.json:1:63: constraints must be a text or a list of texts',
    ],
  ])('is refused with its place: %s', (_what, text, message) => {
    const whole = text.includes('"nodes":[{') && !text.includes('"events"');
    const full = whole ? text.replace(/\}$/, ',"events":[]}') : text;
    expect(fault(() => parseTraceJson({ path: 't.json', text: full }))).toContain(message);
  });
});
