/**
 * What a node of a world holds, as one plain value: equal for equal kernels, whatever the order in
 * which they came to hold it.
 */
import type { NamespaceConfig } from '../interpreter/namespace-config.js';
import type { World } from '../interpreter/world.js';

/** See the module comment. */
export function nodeView(world: World, nodeName: string): unknown {
  const node = world.node(nodeName);
  return {
    plugs: [...node.plugs.entries()]
      .map(([place, { namespace, link }]) => `${place} ${namespace} ${JSON.stringify(link)}`)
      .sort(),
    namespaces: Object.fromEntries(
      [...node.namespaces].map(([name, { config }]) => [name, configView(config)]),
    ),
  };
}

/** One namespace; rules that can stand in any order are sorted, the last of each chain is kept. */
export function configView(config: NamespaceConfig): unknown {
  return {
    namespaces: [...config.namespaces].sort(),
    interfaces: [...config.interfaces.values()]
      .map(({ name, isBridge, master, isUp, addresses, ranges }) => ({
        name,
        isBridge,
        master,
        isUp,
        addresses: [...addresses].map(([address, prefix]) => `${address}/${prefix}`).sort(),
        first: ranges[0]?.address,
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    routes: [...config.routes.values()]
      .map(({ destination, via, device }) => `${destination} ${via ?? ''} ${device}`)
      .sort(),
    neighbours: [...config.neighbours].map((entry) => JSON.stringify(entry)).sort(),
    forwarding: [...config.forwarding].map((entry) => JSON.stringify(entry)).sort(),
    rules: [...config.tables, ...[...config.tables6].map(([name, of]) => [`${name}6`, of] as const)]
      .flatMap(([table, chains]) =>
        [...chains]
          .filter(([, { rules, policy }]) => rules.length > 0 || policy === undefined)
          .map(([chain, { rules }]) => {
            const texts = rules.map(({ text }) => text);
            // What matches everything has to stand where it stands.
            const last = texts.at(-1)?.startsWith('-j') === true ? texts.at(-1) : 'any';
            return `${table} ${chain}: ${[...texts].sort().join(' | ')} … ${last ?? ''}`;
          }),
      )
      .sort(),
    balancers: [...config.balancers]
      .map(([mark, { scheduler, flags, persistence, destinations }]) => {
        const to = destinations.map(({ address, port, weight }) => `${address}:${port} ${weight}`);
        return `${mark} ${scheduler} ${flags.join()} ${persistence} ${to.sort().join(', ')}`;
      })
      .sort(),
    localRoutes: [...config.localRoutes].map(([address, device]) => `${address} ${device}`).sort(),
    policies: ([4, 6] as const).map((family) => {
      const { rules, routes } = config.policies[family];
      return [
        [...rules].map(([mark, table]) => `${mark} ${table}`).sort(),
        [...routes].map(([table, { via, device }]) => `${table} ${via} ${device}`).sort(),
      ];
    }),
    nft: nftView(config),
    sysctls: [...config.sysctls].map(([key, value]) => `${key}=${value}`).sort(),
  };
}

/** Tables of nft: what is in each set, and the rules of each chain, in order. */
function nftView({ nft }: NamespaceConfig): unknown {
  return [...nft.tables].sort(byName).map(([name, { sets, chains }]) => ({
    name,
    sets: [...sets].sort(byName).map(([set, { types, data, elements }]) => ({
      set,
      types,
      data,
      elements: [...elements].map(([key, value]) => `${key} : ${JSON.stringify(value)}`).sort(),
    })),
    chains: [...chains].sort(byName).map(([chain, { base, rules }]) => ({
      chain,
      base,
      rules: rules.map(({ text }) => text),
    })),
  }));
}

const byName = (a: readonly [string, unknown], b: readonly [string, unknown]): number =>
  a[0] < b[0] ? -1 : 1;
