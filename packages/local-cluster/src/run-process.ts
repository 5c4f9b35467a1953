/**
 * The one entry of all processes of a cluster: `skep internal ROLE FILE` calls it.
 */
import { isSkepError, messageOf, SkepError, type Logger } from '@skep/api';
import { processLogger } from './process/process-logger.js';
import { PROCESS_ROLES } from './process/process-search.js';

/** A process that ended since another one has its place. **Source:** sysexits(3), EX_TEMPFAIL. */
const TAKEN = 75;
const FAILED = 1;

/**
 * Is a process of a cluster until it is told to end by SIGTERM or SIGINT; resolves with its exit
 * code and never rejects. What it says goes to the standard output: its log.
 * @param role - `supervisor`, `manager` or `agent`.
 * @param settingsFile - what the process was started with, absolute.
 */
export async function runProcess(role: string, settingsFile: string): Promise<number> {
  const logger = processLogger();
  const known = PROCESS_ROLES.find((one) => one === role);
  try {
    if (known === undefined) {
      const roles = PROCESS_ROLES.join(', ');
      throw new SkepError('invalid-argument', `role '${role}': there are ${roles}`);
    }
    const run = await processOf(known);
    logger.info('process begins', { role, pid: process.pid, file: settingsFile });
    await run(settingsFile, logger);
    logger.info('process ends', { role, pid: process.pid });
    return 0;
  } catch (thrown) {
    const trace = isSkepError(thrown) || !(thrown instanceof Error) ? undefined : thrown.stack;
    const fields = { role, error: messageOf(thrown), ...(trace === undefined ? {} : { trace }) };
    logger.error('process failed', fields);
    return isSkepError(thrown, 'unavailable') && 'claim' in thrown.details ? TAKEN : FAILED;
  }
}

/** Only what the role needs is loaded: a node of many has one agent each. */
async function processOf(role: (typeof PROCESS_ROLES)[number]): Promise<RunRole> {
  if (role === 'manager') return (await import('./manager-process.js')).runManager;
  if (role === 'agent') return (await import('./agent-process.js')).runAgent;
  return (await import('./supervisor-process.js')).runSupervisor;
}

type RunRole = (file: string, logger: Logger) => Promise<void>;
