/**
 * A comparison of policies as data.
 */
import type { PolicySeries } from './history.js';

/** What became of a trace under one policy. */
export interface PolicyRun {
  readonly policy: string;
  readonly placed: number;
  /** Arrivals that found no place; they were dropped. */
  readonly pending: number;
  /** Per cent at the end: what is held, and what is idle and of no use to typical tasks. */
  readonly allocation: number;
  readonly fragmentation: number;
  /** Nodes with a task at the end. */
  readonly nodes: number;
  /** Tasks that would have to move if the fullest node were drained, at the end. */
  readonly moves: number;
  /** With a clock: how long it took. */
  readonly elapsedMs?: number;
  readonly series: PolicySeries;
}

/** Policies side by side, as data. */
export interface ComparisonData {
  readonly trace: string;
  readonly nodes: number;
  readonly arrivals: number;
  readonly departures: number;
  /** What allocation and fragmentation are about: `gpu`, `cpu`. */
  readonly resource: string;
  /** What all arrivals together asked for, in per cent of what the cluster has. */
  readonly demand: number;
  readonly policies: readonly PolicyRun[];
}
