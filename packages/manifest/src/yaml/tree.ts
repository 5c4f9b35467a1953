/**
 * A YAML document as a tree of values that know where they were written.
 */
import type { PathStep, Place } from '../complaint.js';
import { formatField } from '../complaint.js';
import type { LinePositions } from './line-positions.js';
import type { ScalarValue } from './scalar.js';

/** A scalar. */
export interface ScalarNode {
  readonly type: 'scalar';
  readonly value: ScalarValue;
  readonly isFloat?: boolean;
  readonly isTime?: boolean;
  /** A complaint about this value was made already; later steps should not add their own. */
  readonly isBroken?: boolean;
  /** Offset in the text. */
  readonly at: number;
}

/** An entry of a mapping. */
export interface MappingEntry {
  readonly keyAt: number;
  readonly value: YamlNode;
}

/** A mapping; keys are texts, in the order of writing, merged ones last. */
export interface MappingNode {
  readonly type: 'mapping';
  readonly entries: ReadonlyMap<string, MappingEntry>;
  readonly at: number;
}

/** A list. */
export interface SequenceNode {
  readonly type: 'sequence';
  readonly items: readonly YamlNode[];
  readonly at: number;
}

/** A node of the tree. Aliases share nodes, so it is a graph without cycles. */
export type YamlNode = ScalarNode | MappingNode | SequenceNode;

/** A document: its tree and the means to say where a node is. */
export class YamlDocument {
  readonly path: string;
  readonly root: YamlNode;
  readonly #positions: LinePositions;

  constructor(path: string, positions: LinePositions, root: YamlNode) {
    this.path = path;
    this.root = root;
    this.#positions = positions;
  }

  /** The same text with another tree (after variables were filled in). */
  withRoot(root: YamlNode): YamlDocument {
    return new YamlDocument(this.path, this.#positions, root);
  }

  /** The place of an offset. */
  placeAt(offset: number, steps: readonly PathStep[]): Place {
    return this.#positions.placeOf(this.path, offset, formatField(steps));
  }

  /** The place of a node found under `steps`. */
  placeOf(node: YamlNode, steps: readonly PathStep[]): Place {
    return this.placeAt(node.at, steps);
  }

  /**
   * The place of a field: of its value, or, where it does not exist, of the nearest part above it
   * that does. The field of the place is the one asked for.
   */
  locate(steps: readonly PathStep[]): Place {
    let node = this.root;
    let offset = node.at;
    for (const step of steps) {
      const next = childOf(node, step);
      if (next === undefined) break;
      node = next;
      offset = node.at;
    }
    return this.placeAt(offset, steps);
  }

  /** Whether there is something under `steps`. */
  has(steps: readonly PathStep[]): boolean {
    let node: YamlNode | undefined = this.root;
    for (const step of steps) node = node && childOf(node, step);
    return node !== undefined;
  }

  /** The place of the key of a field, which is where a fault about its presence belongs. */
  locateKey(steps: readonly PathStep[]): Place {
    const parent = steps
      .slice(0, -1)
      .reduce<YamlNode | undefined>(
        (node, step) => (node === undefined ? undefined : childOf(node, step)),
        this.root,
      );
    const last = steps.at(-1);
    if (parent?.type !== 'mapping' || typeof last !== 'string') return this.locate(steps);
    const entry = parent.entries.get(last);
    return entry ? this.placeAt(entry.keyAt, steps) : this.locate(steps);
  }
}

/** The node under a key or index, if there is one. */
export function childOf(node: YamlNode, step: PathStep): YamlNode | undefined {
  if (node.type === 'mapping') return node.entries.get(String(step))?.value;
  if (node.type === 'sequence' && typeof step === 'number') return node.items[step];
  return undefined;
}

/** The tree as plain data. Integers beyond 2^53 lose precision; times become their text. */
export function plainValue(node: YamlNode): unknown {
  if (node.type === 'scalar') {
    return typeof node.value === 'bigint' ? Number(node.value) : node.value;
  }
  if (node.type === 'sequence') return node.items.map(plainValue);
  // Object.create(null) would surprise; defineProperty keeps a key named __proto__ harmless.
  const fields: Record<string, unknown> = {};
  for (const [key, entry] of node.entries) {
    Object.defineProperty(fields, key, {
      value: plainValue(entry.value),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return fields;
}
