/**
 * From the parser's nodes to our tree: scalars resolved, aliases and merge keys expanded.
 */
import { isAlias, isMap, isScalar, isSeq, type Pair, type YAMLMap } from 'yaml';
import type { ComplaintCollector, PathStep, Place } from '../complaint.js';
import { formatField } from '../complaint.js';
import type { LinePositions } from './line-positions.js';
import { resolvePlain } from './scalar.js';
import type { ReadLimits } from './source.js';
import type { MappingEntry, MappingNode, ScalarNode, YamlNode } from './tree.js';

/** What a builder needs to know. */
export interface TreeContext {
  readonly path: string;
  readonly positions: LinePositions;
  /** From the parser's offsets to those of the file. */
  readonly toSource: (offset: number) => number;
  readonly limits: ReadLimits;
  readonly complaints: ComplaintCollector;
}

/** Size of a node with everything below it, aliases counted each time. */
interface Measure {
  readonly nodes: number;
  readonly depth: number;
}

const TAG = 'tag:yaml.org,2002:';

/** Builds the tree of one document. Use once. Recursion is bounded by `limits.maxDepth`. */
export class TreeBuilder {
  readonly #context: TreeContext;
  readonly #anchors = new Map<string, YamlNode>();
  readonly #measures = new WeakMap<YamlNode, Measure>();
  #isTooLarge = false;

  constructor(context: TreeContext) {
    this.#context = context;
  }

  /** The tree of `contents`; undefined after a complaint that leaves no tree. */
  build(contents: unknown): YamlNode | undefined {
    const root = this.#convert(contents, [], 0);
    return this.#isTooLarge ? undefined : root;
  }

  #convert(node: unknown, steps: readonly PathStep[], parentAt: number): YamlNode {
    const at = this.#offset(node) ?? parentAt;
    let result: YamlNode;
    if (isAlias(node)) result = this.#alias(node.source, at, steps);
    else if (isMap(node)) result = this.#mapping(node, steps, at);
    else if (isSeq(node)) {
      const items = node.items.map((item, index) => this.#convert(item, [...steps, index], at));
      result = this.#measured({ type: 'sequence', items, at }, items);
    } else result = this.#scalar(node, at, steps);
    const anchor = isAlias(node) ? undefined : (node as { anchor?: string } | null)?.anchor;
    if (anchor !== undefined) this.#anchors.set(anchor, result);
    return result;
  }

  #alias(name: string, at: number, steps: readonly PathStep[]): YamlNode {
    const target = this.#anchors.get(name);
    if (target !== undefined) return target;
    this.#context.complaints.error(
      'unknown-anchor',
      this.#place(at, steps),
      `the alias *${name} has no anchor &${name} before it`,
      `write &${name} in front of the value that it stands for`,
    );
    return { type: 'scalar', value: null, isBroken: true, at };
  }

  #scalar(node: unknown, at: number, steps: readonly PathStep[]): ScalarNode {
    if (!isScalar(node)) return { type: 'scalar', value: null, at };
    const text = typeof node.value === 'string' ? node.value : (node.source ?? '');
    const tag = node.tag ?? (node.type === 'PLAIN' ? undefined : `${TAG}str`);
    if (tag === undefined) return { type: 'scalar', ...resolvePlain(text), at };
    const resolved = resolveTagged(tag, text);
    if (resolved !== undefined) return { type: 'scalar', ...resolved, at };
    this.#context.complaints.error(
      'yaml-syntax',
      this.#place(at, steps),
      `'${text}' is not a value of the type !!${tag.slice(TAG.length)}`,
      'leave the tag out',
    );
    return { type: 'scalar', value: null, isBroken: true, at };
  }

  #mapping(node: YAMLMap, steps: readonly PathStep[], at: number): MappingNode {
    const entries = new Map<string, MappingEntry>();
    const merges: Pair[] = [];
    let mergeAt: number | undefined;
    for (const pair of node.items) {
      const keyAt = this.#offset(pair.key) ?? at;
      if (isMergeKey(pair.key)) {
        if (mergeAt !== undefined) this.#duplicate('<<', keyAt, mergeAt, steps);
        mergeAt ??= keyAt;
        merges.push(pair);
        continue;
      }
      const key = this.#key(pair.key, keyAt, steps);
      const value = this.#convert(pair.value, [...steps, key ?? '?'], keyAt);
      if (key === undefined) continue;
      const earlier = entries.get(key);
      if (earlier) this.#duplicate(key, keyAt, earlier.keyAt, steps);
      else entries.set(key, { keyAt, value });
    }
    for (const pair of merges) this.#merge(pair, entries, steps);
    return this.#measured(
      { type: 'mapping', entries, at },
      [...entries.values()].map((entry) => entry.value),
    );
  }

  #key(node: unknown, keyAt: number, steps: readonly PathStep[]): string | undefined {
    const key = this.#convert(node, steps, keyAt);
    if (key.type === 'scalar' && typeof key.value === 'string' && !key.isTime) return key.value;
    if (key.type === 'scalar' && key.isBroken) return undefined;
    const shown = key.type === 'scalar' ? `the key ${String(key.value)}` : 'this key';
    this.#context.complaints.error(
      'non-string-key',
      this.#place(keyAt, steps),
      `${shown} is not a text`,
      'put the key in quotes',
    );
    return undefined;
  }

  #merge(pair: Pair, entries: Map<string, MappingEntry>, steps: readonly PathStep[]): void {
    const at = this.#offset(pair.value) ?? this.#offset(pair.key) ?? 0;
    const value = this.#convert(pair.value, [...steps, '<<'], at);
    if (value.type === 'scalar' && value.isBroken) return;
    const sources = value.type === 'sequence' ? value.items : [value];
    for (const source of sources) {
      if (source.type !== 'mapping') {
        this.#context.complaints.error(
          'invalid-merge',
          this.#place(at, [...steps, '<<']),
          'only a mapping, or a list of mappings, can be merged',
        );
        return;
      }
      // Written keys win over merged ones, and earlier sources over later ones.
      for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry);
    }
  }

  #duplicate(key: string, keyAt: number, firstAt: number, steps: readonly PathStep[]): void {
    const { line } = this.#place(firstAt, []);
    this.#context.complaints.error(
      'duplicate-key',
      this.#place(keyAt, [...steps, key]),
      `the key '${key}' was given in line ${line} already`,
      key === '<<' ? 'merge a list: <<: [*first, *second]' : 'keep one of the two',
    );
  }

  #measured<N extends YamlNode>(node: N, children: readonly YamlNode[]): N {
    let nodes = 1;
    let depth = 0;
    for (const child of children) {
      const measure = this.#measures.get(child);
      nodes += measure?.nodes ?? 1;
      depth = Math.max(depth, measure?.depth ?? 0);
    }
    this.#measures.set(node, { nodes, depth: depth + 1 });
    const { limits, complaints } = this.#context;
    if (this.#isTooLarge || (nodes <= limits.maxNodes && depth < limits.maxDepth)) return node;
    this.#isTooLarge = true;
    const place = this.#place(node.at, []);
    if (depth >= limits.maxDepth) {
      complaints.error('too-deep', place, `nested deeper than ${limits.maxDepth} levels`);
    } else {
      complaints.error(
        'alias-bomb',
        place,
        `expands to more than ${limits.maxNodes} values`,
        'use fewer aliases of aliases',
      );
    }
    return node;
  }

  #offset(node: unknown): number | undefined {
    const offset = (node as { range?: readonly number[] | null } | null | undefined)?.range?.[0];
    return offset === undefined ? undefined : this.#context.toSource(offset);
  }

  #place(at: number, steps: readonly PathStep[]): Place {
    return this.#context.positions.placeOf(this.#context.path, at, formatField(steps));
  }
}

function isMergeKey(key: unknown): boolean {
  if (!isScalar(key) || key.value !== '<<') return false;
  return key.tag === undefined ? key.type === 'PLAIN' : key.tag === `${TAG}merge`;
}

function resolveTagged(tag: string, text: string): Omit<ScalarNode, 'type' | 'at'> | undefined {
  if (!tag.startsWith(TAG)) return { value: text };
  const name = tag.slice(TAG.length);
  const plain = resolvePlain(text);
  switch (name) {
    case 'int':
      return (typeof plain.value === 'number' && !plain.isFloat) || typeof plain.value === 'bigint'
        ? plain
        : undefined;
    case 'float':
      return typeof plain.value === 'number' || typeof plain.value === 'bigint'
        ? { value: Number(plain.value), isFloat: true }
        : undefined;
    case 'bool':
      return typeof plain.value === 'boolean' ? plain : undefined;
    case 'null':
      return plain.value === null ? plain : undefined;
    case 'timestamp':
      return plain.isTime ? plain : undefined;
    case 'binary':
      return decodeBinary(text);
    default:
      return { value: text };
  }
}

function decodeBinary(text: string): { value: string } | undefined {
  try {
    const bytes = Uint8Array.from(atob(text.replace(/\s/g, '')), (char) => char.charCodeAt(0));
    return { value: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return undefined;
  }
}
