/**
 * The subnets, gateways and VXLAN ids of a network that has none yet.
 *
 * **Source:** libnetwork cnmallocator (allocatePools), drivers/overlay/ovmanager.
 */
import {
  isSkepError,
  messageOf,
  type AllocatedSubnet,
  type IpamConfig,
  type Network,
} from '@skep/api';
import {
  AddressSpace,
  VXLAN_ID_OPTION,
  formatPrefix,
  parsePrefix,
  wantedVxlanIds,
  type AddressBits,
  type IpPrefix,
} from '@skep/network';
import { failure, success, type FailureCode, type Outcome } from './failure.js';
import { auxiliaryAddresses } from './network-ledger.js';
import type { AllocationPass } from './pass.js';
import { isOverlay } from './waiting.js';

/** One subnet that a network wants. */
interface SubnetWish {
  readonly bits: AddressBits;
  /** Absent: cut from the pools. */
  readonly config?: IpamConfig & { readonly subnet: string };
}

/** Subnets of a network, and what of its spec they leave out. */
export interface SubnetPlan {
  readonly subnets: readonly AllocatedSubnet[];
  readonly note: string;
}

type SubnetDraft = Omit<AllocatedSubnet, 'vxlanId'>;

/**
 * Takes subnets and VXLAN ids for a network, all or none: on a failure the caller rolls back.
 * One IPv4 subnet is cut from the pools when the network names none, and one IPv6 subnet when it
 * wants IPv6 and names none.
 */
export function planSubnets(pass: AllocationPass, network: Network): Outcome<SubnetPlan> {
  const wishes = subnetWishes(network);
  if (!wishes.ok) return wishes;
  const drafts: SubnetDraft[] = [];
  for (const wish of wishes.value.wishes) {
    const subnet = takeSubnet(pass, network, wish);
    if (!subnet.ok) return subnet;
    drafts.push(subnet.value);
  }
  const ids = takeVxlanIds(pass, network, segmentCount(drafts));
  if (!ids.ok) return ids;
  const seen = { 4: 0, 6: 0 };
  const subnets = drafts.map((draft) => {
    // The n-th subnets of both families are one segment.
    const family = draft.subnet.includes(':') ? 6 : 4;
    const vxlanId = ids.value[seen[family]] ?? 0;
    seen[family] += 1;
    return { ...draft, vxlanId };
  });
  return success({ subnets, note: wishes.value.note });
}

function subnetWishes(
  network: Network,
): Outcome<{ readonly wishes: readonly SubnetWish[]; readonly note: string }> {
  const { enablesIpv4 = true, enablesIpv6 = false } = network.spec;
  const wishes: { 4: SubnetWish[]; 6: SubnetWish[] } = { 4: [], 6: [] };
  const ignored: string[] = [];
  for (const config of network.spec.ipam?.configs ?? []) {
    const { subnet } = config;
    if (subnet === undefined || subnet === '') {
      if (config.gateway !== undefined || config.ipRange !== undefined) {
        return failure('invalid-subnet', 'a gateway or an ipRange needs the subnet it lies in');
      }
      continue;
    }
    const prefix = parsePrefix(subnet);
    if (prefix === undefined) {
      return failure('invalid-subnet', `subnet '${subnet}' is not a range such as 10.0.9.0/24`);
    }
    const family = prefix.bits === 32 ? 4 : 6;
    const isEnabled = family === 4 ? enablesIpv4 : enablesIpv6;
    if (isEnabled) wishes[family].push({ bits: prefix.bits, config: { ...config, subnet } });
    else ignored.push(`subnet ${subnet} is not used, the network has no IPv${family}`);
  }
  if (enablesIpv4 && wishes[4].length === 0) wishes[4].push({ bits: 32 });
  if (enablesIpv6 && wishes[6].length === 0) wishes[6].push({ bits: 128 });
  if (enablesIpv4 && enablesIpv6 && wishes[4].length !== wishes[6].length) {
    return failure(
      'invalid-subnet',
      `${wishes[4].length} IPv4 and ${wishes[6].length} IPv6 subnets: a network of both families ` +
        'needs as many of either',
    );
  }
  return success({ wishes: [...wishes[4], ...wishes[6]], note: ignored.join('; ') });
}

function segmentCount(drafts: readonly SubnetDraft[]): number {
  const six = drafts.filter(({ subnet }) => subnet.includes(':')).length;
  return Math.max(six, drafts.length - six);
}

function takeSubnet(
  pass: AllocationPass,
  network: Network,
  { bits, config }: SubnetWish,
): Outcome<SubnetDraft> {
  const chosen = config === undefined ? cut(pass, bits) : asked(pass, config.subnet);
  if (!chosen.ok) return chosen;
  const prefix = chosen.value;
  const { book } = pass;
  book.claimSubnet(prefix, network.meta.id);
  pass.onRollback(() => book.releaseSubnet(prefix));
  const subnet = formatPrefix(prefix);
  const inSubnet = config?.auxiliaryAddresses ?? {};
  try {
    const space = new AddressSpace({
      subnet,
      ...(config?.gateway === undefined ? {} : { gateway: config.gateway }),
      ...(config?.ipRange === undefined ? {} : { ipRange: config.ipRange }),
      reserved: [
        ...Object.values(inSubnet),
        ...auxiliaryAddresses(network).filter((address) =>
          new AddressSpace({ subnet }).holds(address),
        ),
      ],
    });
    return success({
      subnet,
      gateway: space.gateway,
      ...(config?.ipRange === undefined ? {} : { ipRange: config.ipRange }),
      lastAddress: space.lastAddress,
    });
  } catch (thrown) {
    return failure('invalid-subnet', messageOf(thrown));
  }
}

function cut(pass: AllocationPass, bits: AddressBits): Outcome<IpPrefix> {
  const { book } = pass;
  if (book.poolFault !== undefined) return failure('invalid-pool', book.poolFault);
  try {
    return success(book.subnets.choose({ bits }));
  } catch (thrown) {
    const code: FailureCode = isSkepError(thrown, 'resource-exhausted')
      ? 'no-more-subnets'
      : 'invalid-pool';
    return failure(code, messageOf(thrown));
  }
}

function asked(pass: AllocationPass, subnet: string): Outcome<IpPrefix> {
  const prefix = parsePrefix(subnet);
  if (prefix === undefined) return failure('invalid-subnet', `subnet '${subnet}' is no range`);
  const other = pass.book.subnets.overlapping(prefix);
  if (other === undefined) return success(prefix);
  const owner = pass.book.ownerOf(other);
  const name = owner === undefined ? '' : ` of network '${networkName(pass, owner)}'`;
  return failure(
    'subnet-overlap',
    `subnet ${formatPrefix(prefix)} overlaps ${formatPrefix(other)}${name}`,
  );
}

function takeVxlanIds(
  pass: AllocationPass,
  network: Network,
  count: number,
): Outcome<readonly number[]> {
  if (!isOverlay(network)) return success([]);
  const { vxlanIds } = pass.book;
  const owner = network.meta.id;
  const options = network.spec.driver?.options;
  const wanted = wantedVxlanIds(options);
  if (wanted === undefined) {
    const list = options?.[VXLAN_ID_OPTION] ?? '';
    return failure(
      'invalid-vxlan-id',
      `VXLAN ids '${list}' are not different numbers from 4096 to 16777215, separated by commas`,
    );
  }
  const last = vxlanIds.last;
  pass.onRollback(() => {
    vxlanIds.last = last;
  });
  const ids: number[] = [];
  for (let at = 0; at < count; at += 1) {
    const asked = wanted[at];
    const rival = asked === undefined ? undefined : vxlanIds.conflict(asked, owner);
    if (asked !== undefined && rival !== undefined) {
      const name = networkName(pass, rival);
      return failure('vxlan-id-conflict', `VXLAN id ${asked} is taken by network '${name}'`);
    }
    if (asked !== undefined) vxlanIds.claim(asked, owner);
    const id = asked ?? vxlanIds.next(owner);
    if (id === undefined) return failure('vxlan-ids-exhausted', 'no VXLAN id is free');
    pass.onRollback(() => vxlanIds.release(id, owner));
    ids.push(id);
  }
  return success(ids);
}

function networkName(pass: AllocationPass, id: string): string {
  return pass.network(id)?.meta.name ?? id;
}
