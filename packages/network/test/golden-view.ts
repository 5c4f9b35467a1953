/**
 * What counts when the tables of a namespace are compared with those that a real Docker Swarm
 * programmed.
 */
import type { NamespaceConfig } from '../src/interpreter/namespace-config.js';

/** Everything of a namespace that is compared with a recorded one, in one plain value. */
export function view(config: NamespaceConfig, tunnels: readonly string[]): unknown {
  return {
    interfaces: Object.fromEntries(
      [...config.interfaces.values()].map(({ name, addresses }) => [
        name,
        [...addresses].map(([address, prefix]) => `${address}/${prefix}`).sort(),
      ]),
    ),
    routes: [...config.routes.values()].map(({ destination, via, device }) => [
      destination,
      via,
      device,
    ]),
    rules: Object.fromEntries(
      [...config.tables].flatMap(([table, chains]) =>
        [...chains].flatMap(([chain, { rules }]) =>
          rules.length === 0
            ? []
            : [[`${table}/${chain}`, rules.map(({ text }) => text.replaceAll('  ', ' '))]],
        ),
      ),
    ),
    services: Object.fromEntries(
      [...config.balancers].map(([mark, { scheduler, destinations }]) => [
        mark,
        [scheduler, ...destinations.map((to) => `${to.address}:${to.port} ${to.weight}`).sort()],
      ]),
    ),
    forwarding: [...config.forwarding]
      .map(([mac, to]) => [mac, to.device, to.tunnelAddress])
      .sort(),
    neighbours: [...config.neighbours].map(([to, { macAddress }]) => [to, macAddress]).sort(),
    tunnels,
  };
}

/** How the tunnels among some links are set up. */
export function tunnelsOf(
  links: Iterable<{ readonly type: string; readonly options?: string }>,
): readonly string[] {
  return [...links].flatMap((link) => (link.type === 'vxlan' ? [link.options ?? ''] : []));
}
