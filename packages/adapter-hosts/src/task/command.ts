/**
 * Runs a program of the system to its end.
 */
import { execFile, spawn } from 'node:child_process';
import { SkepError } from '@skep/api';

/** Output beyond this is an error: nothing that is run here says as much. */
const OUTPUT_BYTES_MAX = 16 * 2 ** 20;

/** How a program ended. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a program is given. */
export interface CommandOptions {
  readonly input?: string;
  /** It is killed after this time. Default: 30 s. */
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a program and returns how it ended, whatever its exit code.
 * @throws not-found when there is no such program; deadline-exceeded when it did not end in time.
 */
export function runCommand(
  program: string,
  args: readonly string[],
  { input, timeoutMs = 30_000, env }: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const options = {
      timeout: timeoutMs,
      maxBuffer: OUTPUT_BYTES_MAX,
      killSignal: 'SIGKILL' as const,
      encoding: 'utf8' as const,
      ...(env === undefined ? {} : { env: { ...env } }),
    };
    const child = execFile(program, [...args], options, (error, stdout, stderr) => {
      if (error === null) resolve({ exitCode: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ exitCode: error.code, stdout, stderr });
      else reject(failure(program, args, error, timeoutMs));
    });
    // A program that ends before it has read everything is judged by its exit code.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input ?? '');
  });
}

/**
 * As {@link runCommand}, for a program that has to succeed.
 * @throws failed-precondition with what it said when its exit code is not 0.
 */
export async function runChecked(
  program: string,
  args: readonly string[],
  options?: CommandOptions,
): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(program, args, options);
  if (exitCode === 0) return stdout;
  const said = stderr.trim() === '' ? stdout.trim() : stderr.trim();
  throw new SkepError(
    'failed-precondition',
    `${program} ${args.join(' ')} ended with ${exitCode}: ${said}`,
    { details: { program, exitCode } },
  );
}

/**
 * Runs a shell script in a process group of its own, and kills the whole group when the time is
 * over. Output beyond `outputBytesMax` is dropped.
 */
export function runGroup(
  program: string,
  args: readonly string[],
  options: { readonly input: string; readonly timeoutMs: number; readonly outputBytesMax: number },
): Promise<{ readonly exitCode: number; readonly output: string; readonly isTimedOut: boolean }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    let isTimedOut = false;
    const timer = setTimeout(() => {
      isTimedOut = true;
      if (child.pid !== undefined) killGroup(child.pid);
    }, options.timeoutMs);
    const keep = (chunk: Buffer): void => {
      if (output.length < options.outputBytesMax) output += chunk.toString('utf8');
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(failure(program, args, error, options.timeoutMs));
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      const kept = output.slice(0, options.outputBytesMax);
      resolve({ exitCode: code ?? 137, output: kept, isTimedOut });
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input);
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

function failure(
  program: string,
  args: readonly string[],
  error: Error & { code?: unknown; killed?: boolean | undefined },
  timeoutMs: number,
): SkepError {
  const details = { program, args: args.join(' ') };
  if (error.code === 'ENOENT') {
    const text = `there is no program '${program}' here: skep doctor says how to get it`;
    return new SkepError('not-found', text, { details, cause: error });
  }
  if (error.killed === true) {
    const text = `${program} did not end within ${timeoutMs} ms`;
    return new SkepError('deadline-exceeded', text, { details, cause: error });
  }
  return new SkepError('unavailable', `${program}: ${error.message}`, { details, cause: error });
}
