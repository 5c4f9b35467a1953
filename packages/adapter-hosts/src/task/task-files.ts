/**
 * Secrets and configs as the files that a task is given.
 */
import { SkepError, type AssignedFile, type AssignedTask, type FileTarget } from '@skep/api';
import type { TaskContext } from '@skep/adapter';
import { expandFields } from './template-fields.js';

/** A file in a task's file system. */
export interface TaskFile {
  /** Absolute: `/run/secrets/key`. */
  readonly path: string;
  /** Base64. */
  readonly data: string;
  readonly uid: number;
  readonly gid: number;
  /** 0o444 is 292. */
  readonly mode: number;
}

/**
 * Secrets, then configs, in the order in which the task names them. Relative targets of secrets are
 * below `/run/secrets`, those of configs below `/`.
 * @throws unavailable when the node was not given the content (yet)
 *
 * **Source:** moby container (SecretMountPath, getConfigTargetPath) for the paths; SwarmKit
 * template/getter.go for the placeholders in a content with `templating`.
 */
export function taskFiles(task: AssignedTask, context: TaskContext): readonly TaskFile[] {
  const { container } = task.template;
  const files: TaskFile[] = [];
  const add = (
    given: ReadonlyMap<string, AssignedFile>,
    [id, name]: readonly [string, string],
    target: FileTarget | undefined,
    folder: string,
  ): void => {
    if (target === undefined) return;
    const content = id === '' ? byName(given, name) : given.get(id);
    if (content === undefined) {
      throw new SkepError('unavailable', `the content of '${name}' has not come to this node yet`);
    }
    files.push({
      path: target.name.startsWith('/') ? target.name : `${folder}${target.name}`,
      data: filled(content, task, context),
      uid: idOf(target.uid, name),
      gid: idOf(target.gid, name),
      mode: target.mode,
    });
  };
  for (const { secretId, secretName, file } of container?.secrets ?? []) {
    add(context.secrets, [secretId, secretName], file, '/run/secrets/');
  }
  for (const { configId, configName, file } of container?.configs ?? []) {
    add(context.configs, [configId, configName], file, '/');
  }
  return files;
}

function byName(given: ReadonlyMap<string, AssignedFile>, name: string): AssignedFile | undefined {
  return [...given.values()].find((file) => file.name === name);
}

function filled(content: AssignedFile, task: AssignedTask, { node }: TaskContext): string {
  if (content.templating === undefined || content.templating === '') return content.data;
  const text = Buffer.from(content.data, 'base64').toString('utf8');
  return Buffer.from(expandFields(text, task, node), 'utf8').toString('base64');
}

function idOf(text: string, name: string): number {
  if (text === '') return 0;
  const id = Number(text);
  if (Number.isInteger(id) && id >= 0) return id;
  throw new SkepError('invalid-argument', `owner '${text}' of '${name}' is not a number`);
}
