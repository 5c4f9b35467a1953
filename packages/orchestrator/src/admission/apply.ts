/**
 * Applying a set of declared objects: all or nothing.
 *
 * **Source:** docker/cli cli/command/stack/swarm/deploy_composefile.go for what a stack does; the
 * order of kinds and the one verdict about all of them are ours.
 */
import {
  Service,
  compareText,
  isDeleting,
  isEqual,
  newObject,
  type AnyKind,
  type IdSource,
  type ServiceSpec,
  type StoredObject,
} from '@skep/api';
import type { Change, View } from '@skep/store';
import { recordRevision } from '../service/history.js';
import { admitAll } from './admit.js';
import type { AdmissionComplaint } from './complaint.js';
import {
  STACK_LABEL,
  anyKind,
  finalizersOf,
  objectsNamed,
  refused,
  type AdmissionPlan,
  type AdmissionResult,
  type DeclaredObject,
} from './declared-objects.js';
import { resolveFiles } from './references.js';

/** How a set is applied. */
export interface ApplyOptions {
  /** Makes the ids of new objects. */
  readonly ids: IdSource;
  /** Removes services with this stack label (see {@link STACK_LABEL}) that are not in the set. */
  readonly prune?: string;
}

/** What is declared for one object, and what is there. */
interface Pairing {
  readonly declared: DeclaredObject;
  readonly spec: unknown;
  readonly existing: StoredObject | undefined;
}

/**
 * The changes that make the declared objects be as declared. An object that exists under the name
 * is given the spec, the labels and the annotations of the declaration as a whole; references to
 * secrets and configs are resolved by name, within the set as well.
 *
 * Pure but for the ids it draws: one for each object that is created, in order. Either there are
 * complaints, all of them, or changes. Cost: O(set), and O(services) where ports are published.
 */
export function planApply(
  view: View,
  declared: readonly DeclaredObject[],
  options: ApplyOptions,
): AdmissionPlan {
  const doubts = [...duplicates(declared), ...ambiguities(view, declared)];
  if (doubts.length > 0) return refused(...doubts);
  const changes: Change[] = [];
  const results: AdmissionResult[] = [];
  const made: StoredObject[] = [];
  for (const entry of ordered(declared)) {
    const existing = objectsNamed(view, entry.kind, entry.name)[0];
    const spec = resolvedSpec(entry, { view, made });
    const pairing: Pairing = { declared: entry, spec, existing };
    const change = changeFor(pairing, options.ids);
    const object = change === undefined ? existing : change.object;
    if (object === undefined) continue;
    if (change !== undefined) changes.push(change);
    made.push(object);
    results.push(resultOf(change?.type ?? 'unchanged', object));
  }
  for (const service of pruned(view, made, options.prune)) {
    const { id, version } = service.meta;
    changes.push({ type: 'delete', kind: Service.name, id, version });
    results.push(resultOf('delete', service));
  }
  const complaints = admitAll(view, changes);
  return complaints.length > 0 ? refused(...complaints) : { complaints, changes, results };
}

/** What is needed first comes first; services last. */
const ORDER: readonly string[] = ['Cluster', 'Node', 'Network', 'Secret', 'Config', 'Volume'];

function ordered(declared: readonly DeclaredObject[]): readonly DeclaredObject[] {
  const rank = ({ kind }: DeclaredObject): number => {
    const at = ORDER.indexOf(kind.name);
    if (at >= 0) return at;
    return kind.name === Service.name ? ORDER.length + 1 : ORDER.length;
  };
  // Stable: within a kind the writer's order stays.
  return [...declared].sort((a, b) => rank(a) - rank(b));
}

function changeFor(
  { declared, spec, existing }: Pairing,
  ids: IdSource,
): (Change & { readonly type: 'create' | 'update' }) | undefined {
  const { kind, name, labels = {}, annotations } = declared;
  if (existing === undefined) {
    const object = newObject(anyKind(kind), {
      id: ids.next(),
      name,
      labels,
      ...(annotations === undefined ? {} : { annotations }),
      finalizers: finalizersOf(kind.name),
      spec,
    });
    return { type: 'create', object };
  }
  const isSame =
    isEqual(existing.spec, spec) &&
    isEqual(existing.meta.labels, labels) &&
    isEqual(existing.meta.annotations ?? {}, annotations ?? {});
  if (isSame) return undefined;
  const { annotations: _, ...meta } = existing.meta;
  const told = annotations === undefined ? {} : { annotations };
  const object = { ...existing, spec, meta: { ...meta, labels, ...told } };
  return { type: 'update', object: withHistory(existing, object) };
}

/** A service remembers the spec that is replaced, even if nobody had acted on it yet. */
export function withHistory(existing: StoredObject, next: StoredObject): StoredObject {
  if (existing.kind !== Service.name || isEqual(existing.spec, next.spec)) return next;
  const history = recordRevision(existing as Service);
  return { ...next, status: { ...(next as Service).status, history } };
}

function resolvedSpec(
  declared: DeclaredObject,
  scope: { readonly view: View; readonly made: readonly StoredObject[] },
): unknown {
  const { kind } = declared;
  const defaults = anyKind(kind).defaults;
  const spec = defaults === undefined ? declared.spec : defaults(declared.spec);
  return kind.name === Service.name ? resolveFiles(spec as ServiceSpec, scope) : spec;
}

function resultOf(action: AdmissionResult['action'], object: StoredObject): AdmissionResult {
  return { action, kind: object.kind, name: object.meta.name, id: object.meta.id };
}

function pruned(
  view: View,
  made: readonly StoredObject[],
  stack: string | undefined,
): readonly Service[] {
  if (stack === undefined) return [];
  const kept = new Set(made.map((object) => object.meta.id));
  return view
    .list(Service)
    .filter(({ meta }) => meta.labels[STACK_LABEL] === stack && !kept.has(meta.id))
    .sort((a, b) => compareText(a.meta.name, b.meta.name));
}

function duplicates(declared: readonly DeclaredObject[]): readonly AdmissionComplaint[] {
  const seen = new Set<string>();
  return declared.flatMap((entry) => {
    const key = `${entry.kind.name}/${entry.name.toLowerCase()}`;
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [
      complaintAbout(entry, {
        message: 'it is declared twice',
        hint: 'declare each object once',
      }),
    ];
  });
}

/** Names that mean several objects, or one that is going: it must not be taken for the declared. */
function ambiguities(
  view: View,
  declared: readonly DeclaredObject[],
): readonly AdmissionComplaint[] {
  return declared.flatMap((entry) => {
    const [existing, ...others] = objectsNamed(view, entry.kind, entry.name);
    if (others.length > 0) {
      const message = `${others.length + 1} objects have this name`;
      return [complaintAbout(entry, { message, hint: 'rename the others' })];
    }
    if (existing === undefined || !isDeleting(existing)) return [];
    const message = 'an object with this name is being removed';
    const words = { message, hint: 'wait until it is gone, then declare it again' };
    return [{ ...complaintAbout(entry, words), code: 'failed-precondition' as const }];
  });
}

function complaintAbout(
  { kind, name }: { readonly kind: AnyKind; readonly name: string },
  words: { readonly message: string; readonly hint: string },
): AdmissionComplaint {
  return { code: 'invalid-argument', kind: kind.name, name, field: 'meta.name', ...words };
}
