/**
 * What the kernel of a simulated node holds, as one plain value: equal for equal kernels, in
 * whatever order they came to hold it.
 */
import type { World } from '@skep/network';

/** See the module comment. */
export function kernelView(world: World, nodeName: string): Readonly<Record<string, unknown>> {
  const node = world.node(nodeName);
  const spaces = [...node.namespaces].map(([name, { config }]) => {
    const rules = [...config.tables].flatMap(([table, chains]) =>
      [...chains].flatMap(([chain, { rules: own }]) => {
        const texts = own.map(({ text }) => text);
        // Only what matches everything has a place of its own: the last.
        const last = texts.at(-1)?.startsWith('-j') === true ? texts.at(-1) : '';
        return texts.length === 0
          ? []
          : [`${table} ${chain}: ${sorted(texts).join(' | ')} / ${last ?? ''}`];
      }),
    );
    const interfaces = [...config.interfaces.values()].map((one) => {
      const addresses = sorted([...one.addresses].map(([address, prefix]) => `${address}/${prefix}`));
      return JSON.stringify([one.name, one.isBridge, one.isUp, one.master, addresses]);
    });
    const balancers = [...config.balancers].map(([mark, { scheduler, destinations }]) => {
      const to = destinations.map(({ address, port, weight }) => `${address}:${port}=${weight}`);
      return `${mark} ${scheduler} ${sorted(to).join(' ')}`;
    });
    const routes = [...config.routes.values()].map((route) =>
      [route.destination, route.via, route.device].join(' '),
    );
    return [
      name,
      {
        rules: sorted(rules),
        interfaces: sorted(interfaces),
        balancers: sorted(balancers),
        routes: sorted(routes),
        neighbours: sorted([...config.neighbours].map((entry) => JSON.stringify(entry))),
        forwarding: sorted([...config.forwarding].map((entry) => JSON.stringify(entry))),
        sysctls: sorted([...config.sysctls].map((entry) => entry.join('='))),
      },
    ] as const;
  });
  const plugs = [...node.plugs].map(([place, { namespace }]) => `${place} ${namespace}`);
  return { ...Object.fromEntries(spaces), plugs: sorted(plugs) };
}

const sorted = (texts: readonly string[]): readonly string[] => [...texts].sort();
