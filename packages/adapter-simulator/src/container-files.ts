/**
 * The files that a container is given: its secrets and configs.
 */
import type { AssignedFile, FileTarget, TaskTemplate } from '@skep/api';
import type { TaskContext } from '@skep/adapter';

/** A file in a simulated container. */
export interface ContainerFile {
  /** Absolute: `/run/secrets/key`. */
  readonly path: string;
  /** Base64. Templates are not expanded. */
  readonly data: string;
  /** 0o444 is 292. */
  readonly mode: number;
  readonly isSecret: boolean;
}

/**
 * Secrets, then configs, in the order in which the task names them. Relative targets of secrets are
 * below `/run/secrets`, those of configs below `/`. What the node was not given, because a driver
 * holds its content, is left out.
 * **Source:** moby container (SecretMountPath, getConfigTargetPath) for the paths.
 */
export function containerFiles(
  { container }: TaskTemplate,
  { secrets, configs }: Pick<TaskContext, 'secrets' | 'configs'>,
): readonly ContainerFile[] {
  return [
    ...(container?.secrets ?? []).flatMap(({ secretId, secretName, file }) =>
      fileOf(given(secrets, secretId, secretName), file, '/run/secrets/'),
    ),
    ...(container?.configs ?? []).flatMap(({ configId, configName, file }) =>
      fileOf(given(configs, configId, configName), file, '/'),
    ),
  ];
}

/** By id; by name where the reference has no id. */
function given(
  files: ReadonlyMap<string, AssignedFile>,
  id: string,
  name: string,
): AssignedFile | undefined {
  return id === '' ? [...files.values()].find((file) => file.name === name) : files.get(id);
}

function fileOf(
  content: AssignedFile | undefined,
  target: FileTarget | undefined,
  folder: '/run/secrets/' | '/',
): readonly ContainerFile[] {
  if (content === undefined || target === undefined) return [];
  const path = target.name.startsWith('/') ? target.name : `${folder}${target.name}`;
  return [{ path, data: content.data, mode: target.mode, isSecret: folder !== '/' }];
}
