/**
 * Several policies on one trace, side by side.
 */
import { SkepError } from '@skep/api';
import type { Policy } from '@skep/scheduler';
import { judgePolicy } from '../judge-policy.js';
import { replay } from '../replay/replay.js';
import { arrivalsOf, type Trace } from '../replay/trace.js';
import type { ComparisonData, PolicyRun } from './comparison-data.js';
import { measuredResource, seriesOf, usedNodes } from './history.js';
import { renderComparisonHtml } from './html-report.js';
import { renderComparisonTable } from './comparison-table.js';

/** How policies are compared. */
export interface CompareOptions {
  /**
   * The kind of device that is measured. Default: `gpu` where a node has one, else cpus are.
   */
  readonly kind?: string;
  /** Points of each line. Default: 400; from 2. More make larger files. */
  readonly samplesMax?: number;
  /** Time by which policies judge. Default: 0. */
  readonly now?: number;
  /** Called now and then: how many events of how many, over all policies. */
  readonly onProgress?: (progress: CompareProgress) => void;
  /** A clock in milliseconds. Given, the result says how long each policy took. */
  readonly clock?: () => number;
}

/** How far a comparison is. */
export interface CompareProgress {
  readonly policy: string;
  readonly done: number;
  readonly total: number;
}

/** Policies side by side. Its JSON is {@link ComparisonData}. */
export class Comparison {
  readonly data: ComparisonData;

  constructor(data: ComparisonData) {
    this.data = data;
  }

  /** A line for each policy. */
  toTable(): string {
    return renderComparisonTable(this.data);
  }

  /** What `JSON.stringify` writes. */
  toJSON(): ComparisonData {
    return this.data;
  }

  /** A page with plots and tables, whole in itself: nothing is loaded from anywhere. */
  toHtml(): string {
    return renderComparisonHtml(this.data);
  }
}

/**
 * Plays the trace once with each policy. Deterministic, but for the times if a clock is given.
 * Cost: that of `replay` for each policy.
 * @throws invalid-argument without a policy, for two of one name, less than two samples, or a kind
 * of device that no node has.
 */
export function comparePolicies(
  trace: Trace,
  policies: readonly Policy[],
  options: CompareOptions = {},
): Comparison {
  const { kind = 'gpu', samplesMax = 400, now = 0, onProgress, clock } = options;
  refuseNonsense(policies, samplesMax);
  const resource = measuredResource(trace, kind);
  if (resource === 'cpu' && options.kind !== undefined) throw unknownKind(trace, options.kind);
  const total = trace.events.length * policies.length;
  const runs = policies.map((policy, index): PolicyRun => {
    const before = clock?.();
    const result = replay(trace, policy, {
      kind,
      now,
      onProgress: (done) =>
        onProgress?.({
          policy: policy.name,
          done: index * trace.events.length + done,
          total,
        }),
    });
    const after = clock?.();
    const series = seriesOf(trace, result, { resource, samplesMax });
    return {
      policy: policy.name,
      placed: result.placements.length - result.failed,
      pending: result.failed,
      allocation: series.allocation.at(-1) ?? 0,
      fragmentation: series.fragmentation.at(-1) ?? 0,
      nodes: usedNodes(trace, result),
      moves: series.moves.at(-1) ?? 0,
      ...(before === undefined || after === undefined ? {} : { elapsedMs: after - before }),
      series,
    };
  });
  const arrivals = arrivalsOf(trace).length;
  return new Comparison({
    trace: trace.name,
    nodes: trace.nodes.length,
    arrivals,
    departures: trace.events.length - arrivals,
    resource: resource === 'cpu' ? 'cpu' : resource.kind,
    demand: runs[0]?.series.demand.at(-1) ?? 0,
    policies: runs,
  });
}

function unknownKind({ nodes }: Trace, kind: string): SkepError {
  const devices = nodes.flatMap(({ status }) => status.description?.resources.devices ?? []);
  const kinds = [...new Set(devices.map((device) => device.kind))].sort();
  const known = kinds.length === 0 ? 'nodes have no devices' : `there are ${kinds.join(', ')}`;
  return new SkepError('invalid-argument', `no node has devices of the kind '${kind}' (${known})`);
}

function refuseNonsense(policies: readonly Policy[], samplesMax: number): void {
  if (policies.length === 0) {
    throw new SkepError('invalid-argument', 'there is no policy to compare; give at least one');
  }
  for (const policy of policies) judgePolicy('comparePolicies()', policy);
  const names = policies.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new SkepError(
      'invalid-argument',
      `two policies are named '${twice}'; give one another name: { ...policy, name: 'other' }`,
    );
  }
  if (Number.isSafeInteger(samplesMax) && samplesMax >= 2) return;
  throw new SkepError('invalid-argument', `samplesMax is ${samplesMax}; write a number from 2`);
}
