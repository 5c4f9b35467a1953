/**
 * A manager as a process of its own, for tests that kill it: serves a link at the path that it is
 * given, says so, and sends every node one assignment.
 */
import { systemClock } from '@skep/api/system';
import { serveNodeLink } from '../src/link/serve-link.js';

const [path = ''] = process.argv.slice(2);
const nothing = (): Promise<void> => Promise.resolve();

void serveNodeLink({
  path,
  clock: systemClock(),
  link: {
    open: async (_hello, handlers) => {
      setTimeout(() => {
        handlers.assignment({ type: 'complete', revision: 7, upserts: [], removals: [] });
      }, 10);
      return {
        sessionId: `${process.pid}`,
        heartbeatPeriodMs: 5_000,
        // Nobody is ever answered.
        heartbeat: () => new Promise(() => undefined),
        report: nothing,
        acknowledge: nothing,
        describe: nothing,
        close: nothing,
      };
    },
  },
}).then(() => process.stdout.write('served\n'));
