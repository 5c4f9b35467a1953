import { describe, expect, it } from '@jest/globals';
import { isSkepError, type Metrics } from '@skep/api';
import { Counter, Registry, register, type OpenMetricsContentType } from 'prom-client';
import { parseExposition, valueOf, type ExposedFamily } from './__fixtures__/exposition.js';
import {
  METRICS_MAX,
  prometheusMetrics,
  type PrometheusMetrics,
  type PrometheusMetricsOptions,
} from './prometheus-metrics.js';

const HELP = 'What it is.';

async function read({ text }: PrometheusMetrics): Promise<ReadonlyMap<string, ExposedFamily>> {
  return parseExposition(await text());
}

function openMetricsRegistry(): Registry<OpenMetricsContentType> {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  return registry;
}

function codeOf(run: () => unknown): { code: string; message: string } {
  try {
    run();
  } catch (error) {
    if (isSkepError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  return { code: 'none', message: '' };
}

describe('prometheusMetrics', () => {
  it('shows what was counted, set and observed', async () => {
    const made = prometheusMetrics();
    const jobs = made.metrics.counter({ name: 'jobs_total', help: HELP, labelNames: ['kind'] });
    const depth = made.metrics.gauge({ name: 'depth', help: HELP });
    const wait = made.metrics.histogram({ name: 'wait_seconds', help: HELP, buckets: [1, 2] });
    jobs.add(1, { kind: 'a' });
    jobs.add(2.5, { kind: 'a' });
    jobs.add(1, { kind: 'b' });
    depth.set(-3);
    for (const value of [0.5, 1, 1.5, 2, 99]) wait.observe(value);
    const families = await read(made);
    expect(families.get('jobs_total')).toMatchObject({ type: 'counter', help: HELP });
    expect(families.get('depth')?.type).toBe('gauge');
    expect(valueOf(families, 'jobs_total', { kind: 'a' })).toBe(3.5);
    expect(valueOf(families, 'jobs_total', { kind: 'b' })).toBe(1);
    expect(valueOf(families, 'depth')).toBe(-3);
    expect(valueOf(families, 'wait_seconds_bucket', { le: '1' })).toBe(2);
    expect(valueOf(families, 'wait_seconds_bucket', { le: '2' })).toBe(4);
    expect(valueOf(families, 'wait_seconds_bucket', { le: '+Inf' })).toBe(5);
    expect(valueOf(families, 'wait_seconds_sum')).toBe(104);
    expect(made.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it('shows a metric without labels from the start, one with labels from its first use', async () => {
    const made = prometheusMetrics();
    made.metrics.counter({ name: 'plain_total', help: HELP });
    made.metrics.histogram({ name: 'plain_seconds', help: HELP });
    made.metrics.counter({ name: 'labelled_total', help: HELP, labelNames: ['a'] });
    const families = await read(made);
    expect(valueOf(families, 'plain_total')).toBe(0);
    expect(valueOf(families, 'plain_seconds_count')).toBe(0);
    expect(valueOf(families, 'plain_seconds_bucket', { le: '10' })).toBe(0);
    expect(families.get('labelled_total')?.samples).toEqual([]);
  });

  it('escapes texts so that they come back as they were', async () => {
    const made = prometheusMetrics();
    const help = 'A line\nand a \\ backslash.';
    const value = 'quote " backslash \\ line\n, comma } brace ü 🐝';
    made.metrics.gauge({ name: 'g', help, labelNames: ['l'] }).set(1, { l: value });
    const families = await read(made);
    expect(families.get('g')?.help).toBe(help);
    expect(valueOf(families, 'g', { l: value })).toBe(1);
  });

  it('takes labels in any order, and a frozen object by identity', async () => {
    const made = prometheusMetrics();
    const metric = made.metrics.counter({ name: 'c_total', help: HELP, labelNames: ['a', 'b'] });
    const frozen = Object.freeze({ a: '1', b: '2' });
    const changing = { a: '1', b: '2' };
    metric.add(1, frozen);
    metric.add(1, frozen);
    metric.add(1, { b: '2', a: '1' });
    metric.add(1, changing);
    changing.b = '3';
    metric.add(1, changing);
    // No two value lists make the same key.
    metric.add(1, { a: '1:', b: '' });
    metric.add(1, { a: '', b: '1:' });
    const families = await read(made);
    expect(valueOf(families, 'c_total', { a: '1', b: '2' })).toBe(4);
    expect(valueOf(families, 'c_total', { a: '1', b: '3' })).toBe(1);
    expect(families.get('c_total')?.samples).toHaveLength(4);
  });

  it('puts each value into the bucket of the first bound that is not below it', async () => {
    const made = prometheusMetrics();
    const bounds = [-1, 0, 0.001, 0.01, 0.1, 1, 10, 100];
    const metric = made.metrics.histogram({ name: 'h', help: HELP, buckets: bounds });
    const values = [-2, -1, -0.5, 0, 0.0005, 0.001, 0.5, 1, 1.0001, 100, 100.5, Infinity];
    for (const value of values) metric.observe(value);
    const families = await read(made);
    for (const bound of bounds) {
      const below = values.filter((value) => value <= bound).length;
      expect(valueOf(families, 'h_bucket', { le: `${bound}` })).toBe(below);
    }
    expect(valueOf(families, 'h_count')).toBe(values.length);
  });

  it('has its own buckets by name, and a prefix', async () => {
    const made = prometheusMetrics({ prefix: 'my_', buckets: { wait_seconds: [5] } });
    made.metrics.histogram({ name: 'wait_seconds', help: HELP, buckets: [1, 2] }).observe(3);
    const families = await read(made);
    const bounds = families.get('my_wait_seconds')?.samples.map(({ labels }) => labels['le']);
    expect(bounds).toEqual(['5', '+Inf', undefined, undefined]);
  });
});

describe('prometheusMetrics: bounds', () => {
  const labelNames = ['who'];
  const fill = (metrics: Metrics, how: (who: string) => void): void => {
    for (let i = 0; i < 5; i += 1) how(`${i}`);
    void metrics;
  };

  it('gathers counters and observations past the bound, so that sums stay right', async () => {
    const made = prometheusMetrics({ seriesMax: 3 });
    const count = made.metrics.counter({ name: 'c_total', help: HELP, labelNames });
    const wait = made.metrics.histogram({ name: 'h', help: HELP, labelNames, buckets: [1] });
    fill(made.metrics, (who) => {
      count.add(2, { who });
      wait.observe(1, { who });
    });
    count.add(1, { who: '0' });
    const families = await read(made);
    expect(
      families.get('c_total')?.samples.map(({ labels, value }) => [labels['who'], value]),
    ).toEqual([
      ['0', 3],
      ['1', 2],
      ['2', 2],
      ['overflow', 4],
    ]);
    expect(valueOf(families, 'h_count', { who: 'overflow' })).toBe(2);
    expect(valueOf(families, 'skep_metrics_overflow_total', { metric: 'c_total' })).toBe(2);
    expect(valueOf(families, 'skep_metrics_overflow_total', { metric: 'h' })).toBe(2);
  });

  it('drops gauges past the bound, and says how many', async () => {
    const made = prometheusMetrics({ seriesMax: 1 });
    const gauge = made.metrics.gauge({ name: 'g', help: HELP, labelNames });
    fill(made.metrics, (who) => gauge.set(1, { who }));
    // The counter of overflows has more room than the metrics that it counts.
    const other = made.metrics.gauge({ name: 'g2', help: HELP, labelNames });
    fill(made.metrics, (who) => other.set(1, { who }));
    const families = await read(made);
    expect(families.get('g')?.samples).toHaveLength(1);
    expect(valueOf(families, 'skep_metrics_overflow_total', { metric: 'g' })).toBe(4);
    expect(valueOf(families, 'skep_metrics_overflow_total', { metric: 'g2' })).toBe(4);
  });

  it('refuses a metric too many', () => {
    const { metrics } = prometheusMetrics();
    for (let i = 0; i < METRICS_MAX; i += 1) metrics.gauge({ name: `g${i}`, help: HELP });
    const { code } = codeOf(() => metrics.gauge({ name: 'last', help: HELP }));
    expect(code).toBe('resource-exhausted');
    expect(codeOf(() => metrics.gauge({ name: 'g0', help: HELP })).code).toBe('none');
  });
});

describe('prometheusMetrics: refusals', () => {
  const { metrics } = prometheusMetrics();
  const bad: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['a name with a dash', () => metrics.gauge({ name: 'a-b', help: HELP }), /letters, digits/],
    ['an empty name', () => metrics.gauge({ name: '', help: HELP }), /letters, digits/],
    ['no help', () => metrics.gauge({ name: 'a', help: ' ' }), /needs a help text/],
    [
      'a label of Prometheus',
      () => metrics.gauge({ name: 'a', help: HELP, labelNames: ['__name__'] }),
      /which is for Prometheus itself/,
    ],
    [
      'a bad label',
      () => metrics.gauge({ name: 'a', help: HELP, labelNames: ['a:b'] }),
      /label 'a:b'/,
    ],
    [
      'a label twice',
      () => metrics.gauge({ name: 'a', help: HELP, labelNames: ['a', 'a'] }),
      /label twice/,
    ],
    [
      'too many labels',
      () =>
        metrics.gauge({
          name: 'a',
          help: HELP,
          labelNames: Array.from({ length: 11 }, (_, i) => `l${i}`),
        }),
      /11 labels; most is 10/,
    ],
    [
      "label 'le' of a histogram",
      () => metrics.histogram({ name: 'a', help: HELP, labelNames: ['le'] }),
      /bounds of the buckets/,
    ],
    [
      'buckets that fall',
      () => metrics.histogram({ name: 'a', help: HELP, buckets: [2, 1] }),
      /finite and rise/,
    ],
    [
      'an infinite bucket',
      () => metrics.histogram({ name: 'a', help: HELP, buckets: [1, Infinity] }),
      /\+Inf, is implied/,
    ],
    [
      'buckets of a counter',
      () => metrics.counter({ name: 'a', help: HELP, buckets: [1] }),
      /buckets are for histograms/,
    ],
    ['a prefix that begins with a digit', () => prometheusMetrics({ prefix: '1' }), /'1x'/],
    ['no room at all', () => prometheusMetrics({ seriesMax: 0 }), /count from 1/],
    ['bad buckets by name', () => prometheusMetrics({ buckets: { a: [NaN] } }), /finite and rise/],
    [
      'a registry that is none',
      () => prometheusMetrics({ registry: {} } as unknown as PrometheusMetricsOptions),
      /not a Registry of prom-client/,
    ],
  ];

  it.each(bad)('of %s', (_what, run, expected) => {
    const { code, message } = codeOf(run);
    expect([code, message]).toEqual(['invalid-argument', expect.stringMatching(expected)]);
  });

  const jobs = metrics.counter({ name: 'jobs_total', help: HELP, labelNames: ['kind', 'size'] });
  const gauge = metrics.gauge({ name: 'g', help: HELP });
  const values: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['a missing label', () => jobs.add(1, { kind: 'a' }), /labels \[kind, size\]/],
    ['no labels', () => jobs.add(1), /given were \[\]/],
    ['a foreign label', () => jobs.add(1, { kind: 'a', size: '', other: '' }), /other: string/],
    ['labels where there are none', () => gauge.set(1, { a: 'b' }), /labels \[\]/],
    [
      'a label that is no text',
      () => jobs.add(1, { kind: 1, size: '' } as unknown as Record<string, string>),
      /kind: number/,
    ],
    ['a counter that falls', () => jobs.add(-1, { kind: 'a', size: 'b' }), /finite numbers from 0/],
    ['a count of NaN', () => jobs.add(NaN, { kind: 'a', size: 'b' }), /not by NaN/],
    ['an endless count', () => jobs.add(Infinity, { kind: 'a', size: 'b' }), /not by Infinity/],
    ['a gauge of NaN', () => gauge.set(NaN), /set to a number/],
    [
      'an observation of NaN',
      () => metrics.histogram({ name: 'h', help: HELP }).observe(NaN),
      /observes numbers/,
    ],
  ];

  it.each(values)('of %s', (_what, run, expected) => {
    const { code, message } = codeOf(run);
    expect([code, message]).toEqual(['invalid-argument', expect.stringMatching(expected)]);
  });
});

describe('prometheusMetrics: registries', () => {
  it('gives the same metric for the same name, and refuses another under it', () => {
    const { metrics } = prometheusMetrics();
    const definition = { name: 'a', help: HELP, labelNames: ['l'] };
    expect(metrics.gauge(definition)).toBe(metrics.gauge(definition));
    const other = (run: () => unknown): string => {
      const { code, message } = codeOf(run);
      return `${code}: ${message}`;
    };
    expect(other(() => metrics.counter(definition))).toMatch(/^already-exists.*a gauge, not a/);
    expect(other(() => metrics.gauge({ name: 'a', help: HELP }))).toMatch(/labels are \[l\]/);
    metrics.histogram({ name: 'h', help: HELP, buckets: [1] });
    expect(other(() => metrics.histogram({ name: 'h', help: HELP, buckets: [2] }))).toMatch(
      /buckets are \[1\]/,
    );
  });

  it('touches nothing global', () => {
    const before = register.getMetricsAsArray().length;
    const { metrics } = prometheusMetrics();
    metrics.gauge({ name: 'mine', help: HELP }).set(1);
    expect(register.getMetricsAsArray()).toHaveLength(before);
    expect(
      codeOf(() => prometheusMetrics().metrics.counter({ name: 'mine', help: HELP })).code,
    ).toBe('none');
  });

  it('stands next to metrics of others, and refuses their names', async () => {
    const registry = new Registry();
    new Counter({ name: 'theirs_total', help: HELP, registers: [registry] }).inc(7);
    const made = prometheusMetrics({ registry });
    made.metrics.counter({ name: 'ours_total', help: HELP }).add(1);
    const families = await read(made);
    expect([valueOf(families, 'theirs_total'), valueOf(families, 'ours_total')]).toEqual([7, 1]);
    const { message } = codeOf(() => made.metrics.counter({ name: 'theirs_total', help: HELP }));
    expect(message).toMatch(/not from here/);
    expect(await registry.getMetricsAsJSON()).toHaveLength(2);
    registry.resetMetrics();
    expect(valueOf(await read(made), 'ours_total')).toBe(0);
  });

  it('writes OpenMetrics when the registry does', async () => {
    const registry = openMetricsRegistry();
    const made = prometheusMetrics({ registry });
    made.metrics.counter({ name: 'ours_total', help: HELP }).add(2);
    const text = await made.text();
    expect(text).toContain('# TYPE ours counter\nours_total 2\n');
    expect(text.endsWith('# EOF\n')).toBe(true);
    expect(made.contentType).toContain('openmetrics');
  });

  it('shares metrics with another seam over the same registry', async () => {
    const registry = new Registry();
    const [one, two] = [prometheusMetrics({ registry }), prometheusMetrics({ registry })];
    for (const { metrics } of [one, two]) metrics.counter({ name: 'a_total', help: HELP }).add(1);
    expect(valueOf(await read(one), 'a_total')).toBe(2);
  });
});
