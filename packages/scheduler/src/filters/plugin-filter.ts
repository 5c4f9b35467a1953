/**
 * Nodes whose engine has the volume, network and log plugins that the task uses.
 *
 * **Source:** SwarmKit manager/scheduler/filter.go, PluginFilter.
 */
import { compareText, isEqual, type EnginePlugin, type Mount } from '@skep/api';
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
    const { networks, template } = group;
    const { container, logDriver } = template;
    if (container?.mounts === undefined && logDriver === undefined) {
      const [id] = networks;
      if (id === undefined) return undefined;
      if (networks.length === 1 && latest.isOfNetwork(state.networkDriver(id))) return latest;
    }
    const needed = pluginsOf(group, state);
    if (needed.length === 0) return undefined;
    if (!isEqual(needed, latest.needed)) latest = new PluginCheck(needed);
    return latest;
  },
  describe: (nodes) => `missing plugin on ${onNodes(nodes)}`,
} satisfies Filter);

/** What a list of plugins says about a node: follows from the list alone. */
class PluginCheck implements PreparedFilter {
  readonly key: string;
  readonly ignoresUse = true;
  readonly needed: readonly EnginePlugin[];

  constructor(needed: readonly EnginePlugin[]) {
    this.needed = needed;
    this.key = needed.map((plugin) => `${plugin.type}/${plugin.name}`).join(' ');
  }

  /** Whether the plugin of one network is all that is needed. */
  isOfNetwork(name: string | undefined): boolean {
    const [first] = this.needed;
    return this.needed.length === 1 && first?.type === 'Network' && first.name === name;
  }

  check({ node }: NodeInfo): readonly Lack[] | undefined {
    const listed = node.status.description?.engine.plugins;
    if (listed === undefined) return undefined;
    let lacks: Lack[] | undefined;
    for (const plugin of this.needed) {
      if (isListed(plugin, listed)) continue;
      if (plugin.type === 'Log' && !listed.some(({ type }) => type === 'Log')) continue;
      lacks ??= [];
      lacks.push({ what: `plugin ${plugin.type}/${plugin.name}`, needed: 1, available: 0 });
    }
    return lacks;
  }
}

/** The check that was made last, for the many tasks in a row that need the same. */
let latest = new PluginCheck([]);

/** By sort, each sort by name, each name once. */
function pluginsOf(group: TaskGroup, state: ClusterView): readonly EnginePlugin[] {
  const { networks, template } = group;
  const { container, logDriver } = template;
  const needed: EnginePlugin[] = [];
  for (const mount of container?.mounts ?? []) need(needed, 0, 'Volume', volumeDriverOf(mount));
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
  if (at === needed.length) needed.push({ type, name });
  else needed.splice(at, 0, { type, name });
}

function volumeDriverOf(mount: Mount): string | undefined {
  const name = mount.type === 'volume' ? mount.volume?.driver?.name : undefined;
  return name === 'local' ? undefined : name;
}

function isListed(plugin: EnginePlugin, listed: readonly EnginePlugin[]): boolean {
  for (const { type, name } of listed) {
    if (type !== plugin.type) continue;
    if (name === plugin.name || name === `${plugin.name}:latest`) return true;
  }
  return false;
}
