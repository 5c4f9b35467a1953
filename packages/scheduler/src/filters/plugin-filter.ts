/**
 * Nodes whose engine has the volume, network and log plugins that the task uses.
 *
 * **Source:** SwarmKit manager/scheduler/filter.go, PluginFilter.
 */
import { compareText, type EnginePlugin, type Mount } from '@skep/api';
import type { ClusterView } from '../cluster-view.js';
import type { Filter, Lack, PreparedFilter } from '../policy.js';
import type { NodeInfo } from '../node-info.js';
import type { TaskGroup } from '../task-group.js';
import { onNodes } from './wording.js';

/**
 * Refuses nodes that list their plugins and miss one of those needed. A node that says nothing
 * about plugins passes; one that lists no log plugin at all passes for log drivers.
 */
export const pluginFilter: Filter = Object.freeze({
  name: 'plugin',
  prepare: (group, state): PreparedFilter | undefined => {
    const needed = pluginsOf(group, state);
    if (needed.length === 0) return undefined;
    return {
      key: needed.map((plugin) => `${plugin.type}/${plugin.name}`).join(' '),
      check: (node) => check(node, needed),
    };
  },
  describe: (nodes) => `missing plugin on ${onNodes(nodes)}`,
} satisfies Filter);

/** By sort, each sort by name, each name once. */
function pluginsOf(group: TaskGroup, state: ClusterView): readonly EnginePlugin[] {
  const { networks, template } = group;
  const { container, logDriver } = template;
  if (container?.mounts === undefined && logDriver === undefined && networks.length === 0) {
    return NO_PLUGINS;
  }
  const needed: EnginePlugin[] = [];
  for (const mount of container?.mounts ?? NO_MOUNTS) {
    need(needed, 0, 'Volume', volumeDriverOf(mount));
  }
  const firstNetwork = needed.length;
  for (const id of networks) need(needed, firstNetwork, 'Network', state.networkDriver(id));
  const log = logDriver?.name === 'none' ? undefined : logDriver?.name;
  need(needed, needed.length, 'Log', log);
  return needed;
}

/** Adds a plugin at its place among those of its sort, which begin at `first`. */
function need(needed: EnginePlugin[], first: number, type: string, name: string | undefined): void {
  if (name === undefined || name === '') return;
  let at = needed.length;
  while (at > first && compareText((needed[at - 1] as EnginePlugin).name, name) > 0) at -= 1;
  if (at > first && needed[at - 1]?.name === name) return;
  needed.splice(at, 0, { type, name });
}

const NO_MOUNTS: readonly Mount[] = Object.freeze([]);
const NO_PLUGINS: readonly EnginePlugin[] = Object.freeze([]);

function volumeDriverOf(mount: Mount): string | undefined {
  const name = mount.type === 'volume' ? mount.volume?.driver?.name : undefined;
  return name === 'local' ? undefined : name;
}

function check({ node }: NodeInfo, needed: readonly EnginePlugin[]): readonly Lack[] | undefined {
  const listed = node.status.description?.engine.plugins;
  if (listed === undefined) return undefined;
  let lacks: Lack[] | undefined;
  for (const plugin of needed) {
    if (isListed(plugin, listed)) continue;
    if (plugin.type === 'Log' && !listed.some(({ type }) => type === 'Log')) continue;
    lacks ??= [];
    lacks.push({ what: `plugin ${plugin.type}/${plugin.name}`, needed: 1, available: 0 });
  }
  return lacks;
}

function isListed(plugin: EnginePlugin, listed: readonly EnginePlugin[]): boolean {
  for (const { type, name } of listed) {
    if (type !== plugin.type) continue;
    if (name === plugin.name || name === `${plugin.name}:latest`) return true;
  }
  return false;
}
