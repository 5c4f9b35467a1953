/**
 * Objects for programs: JSON, YAML, names, and manifests that can be declared again.
 */
import { Task, taskName, type StoredObject } from '@skep/api';
import { API_VERSION, writeYaml } from '@skep/manifest';
import { nameOf } from './names.js';

/** How objects are printed. */
export const OUTPUTS = ['table', 'wide', 'json', 'yaml', 'manifest', 'name'] as const;

/** One of {@link OUTPUTS}. */
export type Output = (typeof OUTPUTS)[number];

/** Outputs that are data, not tables. */
export type DataOutput = Exclude<Output, 'table' | 'wide'>;

/** Whether an output is data. */
export function isDataOutput(output: Output): output is DataOutput {
  return output !== 'table' && output !== 'wide';
}

/**
 * Objects as data, ended by a line feed. JSON of one that was asked for by its name is the object,
 * otherwise a list with `items`; YAML and manifests are documents parted by `---`.
 */
export function renderObjects(
  objects: readonly StoredObject[],
  output: DataOutput,
  options: { readonly isSingle?: boolean } = {},
): string {
  switch (output) {
    case 'json': {
      const items = objects.map(documentOf);
      const value =
        options.isSingle === true && items.length === 1
          ? items[0]
          : { apiVersion: API_VERSION, kind: 'List', items };
      return `${JSON.stringify(value, null, 2)}\n`;
    }
    case 'yaml':
      return objects.map((object) => writeYaml(documentOf(object))).join('---\n');
    case 'manifest':
      return objects.map((object) => writeYaml(manifestOf(object))).join('---\n');
    case 'name':
      return objects.map((object) => `${referenceOf(object)}\n`).join('');
  }
}

/** An object in the form of a manifest, with all that is known about it. */
export function documentOf({ kind, meta, spec, status }: StoredObject): object {
  return { apiVersion: API_VERSION, kind, metadata: meta, spec, status };
}

/** Only what somebody declares. */
export function manifestOf({ kind, meta, spec }: StoredObject): object {
  const { name, labels, annotations } = meta;
  return {
    apiVersion: API_VERSION,
    kind,
    metadata: {
      name,
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec,
  };
}

/** `service/web`, `task/vote.1.x9k2…`: what names the object in other commands. */
export function referenceOf(object: StoredObject): string {
  const name = object.kind === Task.name ? taskName(object as Task) : nameOf(object);
  return `${object.kind.toLowerCase()}/${name}`;
}
