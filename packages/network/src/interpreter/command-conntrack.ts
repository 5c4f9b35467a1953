/**
 * Lines for `conntrack`: connections that are to be forgotten.
 *
 * **Source:** conntrack(8).
 */
import { ipText } from '../table/ip.js';
import type { Command } from './command-base.js';
import { notUnderstood } from './command-base.js';

const LINE = /^-D -f (ipv4|ipv6) --orig-dst (\S+) --reply-src (\S+)$/;

/** @throws invalid-argument for what is not understood. */
export function parseConntrackLine(line: string): Command['execute'] {
  const [, , destination = '', source = ''] = LINE.exec(line) ?? [];
  if (destination === '') throw notUnderstood('conntrack', line);
  const [original, reply] = [ipText(destination), ipText(source)];
  return ({ forget }) => {
    forget?.((one) => one.original.destination === original && one.reply.source === reply);
  };
}
