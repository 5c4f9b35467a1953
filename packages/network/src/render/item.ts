/**
 * Items: the pieces that texts are made of. Each knows how it is added, changed and removed, so a
 * whole text and a difference come from one description and cannot disagree.
 */
import type {
  NamespaceReference,
  NamespaceTexts,
  RenderedNamespace,
  RenderedStep,
  Tool,
} from './rendered.js';
import { TOOLS } from './rendered.js';

/** Table of iptables, or of ip6tables. */
export type FilterTable = 'mangle' | 'nat' | 'filter';

const FILTER_TABLES: readonly FilterTable[] = ['mangle', 'nat', 'filter'];

/**
 * When an item is removed. What routes to a backend goes first, so that after these commands no
 * prefix of the rest leads to a removed one.
 */
export const REMOVAL = Object.freeze({
  backend: 0,
  balancer: 1,
  link: 2,
  hostRule: 3,
  mark: 4,
  peer: 5,
  segment: 6,
  namespace: 7,
});

/** When an item is added: what is led to comes before what leads there. */
export const ADDITION = Object.freeze({
  namespace: 0,
  // Made by the host in the namespace of the bridge that it becomes a port of.
  tunnel: 1,
  segment: 2,
  link: 3,
  address: 4,
  sysctl: 5,
  rule: 6,
  peer: 7,
  // A service and its backends stand together, the service first.
  balancer: 8,
  backend: 8,
  mark: 9,
  hostRule: 10,
});

/** One thing that a namespace holds. */
export interface Item {
  readonly namespace: NamespaceReference;
  readonly tool: Tool;
  /** For iptables and ip6tables. */
  readonly table?: FilterTable;
  /** Names the thing within its namespace and tool; what has the same key replaces it. */
  readonly key: string;
  readonly addition: number;
  readonly removal: number;
  readonly add: readonly string[];
  /** How it is added to what is there already; default: as `add`. */
  readonly insert?: readonly string[];
  /** How it takes the place of one with the same key; default: removed, then added. */
  readonly replace?: readonly string[];
  /** Replacing it takes something away, so it is done when things are removed. */
  readonly isReduction?: boolean;
  readonly remove: readonly string[];
  /** Key of the item whose removal removes this one too. */
  readonly within?: string;
  /** A namespace that this item creates; its removal removes all that is in it. */
  readonly creates?: string;
  /** Removed by a command of its own even when its namespace goes: it cuts something off. */
  readonly isCut?: boolean;
}

/** What {@link rule} needs to know. */
export interface RuleInput {
  readonly namespace: NamespaceReference;
  readonly table: FilterTable;
  readonly chain: string;
  /** Matches and target, as `iptables-save` prints them. */
  readonly rule: string;
  /**
   * Names what the rule is about, so that a rule of another content replaces it. Default: itself.
   */
  readonly key?: string;
  readonly addition: number;
  readonly removal: number;
  /** New rules go to the head of the chain. Default: to its end. */
  readonly isFirst?: boolean;
  /** Default: 4. */
  readonly family?: 4 | 6;
}

/** The tool for rules of a family. */
export function filterTool(family: 4 | 6): 'iptables' | 'ip6tables' {
  return family === 4 ? 'iptables' : 'ip6tables';
}

/** A rule of iptables, or of ip6tables. */
export function rule(input: RuleInput): Item {
  const { namespace, table, chain, addition, removal } = input;
  const line = `${chain} ${input.rule}`;
  return {
    namespace,
    tool: filterTool(input.family ?? 4),
    table,
    key: `${table}/${chain}/${input.key ?? input.rule}`,
    addition,
    removal,
    add: [`-A ${line}`],
    ...(input.isFirst === true ? { insert: [`-I ${line}`] } : {}),
    remove: [`-D ${line}`],
  };
}

/** A line for `sysctl -p`. Settings are not taken back: they go with their namespace. */
export function sysctlItems(
  namespace: NamespaceReference,
  settings: Readonly<Record<string, string>>,
): readonly Item[] {
  return Object.keys(settings)
    .sort()
    .map((key) => ({
      namespace,
      tool: 'sysctl',
      key,
      addition: ADDITION.sysctl,
      removal: REMOVAL.segment,
      add: [`${key} = ${settings[key] ?? ''}`],
      replace: [`${key} = ${settings[key] ?? ''}`],
      remove: [],
    }));
}

/** Lines of one tool in one namespace, by when they are added and by table. */
class TextBuckets {
  private readonly buckets = new Map<number, Map<FilterTable | undefined, string[]>>();

  add({ addition, table, add }: Item): void {
    let tables = this.buckets.get(addition);
    if (tables === undefined) {
      tables = new Map();
      this.buckets.set(addition, tables);
    }
    let lines = tables.get(table);
    if (lines === undefined) {
      lines = [];
      tables.set(table, lines);
    }
    for (const line of add) lines.push(line);
  }

  text(tool: Tool): string {
    const parts = [...this.buckets].sort(([a], [b]) => a - b).flatMap(([, tables]) => [...tables]);
    const lines = linesOf(tool, parts);
    return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
  }
}

/**
 * The namespaces of the items with their whole texts, in the order in which items name them.
 * Items are looked at one by one and not kept: there may be hundreds of thousands.
 */
export function renderItems(items: Iterable<Item>): readonly RenderedNamespace[] {
  const groups = new Map<string, Map<Tool, TextBuckets>>();
  const namespaces: NamespaceReference[] = [];
  for (const item of items) {
    let group = groups.get(item.namespace.name);
    if (group === undefined) {
      group = new Map(TOOLS.map((tool) => [tool, new TextBuckets()]));
      groups.set(item.namespace.name, group);
      namespaces.push(item.namespace);
    }
    group.get(item.tool)?.add(item);
  }
  return namespaces.map((namespace) => {
    const group = groups.get(namespace.name);
    const texts = Object.fromEntries(
      TOOLS.map((tool) => [tool, group?.get(tool)?.text(tool) ?? '']),
    ) as NamespaceTexts;
    return { namespace, texts };
  });
}

/** Lines for a tool; those of iptables are gathered by table. */
function linesOf(
  tool: Tool,
  parts: readonly (readonly [FilterTable | undefined, readonly string[]])[],
): readonly string[] {
  if (tool !== 'iptables' && tool !== 'ip6tables') return parts.flatMap(([, lines]) => lines);
  return FILTER_TABLES.flatMap((table) => {
    const lines = parts.flatMap(([of, added]) => (of === table ? added : []));
    return lines.length === 0 ? [] : [`*${table}`, ...lines, 'COMMIT'];
  });
}

interface Command {
  readonly item: Item;
  readonly phase: number;
  readonly lines: readonly string[];
}

const nameOf = (item: Item): string => `${item.namespace.name}\n${item.tool}\n${item.key}`;

const REMOVALS_END = 100;

/** The commands that make what `before` describes into what `after` describes. */
export function renderChanges(
  before: readonly Item[],
  after: readonly Item[],
): readonly RenderedStep[] {
  return stepsOf(changeCommands(before, after));
}

/** As {@link renderChanges}, what is taken away apart from what comes or is replaced. */
export function renderChangeParts(
  before: readonly Item[],
  after: readonly Item[],
): { readonly removals: readonly RenderedStep[]; readonly additions: readonly RenderedStep[] } {
  const commands = changeCommands(before, after);
  return {
    removals: stepsOf(commands.filter(({ phase }) => phase < REMOVALS_END)),
    additions: stepsOf(commands.filter(({ phase }) => phase >= REMOVALS_END)),
  };
}

function changeCommands(before: readonly Item[], after: readonly Item[]): readonly Command[] {
  const old = new Map(before.map((item) => [nameOf(item), item]));
  const wanted = new Map(after.map((item) => [nameOf(item), item]));
  const removed = [...old].filter(([name]) => !wanted.has(name)).map(([, item]) => item);
  const commands = removalCommands(removed);
  for (const [name, item] of wanted) {
    const present = old.get(name);
    if (present === undefined) {
      const lines = item.insert ?? item.add;
      commands.push({ item, phase: REMOVALS_END + item.addition, lines });
    } else if (present.add.join('\n') !== item.add.join('\n')) {
      const lines = item.replace ?? [...present.remove, ...(item.insert ?? item.add)];
      const phase = item.isReduction === true ? item.removal : REMOVALS_END + item.addition;
      commands.push({ item, phase, lines });
    }
  }
  return commands;
}

/** Removals that others do not bring about. */
function removalCommands(removed: readonly Item[]): Command[] {
  const names = new Set(removed.map(nameOf));
  const namespaces = new Set(removed.map((item) => item.creates));
  return removed.flatMap((item): Command[] => {
    const isImplied =
      (item.within !== undefined && names.has(nameOf({ ...item, key: item.within }))) ||
      (namespaces.has(item.namespace.name) && item.isCut !== true);
    return isImplied || item.remove.length === 0
      ? []
      : [{ item, phase: item.removal, lines: item.remove }];
  });
}

/** Commands in order; neighbours for the same tool and namespace become one step. */
function stepsOf(commands: readonly Command[]): readonly RenderedStep[] {
  const rank = (tool: Tool): number => TOOLS.indexOf(tool);
  const ordered = [...commands].sort(
    (a, b) => a.phase - b.phase || rank(a.item.tool) - rank(b.item.tool),
  );
  const groups: Command[][] = [];
  const open = new Map<string, Command[]>();
  let phase = -1;
  for (const command of ordered) {
    if (command.phase !== phase) open.clear();
    phase = command.phase;
    const place = `${command.item.tool}\n${command.item.namespace.name}`;
    const group = open.get(place);
    if (group === undefined) {
      const fresh = [command];
      open.set(place, fresh);
      groups.push(fresh);
    } else {
      group.push(command);
    }
  }
  return groups.flatMap((group) => {
    const item = group[0]?.item;
    if (item === undefined) return [];
    const lines = linesOf(
      item.tool,
      group.map((command) => [command.item.table, command.lines]),
    );
    return [{ namespace: item.namespace, tool: item.tool, lines }];
  });
}
