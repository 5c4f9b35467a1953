/**
 * A place in a checked document, with typed access to what is there.
 */
import type { PathStep, Place } from '../complaint.js';
import { scalarText } from '../yaml/scalar.js';
import { childOf, type YamlDocument, type YamlNode } from '../yaml/tree.js';
import type { TextMap } from './model.js';

/**
 * Points at a node of a document that the schema was checked for. Readers of the wrong type give
 * the empty value, so that a document which slipped through cannot make them fail.
 */
export class Cursor {
  readonly document: YamlDocument;
  readonly node: YamlNode;
  readonly steps: readonly PathStep[];

  constructor(document: YamlDocument, node: YamlNode, steps: readonly PathStep[]) {
    this.document = document;
    this.node = node;
    this.steps = steps;
  }

  /** Where the node is. */
  get place(): Place {
    return this.document.placeOf(this.node, this.steps);
  }

  /** What is under a key; undefined when it is absent or null. */
  get(key: string): Cursor | undefined {
    const child = childOf(this.node, key);
    if (child === undefined || (child.type === 'scalar' && child.value === null)) return undefined;
    return new Cursor(this.document, child, [...this.steps, key]);
  }

  /** The entries of a mapping, null values included. */
  entries(): readonly (readonly [string, Cursor])[] {
    if (this.node.type !== 'mapping') return [];
    return [...this.node.entries].map(([key, entry]) => [
      key,
      new Cursor(this.document, entry.value, [...this.steps, key]),
    ]);
  }

  /** The items of a list. */
  items(): readonly Cursor[] {
    if (this.node.type !== 'sequence') return [];
    return this.node.items.map(
      (item, index) => new Cursor(this.document, item, [...this.steps, index]),
    );
  }

  /** Whether nothing is written here. */
  get isNull(): boolean {
    return this.node.type === 'scalar' && this.node.value === null;
  }

  /**
   * The scalar as text: numbers and booleans as Go prints them; '' for null and for collections.
   */
  get scalar(): string {
    return this.node.type === 'scalar' ? scalarText(this.node.value) : '';
  }

  /** The text under a key, '' when it is absent. */
  text(key: string): string {
    return this.get(key)?.scalar ?? '';
  }

  /** The number under a key. */
  number(key: string): number | undefined {
    const child = this.get(key)?.node;
    if (child?.type !== 'scalar') return undefined;
    if (typeof child.value === 'bigint') return Number(child.value);
    return typeof child.value === 'number' ? child.value : undefined;
  }

  /** The boolean under a key. */
  flag(key: string): boolean | undefined {
    const child = this.get(key)?.node;
    return child?.type === 'scalar' && typeof child.value === 'boolean' ? child.value : undefined;
  }

  /** The texts under a key: a list, or one text standing for a list of one. */
  texts(key: string): readonly string[] {
    const child = this.get(key);
    if (child === undefined) return [];
    if (child.node.type === 'scalar') return [child.scalar];
    return child.items().map((item) => item.scalar);
  }

  /** A mapping, or a list of `KEY=value`, with '' for what has no value. */
  textMap(key: string): TextMap {
    const child = this.get(key);
    const pairs = child?.pairs() ?? [];
    return new Map(pairs.map(([name, value]) => [name, value ?? '']));
  }

  /** A mapping of options; undefined when the key is absent. */
  optionMap(key: string): TextMap | undefined {
    return this.get(key) === undefined ? undefined : this.textMap(key);
  }

  /** The pairs of a mapping or of a list of `KEY=value`; undefined where no value is given. */
  pairs(): readonly (readonly [string, string | undefined])[] {
    if (this.node.type === 'mapping') {
      return this.entries().map(([key, value]) => [key, value.isNull ? undefined : value.scalar]);
    }
    return this.items().map((item) => {
      const text = item.scalar;
      const equals = text.indexOf('=');
      return equals < 0 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)];
    });
  }
}
