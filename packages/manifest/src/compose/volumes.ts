/**
 * Mounts of a service: `data:/var/lib/data:ro`, `./site:/srv`, `/cache`, and the long form.
 * **Source:** docker/cli `cli/compose/loader/volume.go`.
 */
import type { ComplaintCollector } from '../complaint.js';
import { isWindowsAbsolute, resolvePath } from '../text/file-path.js';
import type { Cursor } from './cursor.js';
import type { ComposeMount } from './model.js';

/** The parts of a short form. `unknown` are options that nothing is done with. */
export interface ShortVolume {
  readonly type: 'volume' | 'bind';
  readonly source: string;
  readonly target: string;
  readonly isReadOnly: boolean;
  readonly hasNoCopy?: boolean;
  readonly propagation?: string;
  readonly unknown: readonly string[];
}

const PROPAGATIONS = new Set(['rprivate', 'private', 'rshared', 'shared', 'rslave', 'slave']);

/** Reads the short form of a mount, without knowing the platform; or says what is wrong. */
export function parseShortVolume(text: string): ShortVolume | { readonly fault: string } {
  if (text === '') return { fault: 'an empty text is not a mount' };
  if (text.length <= 2) return volumeOf('', text, undefined);
  const sections = splitSections(text);
  if (sections.includes('')) return { fault: `empty section between colons in '${text}'` };
  if (sections.length > 3) return { fault: `too many colons in '${text}'` };
  const [first = '', second, options] = sections;
  return second === undefined ? volumeOf('', first, undefined) : volumeOf(first, second, options);
}

/** Splits at colons, but not at the one after a drive letter. */
function splitSections(text: string): readonly string[] {
  const sections: string[] = [];
  let current = '';
  for (const char of text) {
    if (char === ':' && !/^\p{L}$/u.test(current)) {
      sections.push(current);
      current = '';
    } else {
      current += char;
    }
  }
  sections.push(current);
  return sections;
}

function volumeOf(source: string, target: string, options: string | undefined): ShortVolume {
  let isReadOnly = false;
  let hasNoCopy: boolean | undefined;
  let propagation: string | undefined;
  const unknown: string[] = [];
  for (const option of options?.split(',') ?? []) {
    if (option === 'ro' || option === 'rw') isReadOnly = option === 'ro';
    else if (option === 'nocopy') hasNoCopy = true;
    else if (PROPAGATIONS.has(option)) propagation = option;
    else unknown.push(option);
  }
  return {
    type: source !== '' && isFilePath(source) ? 'bind' : 'volume',
    source,
    target,
    isReadOnly,
    ...(hasNoCopy === undefined ? {} : { hasNoCopy }),
    ...(propagation === undefined ? {} : { propagation }),
    unknown,
  };
}

function isFilePath(source: string): boolean {
  if (/^[./~]/.test(source)) return true;
  return source.startsWith('\\\\') || /^\p{L}:/u.test(source);
}

/** What paths are resolved against. */
export interface PathContext {
  readonly workingDirectory: string;
  /** Undefined where no home is known: `~` stays. */
  readonly homeDirectory: string | undefined;
}

/** All mounts of a service, with bind sources made absolute. */
export function readMounts(
  service: Cursor,
  paths: PathContext,
  complaints: ComplaintCollector,
): readonly ComposeMount[] {
  return (service.get('volumes')?.items() ?? []).flatMap((item) => {
    const mount = item.node.type === 'mapping' ? readLong(item) : readShort(item, complaints);
    return mount === undefined ? [] : resolveSource(mount, item, paths, complaints);
  });
}

function readShort(item: Cursor, complaints: ComplaintCollector): ComposeMount | undefined {
  const { place } = item;
  const parsed = parseShortVolume(item.scalar);
  if ('fault' in parsed) {
    const hint = 'write [source:]target[:options], such as data:/var/lib/data:ro';
    complaints.error('invalid-volume', place, parsed.fault, hint);
    return undefined;
  }
  if (parsed.source === '' && /^[A-Za-z]:\//.test(parsed.target)) {
    const message = `'${item.scalar}' is read as a path on a drive, not as a volume of that name`;
    complaints.warn('invalid-volume', place, message, 'give the volume a name of two letters');
  }
  for (const option of parsed.unknown) {
    complaints.warn('ignored-option', place, `the mount option '${option}' is not acted on`);
  }
  return {
    type: parsed.type,
    source: parsed.source,
    target: parsed.target,
    isReadOnly: parsed.isReadOnly,
    consistency: '',
    ...(parsed.propagation === undefined ? {} : { bind: { propagation: parsed.propagation } }),
    ...(parsed.hasNoCopy ? { volume: { hasNoCopy: true, subpath: '' } } : {}),
    hasClusterOptions: false,
    place,
  };
}

function readLong(item: Cursor): ComposeMount {
  const bind = item.get('bind');
  const volume = item.get('volume');
  const tmpfs = item.get('tmpfs');
  const mode = tmpfs?.number('mode');
  return {
    type: item.text('type'),
    source: item.text('source'),
    target: item.text('target'),
    isReadOnly: item.flag('read_only') ?? false,
    consistency: item.text('consistency'),
    ...(bind ? { bind: { propagation: bind.text('propagation') } } : {}),
    ...(volume
      ? { volume: { hasNoCopy: volume.flag('nocopy') ?? false, subpath: volume.text('subpath') } }
      : {}),
    ...(tmpfs
      ? {
          tmpfs: {
            sizeBytes: tmpfs.number('size') ?? 0,
            ...(mode === undefined ? {} : { mode }),
          },
        }
      : {}),
    hasClusterOptions: item.get('cluster') !== undefined,
    place: item.place,
  };
}

function resolveSource(
  mount: ComposeMount,
  item: Cursor,
  paths: PathContext,
  complaints: ComplaintCollector,
): readonly ComposeMount[] {
  if (mount.type !== 'bind') return [mount];
  if (mount.source === '') {
    const hint = 'name the path on the host with source';
    complaints.error('invalid-volume', item.place, 'a bind mount needs a source', hint);
    return [];
  }
  const atHome = expandHome(mount.source, paths, item, complaints);
  if (atHome !== undefined) return [{ ...mount, source: atHome }];
  const { source } = mount;
  const isAbsolute = source.startsWith('/') || isWindowsAbsolute(source);
  return [{ ...mount, source: isAbsolute ? source : resolvePath(paths.workingDirectory, source) }];
}

/** The source with `~` replaced, which is taken to be absolute; undefined when there is none. */
function expandHome(
  source: string,
  paths: PathContext,
  item: Cursor,
  complaints: ComplaintCollector,
): string | undefined {
  if (!source.startsWith('~')) return undefined;
  if (paths.homeDirectory === undefined) {
    const hint = 'set HOME, or write the whole path';
    complaints.warn(
      'unset-variable',
      item.place,
      "'~' stays, for no home directory is known",
      hint,
    );
    return undefined;
  }
  return paths.homeDirectory + source.slice(1);
}
