/**
 * Tables of a node as the texts that a renderer makes of them, with the way to the name server.
 */
import { SkepError } from '@skep/api';
import {
  TOOLS,
  renderDiff,
  renderNftables,
  renderNftablesDiff,
  renderNode,
  taskNamespace,
  type NamespaceReference,
  type NamespaceTexts,
  type RenderedNamespace,
  type RenderedStep,
  type TableContent,
  type TableDiff,
} from '@skep/network';
import { nameServerPlace, redirectTexts, type NameServerPlace } from './name-server-place.js';
import type { RuleTool } from './rule-listing.js';

/** How tables become texts. */
export type RendererName = 'ipvs' | 'nftables';

/** What a renderer makes, and which tools it needs. */
export interface NodeRenderer {
  readonly name: RendererName;
  readonly ruleTools: readonly RuleTool[];
  readonly whole: (tables: TableContent) => readonly RenderedNamespace[];
  readonly difference: (diff: TableDiff) => readonly RenderedStep[];
  /** The tool by which names are led to their server. */
  readonly redirect: 'nft' | 'iptables';
  readonly programs: readonly string[];
}

const COMMON = ['sh', 'nsenter', 'ip', 'bridge', 'sysctl'];

const RENDERERS: Readonly<Record<RendererName, NodeRenderer>> = Object.freeze({
  nftables: {
    name: 'nftables',
    ruleTools: ['nft'],
    whole: renderNftables,
    difference: renderNftablesDiff,
    redirect: 'nft',
    programs: [...COMMON, 'nft', 'conntrack'],
  },
  ipvs: {
    name: 'ipvs',
    ruleTools: ['iptables', 'ip6tables', 'ipvs'],
    whole: renderNode,
    difference: renderDiff,
    redirect: 'iptables',
    programs: [...COMMON, 'iptables-restore', 'iptables-save', 'ip6tables-restore', 'ipvsadm'],
  },
});

/** @throws invalid-argument for another name. */
export function rendererOf(name: RendererName): NodeRenderer {
  const renderer = Object.hasOwn(RENDERERS, name) ? RENDERERS[name] : undefined;
  if (renderer !== undefined) return renderer;
  const text = `renderer ${JSON.stringify(name)}: nftables or ipvs is needed`;
  throw new SkepError('invalid-argument', text, { details: { renderer: name } });
}

/** Whole texts of every namespace of a node. */
export function wholeTexts(
  renderer: NodeRenderer,
  tables: TableContent,
): readonly RenderedNamespace[] {
  return renderer.whole(tables).map((rendered) => {
    const { taskId } = rendered.namespace;
    const task = taskId === undefined ? undefined : tables.tasks.get(taskId);
    const place = task === undefined ? undefined : nameServerPlace(tables, task);
    if (place === undefined) return rendered;
    const more = redirectTexts(place, renderer.redirect);
    const texts = Object.fromEntries(
      TOOLS.map((tool) => [tool, rendered.texts[tool] + (more[tool] ?? '')]),
    ) as NamespaceTexts;
    return { ...rendered, texts };
  });
}

/**
 * The commands that take a node from one table to the other, and the namespaces that have to be
 * looked at afterwards, because what they have of a task is not told apart from what is new.
 */
export function differenceSteps(
  renderer: NodeRenderer,
  diff: TableDiff,
): { readonly steps: readonly RenderedStep[]; readonly suspects: readonly string[] } {
  const { before, after } = diff;
  const { namespacePrefix } = after.host;
  const steps = [...renderer.difference(diff)];
  const suspects: string[] = [];
  /** What new tasks need for their names, by namespace. */
  const additions = new Map<string, readonly RenderedStep[]>();
  for (const task of after.tasks.values()) {
    const old = before.tasks.get(task.taskId);
    // Versions share what did not change.
    if (old === task && before.host.namespacePrefix === namespacePrefix) continue;
    const namespace = taskNamespace(namespacePrefix, task.taskId);
    if (old !== undefined) {
      suspects.push(namespace.name);
    } else {
      const place = nameServerPlace(after, task);
      additions.set(
        namespace.name,
        place === undefined ? [] : redirectSteps(renderer, place, namespace),
      );
    }
  }
  return { steps: withAdditions(steps, additions), suspects };
}

function redirectSteps(
  renderer: NodeRenderer,
  place: NameServerPlace,
  namespace: NamespaceReference,
): readonly RenderedStep[] {
  const texts = redirectTexts(place, renderer.redirect);
  return TOOLS.flatMap((tool): readonly RenderedStep[] => {
    const lines = (texts[tool] ?? '').split('\n').filter((line) => line !== '');
    return lines.length === 0 ? [] : [{ namespace, tool, lines }];
  });
}

/**
 * Steps with those that new namespaces need besides: as lines of a step for the same tool there, so
 * that no more programs are started, or of their own.
 */
function withAdditions(
  steps: readonly RenderedStep[],
  additions: ReadonlyMap<string, readonly RenderedStep[]>,
): readonly RenderedStep[] {
  const rest = new Map([...additions].map(([name, more]) => [name, [...more]]));
  const joined = steps.map((step): RenderedStep => {
    const { namespace, tool, lines } = step;
    const more = rest.get(namespace.name);
    if (more === undefined) return step;
    const at = more.findIndex((one) => one.tool === tool);
    const own = tool === 'sysctl' || tool === 'nft' ? more.splice(at, at < 0 ? 0 : 1) : [];
    return { namespace, tool, lines: [...freshLines(lines), ...own.flatMap(linesOf)] };
  });
  const own = [...rest.values()].flat();
  const isRule = ({ tool }: RenderedStep): boolean => tool === 'nft';
  const last = joined.findLastIndex(isRule);
  // Beside other rules, for which programs wait together.
  const at = last < 0 ? joined.length : last + 1;
  return [
    ...joined.slice(0, at),
    ...own.filter((step) => !isRule(step)),
    ...own.filter(isRule).map((step) => ({ ...step, lines: freshLines(step.lines) })),
    ...joined.slice(at),
  ];
}

function linesOf({ lines, tool }: RenderedStep): readonly string[] {
  return tool === 'nft' ? freshLines(lines) : lines;
}

/**
 * Text for a namespace that has just been made: no table is removed that is made anew, for where
 * something was removed the kernel lets nft wait before it ends.
 */
export function freshLines(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => !/^(?:delete )?table \S+ \S+$/.test(line));
}

/** Settings that a namespace is to have, by key. */
export function settingsOf(rendered: RenderedNamespace): ReadonlyMap<string, string> {
  return new Map(
    rendered.texts.sysctl.split('\n').flatMap((line): [string, string][] => {
      const at = line.indexOf(' = ');
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 3)]];
    }),
  );
}
