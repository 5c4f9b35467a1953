/**
 * Waiting until something holds in a running cluster.
 */
import type { AnyKind } from '@skep/api';
import type { View } from '@skep/store';
import { EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import type { Connected } from './connection.js';
import { followed } from './replica.js';

/** What waiting needs. */
export interface AwaitContext {
  /** Kinds that the condition looks at. */
  readonly kinds: readonly AnyKind[];
  readonly timeoutMs: number;
  readonly connected: Connected;
  readonly surroundings: Surroundings;
}

/**
 * Shows `isDone` every view until it says yes, the time is over, or the user has enough.
 * @throws unavailable when the manager goes away.
 */
export async function followUntil(
  { kinds, timeoutMs, connected, surroundings }: AwaitContext,
  isDone: (view: View) => boolean,
): Promise<'done' | 'late' | 'interrupted'> {
  const interruption = surroundings.interruption?.();
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(), timeoutMs);
  const signal = interruption ? AbortSignal.any([end.signal, interruption]) : end.signal;
  try {
    for await (const { view } of followed(connected.client, kinds, signal)) {
      if (isDone(view)) return 'done';
    }
  } finally {
    clearTimeout(timer);
    end.abort();
  }
  return interruption?.aborted === true ? 'interrupted' : 'late';
}

/**
 * Waits until `missing` is undefined (exit code 0); what it says instead is shown as it changes.
 * Exit code 1 when the time is over before, 130 when the user ends it.
 */
export async function awaitUntil(
  context: AwaitContext,
  missing: (view: View) => string | undefined,
): Promise<ExitCode> {
  const { out, err } = context.surroundings;
  let text: string | undefined;
  const end = await followUntil(context, (view) => {
    const now = missing(view);
    if (now !== undefined && now !== text) out(`${now}\n`);
    text = now;
    return now === undefined;
  });
  if (end === 'done') return EXIT.ok;
  if (end === 'interrupted') return EXIT.interrupted;
  err(`not waited for longer than ${context.timeoutMs / 1000} s: ${text ?? 'no answer'}\n`);
  return EXIT.unsettled;
}
