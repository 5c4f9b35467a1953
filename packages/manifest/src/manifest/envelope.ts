/**
 * Our own manifest form: `apiVersion`, `kind`, `metadata`, `spec`.
 */
import type { AnyKind, Labels } from '@skep/api';
import type { ComplaintCollector, PathStep, Place } from '../complaint.js';
import { nearestName } from '../text/nearest-name.js';
import { childOf, plainValue, type MappingNode, type YamlDocument } from '../yaml/tree.js';
import type { LoadedObject } from './objects.js';

/** The version of the form that is written in `apiVersion`. */
export const API_VERSION = 'skep/v1';

const TOP_FIELDS = ['apiVersion', 'kind', 'metadata', 'spec'];
const METADATA_FIELDS = ['name', 'labels', 'annotations'];

/** Whether a document is meant to be of our form. */
export function isManifest(document: YamlDocument): boolean {
  return document.has(['apiVersion']) || document.has(['kind']);
}

/** An object and its kind, the spec not yet checked. */
export interface EnvelopedObject {
  readonly object: LoadedObject;
  readonly kind: AnyKind;
}

/** Reads the frame of an object. Undefined after a complaint that leaves no object. */
export function readEnvelope(
  document: YamlDocument,
  kinds: readonly AnyKind[],
  complaints: ComplaintCollector,
): EnvelopedObject | undefined {
  const { root } = document;
  if (root.type !== 'mapping') {
    const message = 'the document is not a mapping';
    complaints.error('not-a-mapping', document.locate([]), message, TOP_FIELDS.join(', '));
    return undefined;
  }
  checkFields(document, root, [], TOP_FIELDS, complaints);
  const isVersionRight = checkVersion(document, complaints);
  const kind = readKind(document, kinds, complaints);
  const metadata = childOf(root, 'metadata');
  const name = readName(document, complaints);
  if (metadata?.type === 'mapping') {
    checkFields(document, metadata, ['metadata'], METADATA_FIELDS, complaints);
  }
  const labels = readLabels(document, 'labels', complaints);
  const annotations = readLabels(document, 'annotations', complaints);
  if (!isVersionRight || kind === undefined || name === undefined) return undefined;
  const spec = childOf(root, 'spec');
  const locate = (steps: readonly PathStep[], part?: 'value' | 'key'): Place =>
    part === 'key' ? document.locateKey(['spec', ...steps]) : document.locate(['spec', ...steps]);
  const object: LoadedObject = {
    kind: kind.name,
    name,
    labels: labels ?? {},
    ...(annotations ? { annotations } : {}),
    spec: spec === undefined ? {} : plainValue(spec),
    place: document.locate([]),
    locate,
  };
  return { object, kind };
}

function checkFields(
  document: YamlDocument,
  mapping: MappingNode,
  steps: readonly PathStep[],
  allowed: readonly string[],
  complaints: ComplaintCollector,
): void {
  for (const [key, { keyAt }] of mapping.entries) {
    if (allowed.includes(key)) continue;
    const nearest = nearestName(key, allowed);
    const hint =
      nearest === undefined ? `allowed: ${allowed.join(', ')}` : `did you mean ${nearest}?`;
    const place = document.placeAt(keyAt, [...steps, key]);
    complaints.error('unknown-field', place, `the field ${key} is not allowed here`, hint);
  }
}

function scalarAt(document: YamlDocument, steps: readonly string[]): string | undefined {
  const node = steps.reduce<ReturnType<typeof childOf>>(
    (inner, step) => inner && childOf(inner, step),
    document.root,
  );
  return node?.type === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
}

function checkVersion(document: YamlDocument, complaints: ComplaintCollector): boolean {
  const version = scalarAt(document, ['apiVersion']);
  if (version === API_VERSION) return true;
  const hint = `write apiVersion: ${API_VERSION}`;
  const place = document.locate(['apiVersion']);
  if (document.has(['apiVersion'])) {
    const message = `the version ${version ?? 'given'} of the form is not supported`;
    complaints.error('unsupported-version', place, message, hint);
  } else {
    complaints.error('missing-field', place, 'apiVersion is required', hint);
  }
  return false;
}

function readKind(
  document: YamlDocument,
  kinds: readonly AnyKind[],
  complaints: ComplaintCollector,
): AnyKind | undefined {
  const name = scalarAt(document, ['kind']);
  const place = document.locate(['kind']);
  if (name === undefined) {
    const message = document.has(['kind']) ? 'kind must be a string' : 'kind is required';
    const code = document.has(['kind']) ? 'invalid-type' : 'missing-field';
    complaints.error(code, place, message, 'such as kind: Service');
    return undefined;
  }
  const kind = kinds.find((candidate) => candidate.name === name);
  if (kind) return kind;
  const names = kinds.map((candidate) => candidate.name);
  const nearest = nearestName(name, names);
  const hint =
    nearest === undefined ? `known: ${[...names].sort().join(', ')}` : `did you mean ${nearest}?`;
  complaints.error('unknown-kind', place, `the kind ${name} is not known`, hint);
  return undefined;
}

function readName(document: YamlDocument, complaints: ComplaintCollector): string | undefined {
  const name = scalarAt(document, ['metadata', 'name']);
  if (name !== undefined && name !== '') return name;
  const steps = ['metadata', 'name'];
  const place = document.locate(steps);
  if (document.has(steps)) {
    const hint = 'write a text; put numbers in quotes';
    complaints.error('invalid-type', place, 'the name must be a string that is not empty', hint);
  } else {
    complaints.error('missing-field', place, 'metadata.name is required', 'add metadata.name');
  }
  return undefined;
}

function readLabels(
  document: YamlDocument,
  field: 'labels' | 'annotations',
  complaints: ComplaintCollector,
): Labels | undefined {
  const metadata = childOf(document.root, 'metadata');
  const node = metadata && childOf(metadata, field);
  if (node === undefined) return undefined;
  const steps = ['metadata', field];
  if (node.type !== 'mapping') {
    const message = `${field} must be a mapping`;
    complaints.error('invalid-type', document.placeOf(node, steps), message, 'write key: value');
    return undefined;
  }
  const pairs: [string, string][] = [];
  for (const [key, { value }] of node.entries) {
    if (value.type === 'scalar' && typeof value.value === 'string') {
      pairs.push([key, value.value]);
    } else {
      const place = document.placeOf(value, [...steps, key]);
      complaints.error('invalid-type', place, `${key} must be a string`, 'put it in quotes');
    }
  }
  return Object.fromEntries(pairs);
}
