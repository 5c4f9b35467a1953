/**
 * Load balancing in a network's sandbox as Docker lays it out: a virtual address of the sandbox, a
 * firewall mark for it, an IPVS service by mark, source translation so that replies come back.
 *
 * **Source:** moby daemon/libnetwork service_linux; ipvsadm(8).
 */
import type { VipTable } from '../table/node-tables.js';
import type { HostTable, NetworkHeader } from '../table/node-tables.js';
import { endpointText, familyOf, hostPrefix, ipRangeText } from '../table/ip.js';
import { addressOf } from '../table/ipv4.js';
import { balancerAddress } from '../table/network-table.js';
import { ADDITION, REMOVAL, filterTool, rule, type Item } from '../render/item.js';
import { sandboxNamespace, type NamespaceReference } from '../render/rendered.js';

type HostHeader = Omit<HostTable, 'ingressPorts'>;

const FAMILIES = [4, 6] as const;

/** Matches and target that give a mark, as the kernel prints them. */
export function markTarget(mark: number): string {
  return `-j MARK --set-xmark 0x${mark.toString(16)}/0xffffffff`;
}

/** Empties a table of a namespace that is ours, so that its whole text can be applied again. */
function resetItem(namespace: NamespaceReference, table: 'mangle' | 'nat', family: 4 | 6): Item {
  return {
    namespace,
    tool: filterTool(family),
    table,
    key: `reset/${table}`,
    addition: ADDITION.namespace,
    removal: REMOVAL.segment,
    add: ['-F'],
    remove: [],
  };
}

/** Rules of a sandbox that hold for all its VIPs. */
export function sandboxRuleItems(host: HostHeader, network: NetworkHeader): readonly Item[] {
  const namespace = sandboxNamespace(host.namespacePrefix, network);
  return FAMILIES.flatMap((family) => {
    const own = balancerAddress(network, family);
    if (own === undefined) return [];
    const subnets = network.subnets.filter(({ subnet }) => familyOf(subnet) === family);
    return [
      resetItem(namespace, 'mangle', family),
      resetItem(namespace, 'nat', family),
      ...subnets.map(({ subnet }) =>
        rule({
          namespace,
          family,
          table: 'nat',
          chain: 'POSTROUTING',
          rule: `-d ${ipRangeText(subnet)} -m ipvs --ipvs -j SNAT --to-source ${addressOf(own)}`,
          addition: ADDITION.rule,
          removal: REMOVAL.mark,
        }),
      ),
    ];
  });
}

/**
 * IPVS scheduler of a VIP. Plain round robin ignores weights in the kernel, so it becomes the
 * weighted form when backends that get connections differ in weight.
 */
export function schedulerOf(vip: Pick<VipTable, 'algorithm' | 'backends'>): string {
  const weights = new Set(vip.backends.map(({ weight }) => weight).filter((weight) => weight > 0));
  const isWeighted = weights.size > 1;
  switch (vip.algorithm) {
    case 'round-robin':
      return isWeighted ? 'wrr' : 'rr';
    case 'weighted-round-robin':
      return 'wrr';
    case 'least-connections':
      return isWeighted ? 'wlc' : 'lc';
    case 'source-hash':
      // Without the fallback, clients of a backend that drains would be refused.
      return 'sh -b sh-fallback';
    case 'maglev':
      return 'mh -b mh-fallback';
  }
}

/** What a VIP needs in its network's sandbox; nothing while the sandbox has no address. */
export function vipItems(host: HostHeader, network: NetworkHeader, vip: VipTable): readonly Item[] {
  const family = familyOf(vip.address);
  if (balancerAddress(network, family) === undefined) return [];
  const namespace = sandboxNamespace(host.namespacePrefix, network);
  const { mark, address } = vip;
  const persistence =
    vip.affinity === undefined
      ? ''
      : ` -p ${Math.max(1, Math.ceil(vip.affinity.timeoutMs / 1000))}`;
  const front = `-f ${mark}${family === 6 ? ' -6' : ''}`;
  const service = `${front} -s ${schedulerOf(vip)}${persistence}`;
  const serviceKey = `service/${front}`;
  const own = `${address}/${hostPrefix(address)}`;
  return [
    {
      namespace,
      tool: 'ipvs',
      key: serviceKey,
      addition: ADDITION.balancer,
      removal: REMOVAL.balancer,
      add: [`-A ${service}`],
      replace: [`-E ${service}`],
      remove: [`-D ${front}`],
    },
    ...vip.backends.map(({ address: backend, weight }): Item => {
      // Port 0 keeps the packet's; the task's own namespace translates published ports.
      const destination = `${front} -r ${endpointText(backend, 0)}`;
      return {
        namespace,
        tool: 'ipvs',
        key: `${serviceKey}/${backend}`,
        addition: ADDITION.backend,
        removal: REMOVAL.backend,
        add: [`-a ${destination} -m -w ${weight}`],
        replace: [`-e ${destination} -m -w ${weight}`],
        isReduction: weight === 0,
        remove: [`-d ${destination}`],
        within: serviceKey,
      };
    }),
    {
      namespace,
      tool: 'ip',
      key: `vip/${address}`,
      addition: ADDITION.mark,
      removal: REMOVAL.mark,
      // There is nobody to ask whether an IPv6 address is taken.
      add: [`addr add ${own} dev eth0${family === 6 ? ' nodad' : ''}`],
      remove: [`addr del ${own} dev eth0`],
    },
    rule({
      namespace,
      family,
      table: 'mangle',
      chain: 'INPUT',
      rule: `-d ${own} ${markTarget(mark)}`,
      key: address,
      addition: ADDITION.mark,
      removal: REMOVAL.mark,
    }),
  ];
}
