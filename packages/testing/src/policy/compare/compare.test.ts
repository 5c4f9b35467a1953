import { describe, expect, it } from '@jest/globals';
import { composePolicy, swarmPolicy, type Policy } from '@skep/scheduler';
import type { Trace } from '../replay/trace.js';
import { parseTraceCsv } from '../trace/csv-trace.js';
import { renderChart, ticksTo } from './chart.js';
import { comparePolicies } from './compare-policies.js';
import { samplePoints } from './history.js';

const packing: Policy = composePolicy({
  name: 'packing',
  base: swarmPolicy(),
  rank: [
    {
      scope: 'node',
      name: 'cpu-left',
      label: 'less cpu left',
      value: (node) => node.availableCpuNanos,
    },
  ],
});

/** Six small tasks, two of which leave, and then big ones. */
const CPUS: Trace = parseTraceCsv(
  {
    path: 'cpus.csv',
    text: `event,name,count,cpus
node,n,3,4
arrive,small,6,1
leave,small.2
leave,small.9
arrive,big,2,4
`.replace('leave,small.9\n', 'leave,small.3\n'),
  },
  'cpus',
);

const GPUS: Trace = parseTraceCsv(
  {
    path: 'gpus.csv',
    text: `event,name,count,cpus,gpus
node,n,2,8,2
arrive,share,2,1,0.6
arrive,whole,3,1,1
`,
  },
  'gpus & <more>',
);

describe('comparePolicies', () => {
  const comparison = comparePolicies(CPUS, [swarmPolicy(), packing]);

  it('plays the trace with each policy', () => {
    const { policies, ...rest } = comparison.data;
    expect(rest).toEqual({
      trace: 'cpus',
      nodes: 3,
      arrivals: 8,
      departures: 2,
      resource: 'cpu',
      demand: 116.67,
    });
    // Spread: 2 tasks a node, less 2: nobody has 4 cpus left. Packed: n3 is still empty.
    expect(policies.map(({ series: _, ...figures }) => figures)).toEqual([
      {
        policy: 'swarm',
        placed: 6,
        pending: 2,
        allocation: 33.33,
        fragmentation: expect.any(Number),
        nodes: 3,
        moves: 2,
      },
      {
        policy: 'packing',
        placed: 7,
        pending: 1,
        allocation: 66.67,
        fragmentation: expect.any(Number),
        nodes: 3,
        moves: 2,
      },
    ]);
  });

  it('follows the figures over the arrivals', () => {
    const [swarm, packed] = comparison.data.policies;
    expect(swarm?.series).toMatchObject({
      arrivals: [1, 2, 3, 4, 5, 6, 7, 8],
      allocation: [8.33, 16.67, 25, 33.33, 41.67, 50, 33.33, 33.33],
      pending: [0, 0, 0, 0, 0, 0, 1, 2],
      moves: [1, 1, 1, 2, 2, 2, 2, 2],
    });
    expect(packed?.series.moves).toEqual([1, 2, 3, 4, 4, 4, 2, 2]);
    // Six of eight tasks need 1 cpu and two need 4: a quarter of what is idle on nodes with less.
    expect(swarm?.series.fragmentation.slice(0, 3)).toEqual([6.25, 12.5, 18.75]);
    expect(packed?.series.fragmentation.slice(0, 4)).toEqual([6.25, 4.17, 2.08, 0]);
  });

  it('measures devices where there are some', () => {
    const { data } = comparePolicies(GPUS, [swarmPolicy()]);
    expect(data).toMatchObject({ resource: 'gpu', demand: 105 });
    expect(data.policies[0]).toMatchObject({ placed: 4, pending: 1, allocation: 80 });
    expect(data.policies[0]?.series.allocation).toEqual([15, 30, 55, 80, 80]);
    // Two GPUs have 400 left: of no use to anything here.
    expect(data.policies[0]?.fragmentation).toBe(20);
  });

  it('tells how far it is, and how long it took if it has a clock', () => {
    const told: string[] = [];
    let now = 0;
    const { data } = comparePolicies(GPUS, [swarmPolicy(), packing], {
      onProgress: ({ policy, done, total }) => told.push(`${policy} ${done}/${total}`),
      clock: () => (now += 1500),
    });
    expect(told[0]).toBe('swarm 0/10');
    expect(told.at(-1)).toBe('packing 10/10');
    expect(data.policies.map(({ elapsedMs }) => elapsedMs)).toEqual([1500, 1500]);
  });

  it('keeps only so many samples, the first and the last among them', () => {
    const { data } = comparePolicies(CPUS, [swarmPolicy()], { samplesMax: 3 });
    expect(data.policies[0]?.series.arrivals).toEqual([1, 5, 8]);
    expect(samplePoints(11, 6)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(samplePoints(2, 6)).toEqual([0, 1]);
  });

  it('refuses what cannot be compared', () => {
    expect(() => comparePolicies(CPUS, [])).toThrow('no policy to compare');
    expect(() => comparePolicies(CPUS, [packing, packing])).toThrow("are named 'packing'");
    expect(() => comparePolicies(CPUS, [packing], { samplesMax: 1 })).toThrow('samplesMax is 1');
  });

  it('is a table', () => {
    expect(comparison.toTable().split('\n')).toEqual([
      'cpus: 3 nodes, 8 arrivals and 2 departures; asked for 116.67 % of the cpu',
      '',
      'policy   placed  pending  cpu held  fragmented  nodes  moves',
      expect.stringMatching(/^swarm {9}6 {8}2 {3}33\.33 % {5}\d+\.\d\d % {6}3 {6}2$/),
      expect.stringMatching(/^packing {7}7 {8}1 {3}66\.67 % +\d+\.\d\d % {6}3 {6}2$/),
    ]);
  });

  it('is JSON', () => {
    expect(JSON.parse(JSON.stringify(comparison))).toEqual(comparison.data);
  });
});

/** The opening tags of a page in order; fails unless each is closed in its turn. */
function wellFormed(html: string): readonly string[] {
  const open: string[] = [];
  const names: string[] = [];
  const empty = new Set(['meta', '!doctype']);
  for (const [, close, name = '', self] of html.matchAll(
    /<(\/?)([a-z!][\w]*)(?:\s[^<>]*?)?(\/?)>/g,
  )) {
    if (close === '/') expect(open.pop()).toBe(name);
    else {
      names.push(name);
      if (self !== '/' && !empty.has(name)) open.push(name);
    }
  }
  expect(open).toEqual([]);
  return names;
}

describe('the page', () => {
  const comparison = comparePolicies(GPUS, [swarmPolicy(), packing]);
  const html = comparison.toHtml();

  it('is well formed and whole in itself', () => {
    const names = wellFormed(html);
    expect(names.filter((name) => name === 'section')).toHaveLength(4);
    expect(html).not.toMatch(/\b(src|href)=|@import|url\(|https?:/);
    expect(names.filter((name) => name === 'script')).toHaveLength(1);
    expect(html).toContain('<script type="application/json" id="data">');
  });

  it('shows every series of every policy', () => {
    for (const key of ['allocation', 'fragmentation', 'pending', 'moves']) {
      const section = html.split(`aria-labelledby="${key}-heading"`)[1]?.split('</section>')[0];
      const paths = [...(section ?? '').matchAll(/class="line line\d" d="([^"]*)"/g)];
      expect(paths.map(([, d]) => d?.split('L').length)).toEqual([5, 5]);
      expect(section).toContain('<title>packing</title>');
      expect(section).toContain('<table>');
    }
  });

  it('holds the data, and nothing that a name could break out with', () => {
    const json = /<script[^>]*>(.*)<\/script>/.exec(html)?.[1] ?? '';
    expect(JSON.parse(json)).toEqual(comparison.data);
    expect(html).toContain('<h1>Policies on gpus &amp; &lt;more&gt;</h1>');
    expect(html).not.toContain('<more>');
  });

  it('is for light and dark, and for those who do not see it', () => {
    expect(html).toContain('prefers-color-scheme: dark');
    expect(html).toContain('<html lang="en">');
    expect(html).toMatch(/role="img" aria-labelledby="pending-title pending-desc"/);
    expect(html).toContain('swarm ends at 1');
    expect(html).toMatch(/<th scope="row">swarm<\/th>/);
  });

  it('is the same every time', () => {
    expect(comparePolicies(GPUS, [swarmPolicy(), packing]).toHtml()).toBe(html);
  });
});

describe('a chart', () => {
  it.each([
    [0, [0, 1]],
    [1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [7, [0, 1, 2, 3, 4, 5, 6, 7]],
    [100, [0, 20, 40, 60, 80, 100]],
    [130, [0, 20, 40, 60, 80, 100, 120, 140]],
    [2532, [0, 500, 1000, 1500, 2000, 2500, 3000]],
    [0.03, [0, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03]],
  ])('to %p has ticks at round numbers', (most, ticks) => {
    expect(ticksTo(most)).toEqual(ticks);
  });

  it('draws from the lower left to the upper right', () => {
    const svg = renderChart({
      id: 'c',
      title: 't',
      description: 'd',
      xLabel: 'x',
      unit: '',
      lines: [
        {
          name: 'one',
          points: [
            [0, 0],
            [10, 5],
          ],
        },
      ],
    });
    expect(/ d="([^"]*)"/.exec(svg)?.[1]).toBe('M56 280L628 12');
  });
});
