/**
 * Waiting until services are as declared, and showing how far they are.
 */
import type { Revision, Timestamp } from '@skep/api';
import { EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import { LiveLines } from '../views/live-lines.js';
import { renderRollouts, rolloutOf, ROLLOUT_KINDS, type Rollout } from '../views/rollout.js';
import { followUntil } from './await.js';
import type { Connected } from './connection.js';

/** What is waited for. */
export interface Awaited {
  /** Names of services. */
  readonly services: readonly string[];
  /** Nothing counts before this revision. */
  readonly revision: Revision;
  /** Longest wait. */
  readonly timeoutMs: number;
  /** When it was asked for; absent for a rollback, which others are not told from. */
  readonly at?: Timestamp;
}

/**
 * Shows how far the services are until all are as declared (exit code 0), one of them will not be
 * by itself (1), the time is over (1), or the user ends it (130). What was declared stays.
 */
export async function awaitRollout(
  { services, revision, timeoutMs, at }: Awaited,
  connected: Connected,
  surroundings: Surroundings,
): Promise<ExitCode> {
  if (services.length === 0) return EXIT.ok;
  const display = displayOf(surroundings);
  let rollouts: readonly Rollout[] = [];
  const end = await followUntil(
    { kinds: ROLLOUT_KINDS, timeoutMs, connected, surroundings },
    (view) => {
      if (view.revision < revision) return false;
      rollouts = services.map((name) => rolloutOf(view, name, at === undefined ? {} : { at }));
      display.show(rollouts);
      return rollouts.some(({ state }) => state === 'failed') || rollouts.every(isOver);
    },
  );
  const open = rollouts.filter((rollout) => !isOver(rollout));
  const lines = open.map(
    ({ name, done, wanted, text }) => `  ${name} ${done}/${wanted}: ${text}\n`,
  );
  const { out, err } = surroundings;
  if (end === 'interrupted') {
    err(`not waited for any longer; the cluster goes on\n${lines.join('')}`);
    return EXIT.interrupted;
  }
  if (end === 'done' && open.length === 0) {
    out('as declared\n');
    return EXIT.ok;
  }
  err(`not as declared${end === 'late' ? ` after ${timeoutMs / 1000} s` : ''}\n${lines.join('')}`);
  return EXIT.unsettled;
}

function isOver({ state }: Rollout): boolean {
  return state === 'done' || state === 'gone';
}

interface Display {
  show(rollouts: readonly Rollout[]): void;
}

/** Bars on a terminal; elsewhere a line for each change. */
function displayOf({ progress, out }: Surroundings): Display {
  if (progress?.isTTY === true) {
    const lines = new LiveLines(progress);
    return { show: (rollouts) => lines.draw(renderRollouts(rollouts)) };
  }
  const shown = new Map<string, string>();
  return {
    show: (rollouts) => {
      for (const { name, done, wanted, text, state } of rollouts) {
        const line = `${name} ${done}/${wanted}${state === 'done' ? '' : `: ${text}`}\n`;
        if (shown.get(name) === line) continue;
        shown.set(name, line);
        out(line);
      }
    },
  };
}
