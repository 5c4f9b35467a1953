/**
 * The way of a packet for people.
 */
import type { ConnectResult } from '../interpreter/send.js';
import type { Hop } from '../interpreter/result.js';
import { textTable } from './text-table.js';

/** Options of {@link renderHops}. */
export interface RenderHopsOptions {
  /** Blanks before every line. Default: 0. */
  readonly indent?: number;
}

/** One line for each step: where, what, how. Several lines, each ended by a line feed. */
export function renderHops(hops: readonly Hop[], options: RenderHopsOptions = {}): string {
  const rows = hops.map(({ node, namespace, hook, action, text }) => [
    node === '' ? 'outside' : `${node} ${namespace}`,
    hook,
    action,
    text,
  ]);
  return textTable(rows, { indent: options.indent ?? 0 })
    .map((line) => `${line}\n`)
    .join('');
}

/** Request and answer of a connection, and what became of it. */
export function renderConnection(
  result: Omit<ConnectResult, 'sourcePort' | 'delivered'>,
  options: RenderHopsOptions = {},
): string {
  const blanks = ' '.repeat(options.indent ?? 0);
  const inner = { indent: (options.indent ?? 0) + 2 };
  const end = result.reason === undefined ? result.outcome : `${result.outcome}: ${result.reason}`;
  return (
    `${blanks}request\n${renderHops(result.hops, inner)}` +
    (result.replyHops.length === 0
      ? ''
      : `${blanks}answer\n${renderHops(result.replyHops, inner)}`) +
    `${blanks}${end}\n`
  );
}
