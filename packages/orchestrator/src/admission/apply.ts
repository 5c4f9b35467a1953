/**
 * Applying a set of declared objects: all or nothing.
 *
 * **Source:** docker/cli cli/command/stack/swarm/deploy_composefile.go for what a stack does; the
 * order of kinds and the one verdict about all of them are ours. Kubernetes server-side apply for
 * who owns which field.
 */
import {
  Service,
  compareText,
  isDeleting,
  isEqual,
  newObject,
  type AnyKind,
  type FieldManagers,
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
  objectsMeant,
  refused,
  type AdmissionPlan,
  type AdmissionResult,
  type DeclaredObject,
} from './declared-objects.js';
import { checkForm } from './form.js';
import { DEFAULT_MANAGER, allFields, conflictComplaint, declaredOver } from './managed-spec.js';
import { resolveFiles } from './references.js';

/** How a set is applied. */
export interface ApplyOptions {
  /** Makes the ids of new objects. */
  readonly ids: IdSource;
  /** Removes services with this stack label (see {@link STACK_LABEL}) that are not in the set. */
  readonly prune?: string;
  /** Who declares: the fields that the set mentions are this manager's. Default: `user`. */
  readonly manager?: string;
  /** Takes fields over that other managers have set to something else. Default: false. */
  readonly force?: boolean;
}

/**
 * The changes that make the declared objects be as declared. Of an object that exists, the manager
 * owns the fields that it mentions: what it mentioned before and does not any more is removed,
 * unless another manager owns it, too; fields of others stay; one that another has set to something
 * else is a complaint (`conflict`) that names them, unless `force`. Labels and annotations are
 * replaced as a whole. References to secrets and configs are resolved by name, within the set as
 * well; specs of kinds with a schema are checked by it.
 *
 * Pure but for the ids it draws: one for each object that is created without one, in order. Either
 * there are complaints, all of them, or changes.
 * Cost: O(set), and O(services) where ports are published.
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
  const complaints: AdmissionComplaint[] = [];
  for (const entry of ordered(declared)) {
    const [existing] = objectsMeant(view, entry);
    const draft = draftOf(entry, { view, made, existing, options });
    complaints.push(...draft.complaints);
    if (draft.made === undefined) continue;
    const { object, change } = draft.made;
    if (change !== undefined) changes.push(change);
    made.push(object);
    results.push(resultOf(change?.type ?? 'unchanged', object));
  }
  for (const service of pruned(view, made, options.prune)) {
    const { id, version } = service.meta;
    changes.push({ type: 'delete', kind: Service.name, id, version });
    results.push(resultOf('delete', service));
  }
  complaints.push(...admitAll(view, changes));
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

/** One object of the set as it will be. */
interface Draft {
  /** Absent: it cannot even be made. */
  readonly made?: MadeObject;
  readonly complaints: readonly AdmissionComplaint[];
}

interface MadeObject {
  readonly object: StoredObject;
  /** Absent: it is so already. */
  readonly change?: Change & { readonly type: 'create' | 'update' };
}

interface DraftContext {
  readonly view: View;
  /** What the set made so far. */
  readonly made: readonly StoredObject[];
  readonly existing: StoredObject | undefined;
  readonly options: ApplyOptions;
}

function draftOf(declared: DeclaredObject, context: DraftContext): Draft {
  const { existing, options } = context;
  const { manager = DEFAULT_MANAGER, force = false } = options;
  const spec = resolvedSpec(declared, context);
  const merged =
    existing === undefined
      ? { spec, managers: allFields(spec, manager), conflicts: [] }
      : declaredOver(existing, { manager, spec, force });
  const { kind, name } = declared;
  const complaints = merged.conflicts.map((conflict) =>
    conflictComplaint({ kind: kind.name, name }, conflict),
  );
  const formed = checkForm(kind, merged.spec);
  if ('faults' in formed) {
    const faults = formed.faults.map(({ code = 'invalid-argument', ...fault }) => {
      return { code, kind: kind.name, name, ...fault };
    });
    return { complaints: [...complaints, ...faults] };
  }
  const next = { spec: withDefaults(kind, formed.spec), managers: merged.managers };
  const made =
    existing === undefined
      ? createdObject(declared, next, options.ids)
      : updatedObject(declared, next, { existing, manager });
  return { made, complaints };
}

interface Wanted {
  readonly spec: unknown;
  readonly managers: FieldManagers;
}

function createdObject(
  { kind, id, name, labels = {}, annotations, owners }: DeclaredObject,
  { spec, managers }: Wanted,
  ids: IdSource,
): MadeObject {
  const object = newObject(anyKind(kind), {
    id: id ?? ids.next(),
    name,
    labels,
    ...(annotations === undefined ? {} : { annotations }),
    ...(owners === undefined ? {} : { owners }),
    finalizers: finalizersOf(kind.name),
    managers,
    spec,
  });
  return { object, change: { type: 'create', object } };
}

function updatedObject(
  { labels = {}, annotations, owners }: DeclaredObject,
  { spec, managers }: Wanted,
  { existing, manager }: { readonly existing: StoredObject; readonly manager: string },
): MadeObject {
  const isSame =
    isEqual(existing.spec, spec) &&
    isEqual(existing.meta.labels, labels) &&
    isEqual(existing.meta.annotations ?? {}, annotations ?? {}) &&
    isEqual(existing.meta.owners, owners ?? existing.meta.owners);
  // An object that is the user's as a whole does not have to be told so.
  const isKnown = existing.meta.managers === undefined && manager === DEFAULT_MANAGER;
  if (isSame && (isKnown || isEqual(existing.meta.managers, managers))) return { object: existing };
  const { annotations: _, ...meta } = existing.meta;
  const told = annotations === undefined ? {} : { annotations };
  const belonging = owners === undefined ? {} : { owners };
  const next = { ...existing, spec, meta: { ...meta, labels, managers, ...told, ...belonging } };
  const object = withHistory(existing, next);
  return { object, change: { type: 'update', object } };
}

function withDefaults(kind: AnyKind, spec: unknown): unknown {
  const { defaults } = anyKind(kind);
  return defaults === undefined ? spec : defaults(spec);
}

/** A service remembers the spec that is replaced, even if nobody had acted on it yet. */
export function withHistory(existing: StoredObject, next: StoredObject): StoredObject {
  if (existing.kind !== Service.name || isEqual(existing.spec, next.spec)) return next;
  const history = recordRevision(existing as Service);
  return { ...next, status: { ...(next as Service).status, history } };
}

function resolvedSpec(
  { kind, spec }: DeclaredObject,
  scope: Pick<DraftContext, 'view' | 'made' | 'existing'>,
): unknown {
  if (kind.name !== Service.name) return spec;
  const resolved = resolveFiles(spec as ServiceSpec, scope);
  // How often tasks were replaced by force is no part of a declaration: to forget it would replace
  // them again.
  const forced = (scope.existing as Service | undefined)?.spec.task.forceUpdate;
  if (forced === undefined || resolved.task.forceUpdate !== undefined) return resolved;
  return { ...resolved, task: { ...resolved.task, forceUpdate: forced } };
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
    const [existing, ...others] = objectsMeant(view, entry);
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
