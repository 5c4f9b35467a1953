/**
 * Loads files of either form, compose or ours, into objects.
 */
import { compareBy, compareText, type AnyKind } from '@skep/api';
import { ComplaintCollector, type Complaint } from '../complaint.js';
import { loadComposeDocuments, type ComposeOptions } from '../compose/loader.js';
import type { ComposeConfig } from '../compose/model.js';
import type { ExternalObjects } from '../convert/convert.js';
import { toSpecs } from '../convert/to-specs.js';
import { MANIFEST_KINDS } from '../kinds/built-in.js';
import { checkPortConflicts } from '../validate/port-conflicts.js';
import { checkExternals, checkReferences } from '../validate/references.js';
import { checkForm, judgeObject } from '../validate/validate.js';
import { readDocuments } from '../yaml/documents.js';
import { READ_LIMITS, type SourceFile } from '../yaml/source.js';
import type { YamlDocument } from '../yaml/tree.js';
import { isManifest, readEnvelope } from './envelope.js';
import type { LoadedObject } from './objects.js';

/** How files are loaded. */
export interface ManifestOptions extends ComposeOptions {
  /** Kinds that may be written in our form. Default: the built-in ones. */
  readonly kinds?: readonly AnyKind[];
  /** Name of the stack for compose files. Default: none; names stay bare. */
  readonly stack?: string;
  /**
   * `manager` (default) also refuses what a manager would; `client` takes what the Docker client
   * takes.
   */
  readonly validate?: 'manager' | 'client';
  /** Names of objects that exist already. Default: unknown; missing ones give warnings. */
  readonly existing?: Partial<ExternalObjects>;
}

/** What was loaded. */
export interface LoadedManifests {
  /** Sorted by kind, then name; empty when a complaint is an error. */
  readonly objects: readonly LoadedObject[];
  /** What compose files declare as external. */
  readonly externals: ExternalObjects;
  /** The merged stack of the compose files among them. */
  readonly compose?: ComposeConfig;
  readonly complaints: readonly Complaint[];
}

const NO_EXTERNALS: ExternalObjects = { networks: [], volumes: [], secrets: [], configs: [] };

const compareObjects = compareBy<LoadedObject>(
  (a, b) => compareText(a.kind, b.kind),
  (a, b) => compareText(a.name, b.name),
);

/**
 * Loads files. Each document is recognised by itself: one with `apiVersion` or `kind` is of our
 * form,
 * any other is a compose file; all compose files together are one stack, later ones over earlier
 * ones. Never throws on account of the input.
 */
export function loadManifests(
  files: readonly SourceFile[],
  options: ManifestOptions = {},
): LoadedManifests {
  const complaints = new ComplaintCollector();
  const limits = { ...READ_LIMITS, ...options.limits };
  const documents = files.flatMap((file) =>
    composeFirst(readDocuments(file, limits, complaints), complaints),
  );
  const [manifests, composes] = [
    documents.filter(isManifest),
    documents.filter((document) => !isManifest(document)),
  ];
  const own = readManifests(manifests, options, complaints);
  const stack = readStack(composes, options, complaints);
  const objects = [...own, ...stack.objects].sort(compareObjects);
  checkUnique(objects, options.kinds ?? MANIFEST_KINDS, complaints);
  if (options.validate !== 'client') {
    for (const object of objects) judgeObject(object, complaints);
    checkPortConflicts(objects, complaints);
  }
  checkReferences(own, objects, options.existing, complaints);
  if (stack.compose && options.existing) {
    checkExternals(stack.compose, stack.externals, options.existing, complaints);
  }
  return {
    objects: complaints.errorCount > 0 ? [] : objects,
    externals: stack.externals,
    ...(stack.compose ? { compose: stack.compose } : {}),
    complaints: complaints.list(),
  };
}

/** Of several compose documents in one file only the first counts, as for the Docker client. */
function composeFirst(
  documents: readonly YamlDocument[],
  complaints: ComplaintCollector,
): readonly YamlDocument[] {
  const composes = documents.filter((document) => !isManifest(document));
  for (const document of composes.slice(1)) {
    const hint = 'put it into a file of its own';
    const message = 'only the first compose document of a file is read';
    complaints.warn('extra-documents', document.locate([]), message, hint);
  }
  return documents.filter((document) => isManifest(document) || document === composes[0]);
}

function readManifests(
  documents: readonly YamlDocument[],
  options: ManifestOptions,
  complaints: ComplaintCollector,
): readonly LoadedObject[] {
  return documents.flatMap((document) => {
    const read = readEnvelope(document, options.kinds ?? MANIFEST_KINDS, complaints);
    if (read === undefined) return [];
    const spec = checkForm(read.object, read.kind, complaints);
    return spec === undefined ? [] : [{ ...read.object, spec }];
  });
}

interface ReadStack {
  readonly objects: readonly LoadedObject[];
  readonly externals: ExternalObjects;
  readonly compose?: ComposeConfig;
}

function readStack(
  documents: readonly YamlDocument[],
  options: ManifestOptions,
  complaints: ComplaintCollector,
): ReadStack {
  const nothing: ReadStack = { objects: [], externals: NO_EXTERNALS };
  if (documents.length === 0) return nothing;
  const compose = loadComposeDocuments(documents, options, complaints);
  if (compose === undefined) return nothing;
  const specs = toSpecs(compose, options);
  for (const { severity, code, message, hint, ...place } of specs.complaints) {
    complaints.add(severity, code, place, message, hint);
  }
  const isChecked = options.validate !== 'client';
  const objects = specs.objects.filter((object) => {
    const kind = MANIFEST_KINDS.find((candidate) => candidate.name === object.kind);
    return !isChecked || kind === undefined || checkForm(object, kind, complaints) !== undefined;
  });
  return { objects, externals: specs.externals, compose };
}

function checkUnique(
  objects: readonly LoadedObject[],
  kinds: readonly AnyKind[],
  complaints: ComplaintCollector,
): void {
  const seen = new Map<string, LoadedObject>();
  for (const object of objects) {
    const kind = kinds.find((candidate) => candidate.name === object.kind);
    if (kind?.hasUniqueName === false) continue;
    const key = `${object.kind}/${object.name.toLowerCase()}`;
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, object);
      continue;
    }
    const { path, line } = first.place;
    const message = `the ${object.kind} ${object.name} is declared in ${path}:${line} already`;
    complaints.error('duplicate-object', object.place, message, 'give it another name');
  }
}
