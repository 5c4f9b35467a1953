/**
 * Starts a task: hands the script to its supervisor and waits for the command.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SkepError } from '@skep/api';
import type { LaunchPlan } from './launch-plan.js';
import { READ_SCRIPT, STARTED_LINE, supervisorScript, type RootEntries } from './launch-script.js';
import { layersFor } from './mount-points.js';
import { FILES, readIfThere, readProcesses } from './task-folder.js';

/**
 * Starts what is planned, in a folder that was prepared. Resolves when the command runs; also when
 * another agent started it just before.
 * @throws failed-precondition with what the system said when it could not be started
 */
export async function launch(
  plan: LaunchPlan,
  folder: string,
  options: { readonly cgroupFolders: readonly string[]; readonly isSilent: boolean },
): Promise<void> {
  const mounted = plan.mounts.map(({ target }) => target);
  const targets = [...mounted, ...plan.files.map(({ path }) => path)];
  const script = supervisorScript({
    plan,
    folder,
    root: readRoot(),
    overlays: layersFor(targets, mounted),
    ...options,
  });
  const setup = openSync(join(folder, FILES.setup), 'a', 0o600);
  try {
    await begin(script, setup);
  } finally {
    closeSync(setup);
  }
  if (readProcesses(folder) !== undefined) return;
  const said = readIfThere(join(folder, FILES.setup))?.trim() ?? '';
  throw new SkepError(
    'failed-precondition',
    `the process could not be started: ${said === '' ? 'its supervisor said nothing' : said}`,
  );
}

/** Resolves when the supervisor has said that the command runs, or has ended. */
function begin(script: string, setup: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const [program, args] = READ_SCRIPT;
    // Its own session: signals to the agent's terminal are not for the task.
    const child = spawn(program, [...args], {
      detached: true,
      cwd: '/',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      stdio: ['pipe', 'pipe', setup],
    });
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
      if (!said.includes(`${STARTED_LINE}\n`)) return;
      child.stdout?.destroy();
      child.unref();
      resolve();
    });
    child.on('error', (error) => {
      reject(new SkepError('unavailable', `no supervisor: ${error.message}`, { cause: error }));
    });
    child.on('exit', () => {
      child.stdout?.destroy();
      resolve();
    });
    // A supervisor that ended early is judged by what it left.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(script);
  });
}

function readRoot(): RootEntries {
  const entries = readdirSync('/', { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  const names = (kind: 'isDirectory' | 'isSymbolicLink' | 'isFile'): readonly string[] =>
    entries.filter((entry) => entry[kind]()).map(({ name }) => name);
  return {
    folders: names('isDirectory'),
    links: names('isSymbolicLink'),
    files: names('isFile'),
  };
}
