/**
 * All matchers as one object, for `expect.extend` of jest, of vitest, and of others of that form.
 */
import { toBePending, type PendingOptions } from './pending.js';
import {
  toBePlacedOn,
  toFitCapacity,
  toPlaceAll,
  toPreferNode,
  toUseNodes,
  type PreferOptions,
} from './placed.js';
import { toBeSpreadOver, type SpreadOptions } from './spread.js';

/** What an `expect` can do once it knows {@link policyMatchers}. `R` is what it gives back. */
export interface PolicyMatchers<R = void> {
  /** Every task is on one of these nodes. */
  toBePlacedOn(...nodes: readonly string[]): R;
  /** Every task has a node. */
  toPlaceAll(): R;
  /** The tasks are on exactly so many nodes. */
  toUseNodes(count: number): R;
  /** No node holds more than it has. */
  toFitCapacity(): R;
  /** The node is the best for the task at the moment of its decision, or better than another. */
  toPreferNode(node: string, options?: PreferOptions): R;
  /** Every task waits, for that reason if one is given. */
  toBePending(options?: PendingOptions): R;
  /** The tasks are spread evenly over the values of a label, or over nodes. */
  toBeSpreadOver(key: string, options?: SpreadOptions): R;
}

/**
 * The matchers as plain functions: `expect.extend(policyMatchers)`. They need nothing of the test
 * runner. `@skep/testing/jest` does it for jest, with types.
 */
export const policyMatchers = Object.freeze({
  toBePlacedOn,
  toPlaceAll,
  toUseNodes,
  toFitCapacity,
  toPreferNode,
  toBePending,
  toBeSpreadOver,
});
