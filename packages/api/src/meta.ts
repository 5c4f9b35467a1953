/**
 * What every object in the store has in common: identity, version, labels, ownership.
 */

/**
 * The number of a commit. The version of an object *is* the revision of the commit that wrote it.
 */
export type Revision = number;

/**
 * Identity of a stored object: 25 characters of base 36 when made by {@link IdSource} or
 * `deriveId`.
 */
export type ObjectId = string;

declare const brand: unique symbol;
type Branded<Name extends string> = ObjectId & { readonly [brand]?: Name };

/** Identity of a {@link Node}. */
export type NodeId = Branded<'Node'>;
/** Identity of a {@link Service}. */
export type ServiceId = Branded<'Service'>;
/** Identity of a {@link Task}. */
export type TaskId = Branded<'Task'>;
/** Identity of a {@link Network}. */
export type NetworkId = Branded<'Network'>;

/** Milliseconds since the epoch, by the manager's clock. */
export type Timestamp = number;

/** String pairs that users attach to objects and select by. */
export type Labels = Readonly<Record<string, string>>;

/**
 * Says that one object belongs to another.
 * When `isController` is set, the owner's controller manages the object.
 */
export interface OwnerReference {
  readonly kind: string;
  readonly id: ObjectId;
  readonly isController?: boolean;
  /** The owner may not disappear before this object has, when it is deleted in the foreground. */
  readonly blocksOwnerDeletion?: boolean;
}

/**
 * Which manager set which fields of a spec: manager name → field paths (`task.container.image`).
 * **Source:** Kubernetes server-side apply, `metadata.managedFields`.
 */
export type FieldManagers = Readonly<Record<string, readonly string[]>>;

/** The part of an object that the store keeps, not its writer. */
export interface Meta {
  readonly id: ObjectId;
  /** Unique within a kind, compared without case, for kinds that say so. */
  readonly name: string;
  readonly labels: Labels;
  /** Free text pairs for tools; never selected by. */
  readonly annotations?: Labels;
  /** Revision of the commit that wrote this version; 0 before the first write. */
  readonly version: Revision;
  /** Counts the changes of `spec`; starts at 1. */
  readonly generation: number;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
  /** Set once deletion was asked for while finalizers were present. Never unset. */
  readonly deletionRequestedAt?: Timestamp;
  /** Names of controllers that still have to clean up before the object may disappear. */
  readonly finalizers: readonly string[];
  readonly owners: readonly OwnerReference[];
  readonly managers?: FieldManagers;
}

/** One observed fact about an object, in Kubernetes' form. */
export interface Condition {
  /** CamelCase noun, such as `Allocated` or `Scheduled`. */
  readonly type: string;
  readonly status: 'true' | 'false' | 'unknown';
  /** Machine-readable code of the cause, such as `AddressesExhausted`. */
  readonly reason: string;
  readonly message: string;
  /** When `status` last changed. */
  readonly since: Timestamp;
  readonly observedGeneration?: number;
}

/**
 * An object of the store. Deeply readonly: change it by building a new one.
 * `spec` is what is wanted, `status` what is.
 */
export interface StoredObject<Spec = unknown, Status = unknown> {
  readonly kind: string;
  readonly meta: Meta;
  readonly spec: Spec;
  readonly status: Status;
}

const NO_LABELS: Labels = Object.freeze({});
const NO_FINALIZERS: readonly string[] = Object.freeze([] as string[]);
const NO_OWNERS: readonly OwnerReference[] = Object.freeze([] as OwnerReference[]);

/** What a writer says about the identity of a new object; the rest of {@link Meta} has defaults. */
export interface NewMeta {
  readonly id: ObjectId;
  readonly name?: string;
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly finalizers?: readonly string[];
  readonly owners?: readonly OwnerReference[];
  readonly managers?: FieldManagers;
}

/**
 * Meta of an object that was not written yet: version 0, generation 1, times 0.
 * The store stamps version, generation and times at the commit.
 */
export function newMeta(input: NewMeta): Meta {
  return {
    id: input.id,
    name: input.name ?? '',
    labels: input.labels ?? NO_LABELS,
    ...(input.annotations ? { annotations: input.annotations } : {}),
    version: 0,
    generation: 1,
    createdAt: 0,
    updatedAt: 0,
    finalizers: input.finalizers ?? NO_FINALIZERS,
    owners: input.owners ?? NO_OWNERS,
    ...(input.managers ? { managers: input.managers } : {}),
  };
}

/** Whether deletion was asked for; the object lives on until its finalizers are gone. */
export function isDeleting(object: StoredObject): boolean {
  return object.meta.deletionRequestedAt !== undefined;
}
