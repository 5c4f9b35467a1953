/**
 * Declaring objects, from files and from programs.
 */
import { isSkepError, SkepError, type AnyKind, type IdSource } from '@skep/api';
import {
  loadManifests,
  type LoadedManifests,
  type LoadedObject,
  type ManifestOptions,
  type SourceFile,
} from '@skep/manifest';
import { planApply, type AdmissionResult, type DeclaredObject } from '@skep/orchestrator';
import type { Store } from '@skep/store';
import { admitChanges } from './admission.js';
import type { Applied, ApplyOptions, DeclareOptions } from './cluster-options.js';
import { declarableKinds } from './declarable-kinds.js';
import { manifestError } from './manifest-error.js';
import { placedError } from './placed-error.js';

/** Options of a declaration, and which stack is pruned. */
export interface PruningOptions extends DeclareOptions {
  readonly prune?: string;
}

/** What declares to one store. */
export class Declarations {
  readonly #store: Store;
  readonly #ids: IdSource;
  readonly #kinds: readonly AnyKind[];

  constructor(parts: {
    readonly store: Store;
    readonly ids: IdSource;
    readonly kinds: readonly AnyKind[];
  }) {
    this.#store = parts.store;
    this.#ids = parts.ids;
    this.#kinds = parts.kinds;
  }

  /** Reads files and judges them, and changes nothing. */
  load(files: readonly SourceFile[], options: ManifestOptions = {}): LoadedManifests {
    return loadManifests(files, { kinds: declarableKinds(this.#kinds), ...options });
  }

  /** Declares what files say. */
  async apply(
    source: string | readonly SourceFile[],
    { prune = false, manager, force = false, ...manifest }: ApplyOptions,
  ): Promise<Applied> {
    const files = typeof source === 'string' ? [{ path: 'stack.yml', text: source }] : source;
    const { stack } = manifest;
    if (prune && stack === undefined) {
      throw new SkepError('invalid-argument', 'prune needs the name of a stack (option stack)');
    }
    const { objects, complaints } = this.load(files, manifest);
    if (complaints.some(({ severity }) => severity === 'error')) throw manifestError(complaints);
    const own = stack === undefined ? undefined : `stack ${stack}`;
    const who = manager ?? own;
    const results = await this.declareLoaded(objects, {
      force,
      ...(who === undefined ? {} : { manager: who }),
      ...(prune && stack !== undefined ? { prune: stack } : {}),
    });
    return { results, warnings: complaints };
  }

  /** Declares objects that were read from files; complaints come with their places there. */
  async declareLoaded(
    objects: readonly LoadedObject[],
    options: PruningOptions = {},
  ): Promise<readonly AdmissionResult[]> {
    try {
      return await this.declare(
        objects.map((object) => ({ ...object, kind: this.#kind(object.kind) })),
        options,
      );
    } catch (thrown) {
      throw isSkepError(thrown) ? placedError(thrown, objects) : thrown;
    }
  }

  /** Declares objects that were made by a program. */
  declare(
    objects: readonly DeclaredObject[],
    options: PruningOptions = {},
  ): Promise<readonly AdmissionResult[]> {
    return admitChanges(this.#store, (view) =>
      planApply(view, objects, { ids: this.#ids, ...options }),
    );
  }

  #kind(name: string): AnyKind {
    const kind = this.#kinds.find((known) => known.name === name);
    if (kind === undefined) throw new Error(`the manifest package let an unknown kind in: ${name}`);
    return kind;
  }
}
