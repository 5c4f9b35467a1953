/**
 * `skep get -w`: objects as they are, then a line for each that changes.
 */
import { parseSelector, type StoredObject } from '@skep/api';
import type { View } from '@skep/store';
import { EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import { isDataOutput, documentOf, renderObjects } from '../views/get/output.js';
import { headOf, rowOf, sortedObjects } from '../views/get/tables.js';
import type { Connected } from './connection.js';
import { displayName, type Target } from './references.js';
import { followed } from './replica.js';
import { chosenOf, kindsFor, selectorOf, type ShowOptions } from './selection.js';

/** Blanks between columns. */
const GAP = 3;

/** Prints until the user ends it, or the manager. */
export async function watchObjects(
  targets: readonly Target[],
  options: ShowOptions,
  connected: Connected,
  surroundings: Surroundings,
): Promise<ExitCode> {
  parseSelector(selectorOf(options));
  const signal = surroundings.interruption?.() ?? new AbortController().signal;
  const printer = isDataOutput(options.output)
    ? new DataPrinter(options, surroundings.out)
    : new RowPrinter(options, connected, surroundings.out);
  const texts = selectorOf(options);
  let isFirst = true;
  for await (const { view } of followed(connected.client, kindsFor(targets), signal)) {
    // Names have to mean something in the beginning; later on, what they mean may come and go.
    const mayLack = !isFirst;
    const objects = targets.flatMap((target) => chosenOf(view, target, { texts, mayLack }));
    printer.show(objects, view);
    isFirst = false;
  }
  return signal.aborted ? EXIT.interrupted : EXIT.ok;
}

interface Printer {
  show(objects: readonly StoredObject[], view: View): void;
}

const keyOf = ({ kind, meta }: StoredObject): string => `${kind}/${meta.id}`;

/** Rows: those that are new, and those in which something else than an age has changed. */
class RowPrinter implements Printer {
  readonly #options: ShowOptions;
  readonly #connected: Connected;
  readonly #out: (text: string) => void;
  readonly #shown = new Map<string, { readonly object: StoredObject; readonly text: string }>();
  readonly #widths = new Map<string, number[]>();

  constructor(options: ShowOptions, connected: Connected, out: (text: string) => void) {
    this.#options = options;
    this.#connected = connected;
    this.#out = out;
  }

  show(objects: readonly StoredObject[], view: View): void {
    const style = { isWide: this.#options.output === 'wide' };
    const now = this.#connected.now();
    const changed: StoredObject[] = [];
    for (const object of objects) {
      // Without a time all ages are the same: only what really changed makes another text.
      const text = JSON.stringify(rowOf(object, { view, now: 0 }, style));
      if (this.#shown.get(keyOf(object))?.text === text) continue;
      this.#shown.set(keyOf(object), { object, text });
      changed.push(object);
    }
    for (const kind of new Set(changed.map((object) => object.kind))) {
      const ofKind = changed.filter((object) => object.kind === kind);
      const rows = sortedObjects(kind, ofKind, { view, now }).map((object) =>
        rowOf(object, { view, now }, style),
      );
      this.#print(kind, rows, headOf(kind, style));
    }
    this.#printGone(objects);
  }

  #print(kind: string, rows: readonly (readonly string[])[], head: readonly string[]): void {
    const isFirst = !this.#widths.has(kind);
    const widths = this.#widths.get(kind) ?? head.map((cell) => cell.length);
    for (const row of rows) {
      for (const [at, cell] of row.entries()) {
        widths[at] = Math.max(widths[at] ?? 0, [...cell].length);
      }
    }
    this.#widths.set(kind, widths);
    const lines = isFirst && this.#options.headers ? [head, ...rows] : rows;
    this.#out(lines.map((line) => `${lineOf(line, widths)}\n`).join(''));
  }

  #printGone(objects: readonly StoredObject[]): void {
    const there = new Set(objects.map(keyOf));
    for (const [key, { object }] of this.#shown) {
      if (there.has(key)) continue;
      this.#shown.delete(key);
      const widths = this.#widths.get(object.kind) ?? [];
      this.#out(`${lineOf([displayName(object), 'gone'], widths)}\n`);
    }
  }
}

function lineOf(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, at) => cell + ' '.repeat(Math.max(0, (widths[at] ?? 0) - [...cell].length)))
    .join(' '.repeat(GAP))
    .trimEnd();
}

/** Objects whenever they are written: JSON a line each, the other forms as they are. */
class DataPrinter implements Printer {
  readonly #options: ShowOptions;
  readonly #out: (text: string) => void;
  readonly #versions = new Map<string, number>();

  constructor(options: ShowOptions, out: (text: string) => void) {
    this.#options = options;
    this.#out = out;
  }

  show(objects: readonly StoredObject[]): void {
    const { output } = this.#options;
    for (const object of objects) {
      if (this.#versions.get(keyOf(object)) === object.meta.version) continue;
      const isFirst = this.#versions.size === 0;
      this.#versions.set(keyOf(object), object.meta.version);
      if (output === 'json') this.#out(`${JSON.stringify(documentOf(object))}\n`);
      else if (isDataOutput(output)) {
        const parting = output === 'name' || isFirst ? '' : '---\n';
        this.#out(`${parting}${renderObjects([object], output)}`);
      }
    }
  }
}
