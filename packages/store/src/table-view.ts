/**
 * Views: the newest one reads straight from the tables; an old one corrects what it reads by what
 * was there before the commits since.
 *
 * **Source:** persistent arrays after Baker, "Shallow Binding Makes Functional Arrays Fast" (1991):
 * one mutable newest version, older ones as chains of reverse differences towards it.
 */
import {
  SkepError,
  type IndexSelector,
  type Kind,
  type ObjectId,
  type Random,
  type Revision,
  type StoredObject,
} from '@skep/api';
import type { ObjectEvent, View } from './contract.js';
import { Row, type Table, type Tables } from './table.js';

/**
 * One revision of the store. Links run from old to new only, so a version is kept alive by views at
 * least as old as it and goes when they go.
 */
export class Version {
  readonly revision: Revision;
  /** The version after this one; undefined for the newest. */
  next: Version | undefined;
  /** What the commit to `next` did: its `previous` objects lead back here. */
  undo: readonly ObjectEvent[];

  constructor(revision: Revision) {
    this.revision = revision;
    this.next = undefined;
    this.undo = [];
  }
}

/** Objects as they were, by id; undefined: the object was not there. */
type Overlay = Map<ObjectId, StoredObject | undefined>;

/** What views of one store have in common. */
export interface ViewSource {
  readonly tables: Tables;
  readonly listOrder: 'natural' | Random;
}

/** A view at one revision, exact for as long as anyone holds it. */
export class TableView implements View {
  readonly revision: Revision;
  readonly #source: ViewSource;
  /** How far towards the newest version the overlays have been brought. */
  #version: Version;
  #overlays: Map<string, Overlay> | undefined;

  /** `undo`: what commits up to `version` did since `revision`, for a view in the past. */
  constructor(
    source: ViewSource,
    version: Version,
    past?: { readonly revision: Revision; readonly undo: readonly ObjectEvent[] },
  ) {
    this.#source = source;
    this.#version = version;
    this.#overlays = undefined;
    this.revision = past?.revision ?? version.revision;
    if (past !== undefined) this.#undo(past.undo);
  }

  get<Spec, Status>(
    kind: Kind<Spec, Status>,
    id: ObjectId,
  ): StoredObject<Spec, Status> | undefined {
    const table = this.#source.tables.of(kind.name);
    const overlay = this.#overlay(table);
    if (overlay !== undefined) {
      const before = overlay.get(id);
      if (before !== undefined || overlay.has(id)) return before as StoredObject<Spec, Status>;
    }
    return table.row(id)?.object as StoredObject<Spec, Status> | undefined;
  }

  getByName<Spec, Status>(
    kind: Kind<Spec, Status>,
    name: string,
  ): StoredObject<Spec, Status> | undefined {
    const table = this.#source.tables.of(kind.name);
    if (!table.hasUniqueName) {
      throw new SkepError('invalid-argument', `names of kind ${kind.name} are not unique`);
    }
    if (name === '') return undefined;
    const wanted = name.toLowerCase();
    const overlay = this.#overlay(table);
    const row = table.rowByName(name);
    if (overlay === undefined) return row?.object as StoredObject<Spec, Status> | undefined;
    if (row !== undefined && !overlay.has(row.id)) {
      return row.object as StoredObject<Spec, Status>;
    }
    for (const before of overlay.values()) {
      if (before?.meta.name.toLowerCase() === wanted) return before as StoredObject<Spec, Status>;
    }
    return undefined;
  }

  list<Spec, Status>(
    kind: Kind<Spec, Status>,
    selector?: IndexSelector<Spec, Status>,
  ): readonly StoredObject<Spec, Status>[] {
    const table = this.#source.tables.of(kind.name);
    const objects = this.#list(table, selector as IndexSelector | undefined);
    if (this.#source.listOrder !== 'natural') shuffle(objects, this.#source.listOrder);
    return objects as StoredObject<Spec, Status>[];
  }

  count<Spec, Status>(kind: Kind<Spec, Status>, selector?: IndexSelector<Spec, Status>): number {
    const table = this.#source.tables.of(kind.name);
    const overlay = this.#overlay(table);
    const chosen = selector as IndexSelector | undefined;
    let count = sizeOf(table, chosen);
    if (overlay === undefined) return count;
    for (const [id, before] of overlay) {
      const now = table.row(id)?.object;
      if (now !== undefined && isChosen(table, now, chosen)) count -= 1;
      if (before !== undefined && isChosen(table, before, chosen)) count += 1;
    }
    return count;
  }

  /** All objects of all kinds. */
  objects(): readonly StoredObject[] {
    return [...this.#source.tables.all()].flatMap((table) => this.#list(table, undefined));
  }

  #list(table: Table, selector: IndexSelector | undefined): StoredObject[] {
    const overlay = this.#overlay(table);
    const objects: StoredObject[] = [];
    for (const row of rowsOf(table, selector)) {
      if (overlay === undefined || !overlay.has(row.id)) objects.push(row.object);
    }
    if (overlay === undefined) return objects;
    for (const before of overlay.values()) {
      if (before !== undefined && isChosen(table, before, selector)) objects.push(before);
    }
    return objects;
  }

  /** What objects of the table were at this revision, for those that changed since. */
  #overlay(table: Table): Overlay | undefined {
    if (this.#version.next !== undefined) this.#advance();
    return this.#overlays?.get(table.kind.name);
  }

  #advance(): void {
    let version = this.#version;
    for (let next = version.next; next !== undefined; next = version.next) {
      this.#undo(version.undo);
      version = next;
    }
    this.#version = version;
  }

  /** The first difference of an object counts: it is the one nearest to this view. */
  #undo(events: readonly ObjectEvent[]): void {
    const overlays = (this.#overlays ??= new Map<string, Overlay>());
    for (const { object, previous } of events) {
      let overlay = overlays.get(object.kind);
      if (overlay === undefined) overlays.set(object.kind, (overlay = new Map()));
      if (!overlay.has(object.meta.id)) overlay.set(object.meta.id, previous);
    }
  }
}

const NO_ROWS: readonly Row[] = Object.freeze([] as Row[]);

function rowsOf(table: Table, selector: IndexSelector | undefined): Iterable<Row> {
  if (selector === undefined) return table.rows();
  const bucket = table.bucket(selector.index, selector.key);
  if (bucket === undefined) return NO_ROWS;
  return bucket instanceof Row ? [bucket] : bucket;
}

function sizeOf(table: Table, selector: IndexSelector | undefined): number {
  if (selector === undefined) return table.size;
  const bucket = table.bucket(selector.index, selector.key);
  if (bucket === undefined) return 0;
  if (bucket instanceof Row) return 1;
  return bucket instanceof Set ? bucket.size : bucket.length;
}

function isChosen(
  table: Table,
  object: StoredObject,
  selector: IndexSelector | undefined,
): boolean {
  return selector === undefined || table.isUnder(object, selector.index, selector.key);
}

/** Fisher and Yates' shuffle, in place. */
function shuffle(items: unknown[], random: Random): void {
  for (let i = items.length - 1; i > 0; i -= 1) {
    const j = random.int(i + 1);
    [items[i], items[j]] = [items[j], items[i]];
  }
}
