/**
 * Starts processes that outlive who starts them: in a session of their own, with what they print in
 * a file.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { SkepError } from '@skep/api';
import { identityOf, type ProcessIdentity } from '@skep/adapter-hosts';
import { fileError } from '../files.js';

/** How a process is started. */
export interface LaunchRequest {
  readonly command: readonly string[];
  readonly role: string;
  readonly file: string;
  readonly log: string;
  /** Called when it has ended, with how, for people. */
  readonly onExit?: (exit: string) => void;
}

/**
 * Starts a process.
 * @throws unavailable when the system starts none; permission-denied or resource-exhausted when it
 * cannot have a log.
 */
export async function launch(request: LaunchRequest): Promise<ProcessIdentity> {
  const { command, role, file, log, onExit } = request;
  const [program = '', ...words] = command;
  const output = openLog(log);
  try {
    const child = spawn(program, [...words, role, file], {
      detached: true,
      stdio: ['ignore', output, output],
      cwd: folderOf(command),
    });
    child.once('exit', (code, signal) => onExit?.(exitText(code, signal)));
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    const pid = child.pid ?? 0;
    // One that has ended at once has no start time any more; `onExit` tells.
    return identityOf(pid) ?? { pid, startTime: '0' };
  } catch (cause) {
    const text = `no ${role} could be started: ${String(cause)}`;
    throw new SkepError('unavailable', text, { cause, details: { command } });
  } finally {
    closeSync(output);
  }
}

/** Where a bare name of a loader (`--import tsx`) is found as it is for the program itself. */
function folderOf(command: readonly string[]): string {
  const script = command.findLast((word) => isAbsolute(word));
  return script === undefined ? '/' : dirname(script);
}

function openLog(path: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return openSync(path, 'a', 0o600);
  } catch (thrown) {
    throw fileError(thrown, `${path} cannot be opened`);
  }
}

function exitText(code: number | null, signal: string | null): string {
  return signal === null ? `ended with ${code ?? 'no code'}` : `was killed by ${signal}`;
}
