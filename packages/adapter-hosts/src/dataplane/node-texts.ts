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
  type NamespaceTexts,
  type RenderedNamespace,
  type RenderedStep,
  type TableContent,
  type TableDiff,
} from '@skep/network';
import { nameServerPlace, redirectTexts } from './name-server-place.js';
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
  const steps = [...renderer.difference(diff)];
  const suspects: string[] = [];
  for (const task of after.tasks.values()) {
    const old = before.tasks.get(task.taskId);
    // Versions share what did not change.
    if (old === task && before.host.namespacePrefix === after.host.namespacePrefix) continue;
    const place = nameServerPlace(after, task);
    const namespace = taskNamespace(after.host.namespacePrefix, task.taskId);
    if (old !== undefined) {
      suspects.push(namespace.name);
    } else if (place !== undefined) {
      const texts = redirectTexts(place, renderer.redirect);
      for (const tool of TOOLS) {
        const lines = (texts[tool] ?? '').split('\n').filter((line) => line !== '');
        if (lines.length > 0) steps.push({ namespace, tool, lines });
      }
    }
  }
  return { steps, suspects };
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
