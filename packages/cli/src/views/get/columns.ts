/**
 * What a table of objects is made of.
 */
import type { AnyKind, StoredObject, Timestamp } from '@skep/api';
import type { View } from '@skep/store';

/** What cells are computed from, besides their object. */
export interface Look {
  /** Holds the kind of the table, and those that it needs. */
  readonly view: View;
  /** The manager's clock: ages count from here. */
  readonly now: Timestamp;
}

/** One column. */
export interface Column<T extends StoredObject> {
  readonly head: string;
  readonly cell: (object: T, look: Look) => string;
  /** Shown only with `-o wide`. */
  readonly isWide?: true;
}

/** How objects of a kind are shown in a table. */
export interface KindTable<T extends StoredObject> {
  /** Other kinds that the cells look at. */
  readonly needs: readonly AnyKind[];
  readonly columns: readonly Column<T>[];
  /** Order of the rows. Default: by name, then id. */
  readonly compare?: (a: T, b: T, look: Look) => number;
}
