/**
 * Loads compose files: parse, fill in variables, check, read, merge.
 * **Source:** docker/cli `cli/compose/loader`, Load; `cli/command/stack/loader`.
 */
import type { Complaint, PathStep, Place } from '../complaint.js';
import { ComplaintCollector } from '../complaint.js';
import { directoryOf } from '../text/file-path.js';
import { scalarText } from '../yaml/scalar.js';
import { readDocuments } from '../yaml/documents.js';
import { READ_LIMITS, type ReadLimits, type SourceFile } from '../yaml/source.js';
import { childOf, type YamlDocument } from '../yaml/tree.js';
import { Cursor } from './cursor.js';
import { interpolate } from './interpolate.js';
import { mergeObjects, mergeServices } from './merge.js';
import type { ComposeConfig, ComposeService } from './model.js';
import { selectProfiles } from './profiles.js';
import { textReader, type FileSource, type MissingFiles } from './read-file.js';
import { readFileObjects, readNetworks, readVolumes } from './read-objects.js';
import { readService } from './read-service.js';
import { checkSchema } from './schema-check.js';
import { COMPOSE, NEWEST_MINOR } from './schema.js';
import { complainForbidden, warnIgnored } from './service-warnings.js';

/** How compose files are loaded. */
export interface ComposeOptions {
  /** Variables for `${…}` and for names without a value. Default: none. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What relative paths start from. Default: the folder of the first file. */
  readonly workingDirectory?: string;
  /** What `~` stands for. Default: the variable HOME. */
  readonly homeDirectory?: string;
  /**
   * Gives the files that are named by `env_file`, `secrets` and `configs`. Default: none exists.
   */
  readonly readFile?: FileSource;
  /** What becomes of files that cannot be read ({@link MissingFiles}). Default: `error`. */
  readonly missingFiles?: MissingFiles;
  /**
   * `compose` (default) also takes what the Compose specification has beyond `docker stack`;
   * `docker` refuses it, as the Docker client does.
   */
  readonly dialect?: 'compose' | 'docker';
  /** Names of the profiles whose services are wanted, besides those without a profile. */
  readonly profiles?: readonly string[];
  readonly limits?: Partial<ReadLimits>;
}

/** A loaded stack; `config` is absent when a complaint is an error. */
export interface LoadedCompose {
  readonly config?: ComposeConfig;
  readonly complaints: readonly Complaint[];
}

/**
 * Loads compose files, later ones over earlier ones. Never throws on account of the input: whatever
 * is wrong is a complaint. Cost O(size of the files).
 */
export function loadCompose(
  files: readonly SourceFile[],
  options: ComposeOptions = {},
): LoadedCompose {
  const complaints = new ComplaintCollector();
  const limits = { ...READ_LIMITS, ...options.limits };
  const documents = files.flatMap((file) =>
    readDocuments(file, limits, complaints, { first: true }),
  );
  if (files.length === 0) {
    const place = { path: '', line: 1, column: 1, field: '' };
    complaints.error('empty-file', place, 'no file was given', 'name a compose file');
  }
  const config = complaints.errorCount > 0 ? undefined : load(documents, options, complaints);
  return complaints.errorCount > 0 || config === undefined
    ? { complaints: complaints.list() }
    : { config, complaints: complaints.list() };
}

/** Loads compose documents that were parsed already. Undefined after a complaint. */
export function loadComposeDocuments(
  documents: readonly YamlDocument[],
  options: ComposeOptions,
  complaints: ComplaintCollector,
): ComposeConfig | undefined {
  return load(documents, options, complaints);
}

function load(
  documents: readonly YamlDocument[],
  options: ComposeOptions,
  complaints: ComplaintCollector,
): ComposeConfig | undefined {
  const errorsBefore = complaints.errorCount;
  const workingDirectory = options.workingDirectory ?? directoryOf(documents[0]?.path ?? '');
  const settings = { ...options, workingDirectory };
  const configs: ComposeConfig[] = [];
  const versions = new Map<string, YamlDocument>();
  for (const document of documents) {
    checkSameVersion(document, versions, complaints);
    const config = loadDocument(document, settings, complaints);
    if (config) configs.push(config);
  }
  const [first, ...rest] = configs;
  if (complaints.errorCount > errorsBefore || first === undefined) return undefined;
  return { ...rest.reduce(mergeConfigs, first), locate: (steps) => locateIn(documents, steps) };
}

/** The place of a field in the last file that has it, or has the most of the way to it. */
function locateIn(documents: readonly YamlDocument[], steps: readonly PathStep[]): Place {
  for (let length = steps.length; length >= 0; length -= 1) {
    const found = documents.findLast((document) => document.has(steps.slice(0, length)));
    if (found) return found.locate(steps);
  }
  return { path: '', line: 1, column: 1, field: '' };
}

/** The version that a file is read by: the newest where it says nothing, or only 3. */
function versionOf(document: YamlDocument): string {
  const node = childOf(document.root, 'version');
  const written = node?.type === 'scalar' ? scalarText(node.value) : '';
  return written === '' || written === '3' ? `3.${NEWEST_MINOR}` : written;
}

function checkSameVersion(
  document: YamlDocument,
  versions: Map<string, YamlDocument>,
  complaints: ComplaintCollector,
): void {
  const version = versionOf(document);
  const [earlier] = versions.keys();
  versions.set(version, document);
  if (earlier === undefined || earlier === version) return;
  const message = `version ${version} differs from ${earlier} of ${versions.get(earlier)?.path}`;
  const hint = 'give the same version in every file, or none';
  complaints.error('version-mismatch', document.locate(['version']), message, hint);
}

/** The minor of 3.x; undefined when the version is not supported (a complaint says so). */
function supportedMinor(
  document: YamlDocument,
  complaints: ComplaintCollector,
): number | undefined {
  const version = versionOf(document);
  const minor = /^3\.(0|[1-9]\d?)$/.exec(version)?.[1];
  if (minor !== undefined && Number(minor) <= NEWEST_MINOR) return Number(minor);
  const hint = `remove version, or use "3.0" to "3.${NEWEST_MINOR}"`;
  const message = `unsupported version of the compose format: ${version}`;
  complaints.error('unsupported-version', document.locate(['version']), message, hint);
  return undefined;
}

function loadDocument(
  raw: YamlDocument,
  settings: ComposeOptions & { readonly workingDirectory: string },
  complaints: ComplaintCollector,
): ComposeConfig | undefined {
  if (raw.root.type !== 'mapping') {
    const hint = 'a compose file begins with keys such as services:';
    complaints.error('not-a-mapping', raw.locate([]), 'the file is not a mapping', hint);
    return undefined;
  }
  const errorsBefore = complaints.errorCount;
  complainForbidden(raw, complaints);
  const environment = settings.environment ?? {};
  const lookup = (name: string): string | undefined =>
    Object.hasOwn(environment, name) ? environment[name] : undefined;
  const allowsBeyondDocker = settings.dialect !== 'docker';
  const document = interpolate({
    document: raw,
    lookup,
    allowsAlternative: allowsBeyondDocker,
    complaints,
  });
  const minor = supportedMinor(document, complaints);
  if (minor === undefined) return undefined;
  checkSchema(COMPOSE, { document, minor, allowsBeyondDocker, complaints });
  warnIgnored(raw, complaints);
  if (complaints.errorCount > errorsBefore) return undefined;
  const root = new Cursor(document, document.root, []);
  const context = {
    minor,
    workingDirectory: settings.workingDirectory,
    homeDirectory: settings.homeDirectory ?? lookup('HOME'),
    lookup,
    readText: textReader(settings),
    complaints,
  };
  const isWanted = selectProfiles(settings.profiles ?? [], complaints);
  const services: ComposeService[] = (root.get('services')?.entries() ?? [])
    .filter(([, service]) => isWanted(service))
    .map(([name, service]) => readService(name, service, context));
  const name = root.text('name');
  return {
    version: `3.${minor}`,
    ...(name === '' ? {} : { name }),
    services: mergeServices([], services),
    networks: readNetworks(root.get('networks'), context),
    volumes: readVolumes(root.get('volumes'), context),
    secrets: readFileObjects('secret', root.get('secrets'), context),
    configs: readFileObjects('config', root.get('configs'), context),
    workingDirectory: settings.workingDirectory,
    locate: (steps) => document.locate(steps),
  };
}

function mergeConfigs(base: ComposeConfig, override: ComposeConfig): ComposeConfig {
  const name = override.name ?? base.name;
  return {
    version: base.version,
    workingDirectory: base.workingDirectory,
    ...(name === undefined ? {} : { name }),
    services: mergeServices(base.services, override.services),
    networks: mergeObjects(base.networks, override.networks),
    volumes: mergeObjects(base.volumes, override.volumes),
    secrets: mergeObjects(base.secrets, override.secrets),
    configs: mergeObjects(base.configs, override.configs),
    locate: base.locate,
  };
}
