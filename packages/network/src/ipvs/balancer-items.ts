/**
 * Load balancing in a network's sandbox as Docker lays it out: a virtual address of the sandbox, a
 * firewall mark for it, an IPVS service by mark, source translation so that replies come back.
 *
 * **Source:** moby daemon/libnetwork service_linux; ipvsadm(8).
 */
import type { VipTable } from '../table/node-tables.js';
import type { HostTable, NetworkHeader } from '../table/node-tables.js';
import { addressOf, ipv4RangeText, isIpv4 } from '../table/ipv4.js';
import { ADDITION, REMOVAL, rule, type Item } from '../render/item.js';
import { sandboxNamespace, type NamespaceReference } from '../render/rendered.js';

type HostHeader = Omit<HostTable, 'ingressPorts'>;

/** Matches and target that give a mark, as the kernel prints them. */
export function markTarget(mark: number): string {
  return `-j MARK --set-xmark 0x${mark.toString(16)}/0xffffffff`;
}

/** Empties a table of a namespace that is ours, so that its whole text can be applied again. */
export function resetItem(namespace: NamespaceReference, table: 'mangle' | 'nat'): Item {
  return {
    namespace,
    tool: 'iptables',
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
  const { loadBalancerAddress, subnets } = network;
  if (loadBalancerAddress === undefined) return [];
  const namespace = sandboxNamespace(host.namespacePrefix, network);
  const source = addressOf(loadBalancerAddress);
  return [
    resetItem(namespace, 'mangle'),
    resetItem(namespace, 'nat'),
    ...subnets
      .filter(({ subnet }) => isIpv4(subnet))
      .map(({ subnet }) =>
        rule({
          namespace,
          table: 'nat',
          chain: 'POSTROUTING',
          rule: `-d ${ipv4RangeText(subnet)} -m ipvs --ipvs -j SNAT --to-source ${source}`,
          addition: ADDITION.rule,
          removal: REMOVAL.mark,
        }),
      ),
  ];
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
  if (network.loadBalancerAddress === undefined || !isIpv4(vip.address)) return [];
  const namespace = sandboxNamespace(host.namespacePrefix, network);
  const { mark, address } = vip;
  const persistence =
    vip.affinity === undefined
      ? ''
      : ` -p ${Math.max(1, Math.ceil(vip.affinity.timeoutMs / 1000))}`;
  const service = `-f ${mark} -s ${schedulerOf(vip)}${persistence}`;
  const serviceKey = `service/${mark}`;
  return [
    {
      namespace,
      tool: 'ipvs',
      key: serviceKey,
      addition: ADDITION.balancer,
      removal: REMOVAL.balancer,
      add: [`-A ${service}`],
      replace: [`-E ${service}`],
      remove: [`-D -f ${mark}`],
    },
    ...vip.backends.map(({ address: backend, weight }): Item => {
      // Port 0 keeps the packet's; the task's own namespace translates published ports.
      const destination = `-f ${mark} -r ${backend}:0`;
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
      add: [`addr add ${address}/32 dev eth0`],
      remove: [`addr del ${address}/32 dev eth0`],
    },
    rule({
      namespace,
      table: 'mangle',
      chain: 'INPUT',
      rule: `-d ${address}/32 ${markTarget(mark)}`,
      key: address,
      addition: ADDITION.mark,
      removal: REMOVAL.mark,
    }),
  ];
}
