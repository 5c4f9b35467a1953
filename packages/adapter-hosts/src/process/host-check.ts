/**
 * What has to be on the host before a task is started: better said while it is prepared.
 */
import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SkepError, type AssignedTask } from '@skep/api';
import type { LaunchPlan } from './launch-plan.js';

/**
 * Checks program, working directory, mounts and network of a plan; makes sources of bind mounts
 * that ask for it.
 * @throws not-found, which rejects the task for good; unavailable for a network that may still come
 */
export function checkHost(plan: LaunchPlan, task: AssignedTask): void {
  for (const [index, { type, source }] of plan.mounts.entries()) {
    if (type !== 'bind' || plan.volumeFolders.includes(source) || existsSync(source)) continue;
    if (task.template.container?.mounts?.[index]?.bind?.createsMountpoint === true) {
      mkdirSync(source, { recursive: true });
      continue;
    }
    throw new SkepError('not-found', `bind source path does not exist: ${source}`);
  }
  const covered = plan.mounts.map(({ target }) => target);
  const isCovered = (path: string): boolean =>
    /^\/run(\/|$)/.test(path) ||
    covered.some((target) => path === target || path.startsWith(`${target}/`));
  if (!isCovered(plan.workingDir) && !isFolder(plan.workingDir)) {
    const text = `the working directory ${plan.workingDir} does not exist on this host`;
    throw new SkepError('not-found', text);
  }
  checkProgram(plan, isCovered);
  const { networkNamespace } = plan;
  if (networkNamespace !== undefined && !existsSync(networkNamespace)) {
    throw new SkepError(
      'unavailable',
      `the network namespace ${networkNamespace} is not there yet`,
    );
  }
}

function checkProgram(plan: LaunchPlan, isCovered: (path: string) => boolean): void {
  const [program = ''] = plan.words;
  const path = plan.env['PATH'] ?? '';
  const places = program.includes('/')
    ? [resolve(plan.workingDir, program)]
    : path.split(':').map((folder) => join(folder, program));
  if (places.some((place) => isCovered(place) || isExecutable(place))) return;
  throw new SkepError(
    'not-found',
    program.includes('/')
      ? `there is no program ${program} on this host`
      : `there is no program '${program}' on this host (looked in ${path})`,
    { details: { program } },
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
