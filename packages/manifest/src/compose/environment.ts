/**
 * Variables of a container: `env_file`, then `environment`, then the environment of the client for
 * what has no value.
 * **Source:** docker/cli `cli/compose/loader`, resolveEnvironment.
 */
import type { ComplaintCollector } from '../complaint.js';
import { parseEnvFile } from '../text/env-file.js';
import { resolvePath } from '../text/file-path.js';
import type { Cursor } from './cursor.js';
import type { VariableLookup } from './template.js';

/** What the variables of a service depend on. */
export interface EnvironmentContext {
  readonly workingDirectory: string;
  readonly lookup: VariableLookup;
  readonly readText: (path: string) => string | undefined;
  readonly complaints: ComplaintCollector;
}

/** The variables of a service; a value that is undefined is left to the host. */
export function readEnvironment(
  service: Cursor,
  context: EnvironmentContext,
): ReadonlyMap<string, string | undefined> {
  const variables = new Map<string, string | undefined>();
  const put = (name: string, value: string | undefined): void => {
    const own = context.lookup(name);
    variables.set(name, own !== undefined && (value ?? '') === '' ? own : value);
  };
  // Within the files the last value of a name counts, whatever the client's environment holds.
  const fromFiles = new Map<string, string>();
  for (const file of envFiles(service)) {
    for (const [name, value] of readEnvFile(file, context)) fromFiles.set(name, value);
  }
  for (const [name, value] of fromFiles) put(name, value);
  for (const [name, value] of service.get('environment')?.pairs() ?? []) put(name, value);
  return variables;
}

interface EnvFileUse {
  readonly path: string;
  readonly isRequired: boolean;
  readonly cursor: Cursor;
}

function envFiles(service: Cursor): readonly EnvFileUse[] {
  const field = service.get('env_file');
  if (field === undefined) return [];
  const items = field.node.type === 'sequence' ? field.items() : [field];
  return items.map((cursor) =>
    cursor.node.type === 'mapping'
      ? { path: cursor.text('path'), isRequired: cursor.flag('required') ?? true, cursor }
      : { path: cursor.scalar, isRequired: true, cursor },
  );
}

function readEnvFile(
  use: EnvFileUse,
  context: EnvironmentContext,
): readonly (readonly [string, string])[] {
  const { complaints } = context;
  const path = resolvePath(context.workingDirectory, use.path);
  const text = context.readText(path);
  if (text === undefined) {
    if (use.isRequired) {
      const hint = 'create it, or remove it from env_file';
      complaints.error('missing-file', use.cursor.place, `the file ${path} cannot be read`, hint);
    }
    return [];
  }
  const parsed = parseEnvFile(text);
  if ('fault' in parsed) {
    complaints.error(
      'invalid-env-file',
      use.cursor.place,
      `line ${parsed.line} of ${path} ${parsed.fault}`,
      'write NAME=value, one a line',
    );
    return [];
  }
  return parsed.lines.flatMap(({ name, value }) => {
    const found = value ?? context.lookup(name);
    return found === undefined ? [] : [[name, found] as const];
  });
}
