/**
 * The verdict of a filter without its reasons.
 */
import type { NodeInfo } from './node-info.js';
import type { PreparedFilter } from './policy.js';

/** Whether the node passes the filter. */
export function isPassing(filter: PreparedFilter, node: NodeInfo): boolean {
  return filter.passes === undefined ? filter.check(node) === undefined : filter.passes(node);
}
