/**
 * The table of docs/observability.md against what running managers register.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { startTestCluster } from '@skep/testing/cluster';
import { prometheusMetrics } from '../src/prometheus-metrics.js';

interface Registered {
  readonly name: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

/** Jest runs in the root of the project. */
const PAGE = join(process.cwd(), 'docs/observability.md');

/** Rows of the table: name, type, labels in backticks. */
function documented(): readonly string[] {
  const page = readFileSync(PAGE, 'utf8');
  const rows = page.matchAll(/^\| `([a-z_]+)` +\| (counter|gauge|histogram) +\| ([^|]*)\|/gm);
  return [...rows].map(([, name, type, labels = '']) => {
    const names = [...labels.matchAll(/`([a-z_]+)`/g)].map(([, label]) => label);
    return `${name ?? ''} ${type ?? ''} [${names.join(', ')}]`;
  });
}

it('lists every metric with its type and labels, and none that there is not', async () => {
  const { metrics, registry } = prometheusMetrics({ seriesMax: 50 });
  const many = metrics.counter({ name: 'filled_total', help: 'Fills up.', labelNames: ['who'] });
  for (let i = 0; i < 60; i += 1) many.add(1, { who: `${i}` });
  const cluster = await startTestCluster({ managers: 2, watching: { metrics } });
  const registered = (registry.getMetricsAsArray() as unknown as readonly Registered[])
    .filter(({ name }) => name !== 'filled_total')
    .map(({ name, type, labelNames }) => `${name} ${type} [${labelNames.join(', ')}]`);
  await cluster.stop();
  expect([...documented()].sort()).toEqual([...registered].sort());
});
