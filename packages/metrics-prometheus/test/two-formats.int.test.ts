/**
 * Two copies of the package in one process, as an ESM and a CJS user would bring them.
 */
import { expect, it, jest } from '@jest/globals';
import { isSkepError } from '@skep/api';
import { Registry } from 'prom-client';
import { prometheusMetrics } from '../src/prometheus-metrics.js';

it('meets another copy of itself: metrics are shared, errors recognised by code', async () => {
  const registry = new Registry();
  const definition = { name: 'jobs_total', help: 'Jobs.', labelNames: ['kind'] };
  prometheusMetrics({ registry }).metrics.counter(definition).add(1, { kind: 'a' });
  let other: typeof prometheusMetrics = prometheusMetrics;
  await jest.isolateModulesAsync(async () => {
    other = (await import('../src/prometheus-metrics.js')).prometheusMetrics;
  });
  expect(other).not.toBe(prometheusMetrics);
  const { metrics, text } = other({ registry });
  metrics.counter(definition).add(1, { kind: 'a' });
  expect(await text()).toContain('jobs_total{kind="a"} 2\n');
  let thrown: unknown;
  try {
    metrics.gauge(definition);
  } catch (error) {
    thrown = error;
  }
  expect(isSkepError(thrown, 'already-exists')).toBe(true);
});
