/**
 * Kind tokens: one value that makes a kind of object typed everywhere, built-in and custom alike.
 */
import { newMeta, type NewMeta, type StoredObject } from './meta.js';

/**
 * The part of the Standard Schema interface that skep uses; zod, valibot and others implement it.
 * **Source:** standardschema.dev, version 1.
 */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
  };
}

/** Outcome of a validation: a value, or issues with the path of the field each is about. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };

/** The keys under which an object is found in an index: none, one or several. */
export type IndexKeys = string | readonly string[] | undefined;

/** An index of a kind: from an object to the keys it is found under. Pure, and cheap. */
export type IndexFunction<Spec, Status> = (object: StoredObject<Spec, Status>) => IndexKeys;

/**
 * Token of a kind. `Spec` and `Status` are the types of its two halves.
 * Names are CamelCase singular (`Service`); every process that shares a store must agree on them.
 */
export interface Kind<Spec = unknown, Status = unknown> {
  readonly name: string;
  /** Lower-case plural for people and the CLI (`services`). */
  readonly plural: string;
  /** Whether two objects may not have the same name, compared without case. */
  readonly hasUniqueName: boolean;
  readonly indexes: Readonly<Record<string, IndexFunction<Spec, Status>>>;
  /**
   * Names of the indexes whose keys follow from the spec alone: a store does not ask them again
   * when only the status changes. An index that looks at anything else must not be named here.
   */
  readonly specIndexes: readonly string[];
  /** Status of an object that nobody has looked at yet. */
  readonly initialStatus: Status;
  /** Fills in the fields a writer of the spec left out. */
  readonly defaults?: (spec: Spec) => Spec;
  /** Validates a spec that comes from outside. */
  readonly schema?: StandardSchema<Spec>;
}

/** The object type of a kind token. */
export type ObjectOf<K> =
  K extends Kind<infer Spec, infer Status> ? StoredObject<Spec, Status> : never;

/** Any kind, when the types of its halves do not matter. */
// Index functions are contravariant in Spec and Status; `never` lets every kind fit.
export interface AnyKind extends Omit<Kind, 'indexes' | 'defaults' | 'schema'> {
  readonly indexes: Readonly<Record<string, (object: never) => IndexKeys>>;
  readonly defaults?: (spec: never) => unknown;
  readonly schema?: StandardSchema;
}

/** What {@link defineKind} takes: everything but name and initial status has a default. */
export interface KindDefinition<Spec, Status> {
  readonly name: string;
  /** Default: the lower-cased name with an `s`. */
  readonly plural?: string;
  /** Default: true. */
  readonly hasUniqueName?: boolean;
  readonly indexes?: Readonly<Record<string, IndexFunction<Spec, Status>>>;
  /** Default: none. See {@link Kind.specIndexes}. */
  readonly specIndexes?: readonly string[];
  readonly initialStatus: Status;
  readonly defaults?: (spec: Spec) => Spec;
  readonly schema?: StandardSchema<Spec>;
}

/** Makes the token of a kind. */
export function defineKind<Spec, Status>(
  definition: KindDefinition<Spec, Status>,
): Kind<Spec, Status> {
  return Object.freeze({
    ...definition,
    plural: definition.plural ?? `${definition.name.toLowerCase()}s`,
    hasUniqueName: definition.hasUniqueName ?? true,
    indexes: definition.indexes ?? {},
    specIndexes: definition.specIndexes ?? [],
  });
}

/** Chooses objects of a kind: all those found under `key` in the index `index`. */
export interface IndexSelector<Spec = unknown, Status = unknown> {
  readonly index: string;
  readonly key: string;
  /** Only for the compiler: the kind that the selector is for. */
  readonly of?: Kind<Spec, Status>;
}

/** Selector of all objects of `kind` under `key` in its index `index`. */
export function byIndex<Spec, Status>(
  kind: Kind<Spec, Status>,
  index: string,
  key: string,
): IndexSelector<Spec, Status> {
  return { index, key, of: kind };
}

/**
 * An index by owner, for the kinds of objects that controllers make: found by {@link byOwner}.
 * Service, Network, Secret, Config and Volume have it; give it to a kind of your own with
 * `indexes: { owner: ownerIndex }`.
 */
export function ownerIndex({ meta }: { readonly meta: StoredObject['meta'] }): readonly string[] {
  return meta.owners.map(({ id }) => id);
}

/** Selector of all objects of `kind` that belong to the object with this id. */
export function byOwner<Spec, Status>(
  kind: Kind<Spec, Status>,
  ownerId: string,
): IndexSelector<Spec, Status> {
  return byIndex(kind, 'owner', ownerId);
}

/** Builds an object of a kind that was not written yet (see {@link newMeta}). */
export function newObject<Spec, Status>(
  kind: Kind<Spec, Status>,
  input: NewMeta & { readonly spec: Spec; readonly status?: Status },
): StoredObject<Spec, Status> {
  return {
    kind: kind.name,
    meta: newMeta(input),
    spec: kind.defaults ? kind.defaults(input.spec) : input.spec,
    status: input.status ?? kind.initialStatus,
  };
}

/** A copy of the object with another status; everything else is shared. */
export function withStatus<Spec, Status>(
  object: StoredObject<Spec, Status>,
  status: Status,
): StoredObject<Spec, Status> {
  return { kind: object.kind, meta: object.meta, spec: object.spec, status };
}

/** A copy of the object with another spec; everything else is shared. */
export function withSpec<Spec, Status>(
  object: StoredObject<Spec, Status>,
  spec: Spec,
): StoredObject<Spec, Status> {
  return { kind: object.kind, meta: object.meta, spec, status: object.status };
}

/** A copy of the object with some fields of its meta replaced. */
export function withMeta<Spec, Status>(
  object: StoredObject<Spec, Status>,
  change: Partial<StoredObject['meta']>,
): StoredObject<Spec, Status> {
  return { ...object, meta: { ...object.meta, ...change } };
}
