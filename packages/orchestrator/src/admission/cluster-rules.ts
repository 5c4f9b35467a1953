/**
 * The cluster, its nodes and its volumes.
 *
 * **Source:** SwarmKit manager/controlapi/{cluster,node,volume}.go.
 */
import {
  Node,
  clusterSettings,
  isEqual,
  parseCidr,
  type Cluster,
  type ClusterSpec,
  type Volume,
} from '@skep/api';
import type { View } from '@skep/store';
import type { Objections } from './complaint.js';
import { requireWithin } from './number-rules.js';
import { judgeChoice } from './update-rules.js';

/** Fields of the cluster that hold whole numbers, and their ranges. */
const RANGES: readonly (readonly [
  keyof ClusterSpec & ('heartbeatPeriodMs' | 'subnetPrefix' | 'dataPathPort' | 'heartbeatGrace'),
  number,
  number,
])[] = [
  ['heartbeatPeriodMs', 1, 3_600_000],
  ['heartbeatGrace', 1, 1_000],
  ['subnetPrefix', 8, 29],
  ['dataPathPort', 1_024, 49_151],
];

/** Everything that the settings of a cluster have to be. */
export function judgeCluster(to: Objections, { spec }: Cluster, before: Cluster | undefined): void {
  for (const [name, least, most] of RANGES) {
    const number = { field: `spec.${name}`, value: spec[name], noun: name };
    requireWithin(to, number, { least, most });
  }
  for (const name of ['orphanAfterMs', 'dnsTtlMs', 'drainTimeoutMs'] as const) {
    const value = spec[name];
    to.require(value === undefined || value >= 0, `spec.${name}`, {
      message: `${name} is ${value}`,
      hint: 'write 0 or more',
    });
  }
  const limit = spec.taskHistoryLimit ?? 0;
  to.require(Number.isSafeInteger(limit), 'spec.taskHistoryLimit', {
    message: `the history limit is ${limit}`,
    hint: 'write a whole number; a negative one keeps all',
  });
  judgePools(to, spec);
  judgeDataplane(to, spec, before?.spec);
}

/** Chosen for good: services that were admitted for one may ask for more than the other can. */
function judgeDataplane(to: Objections, spec: ClusterSpec, before: ClusterSpec | undefined): void {
  const field = 'spec.dataplane';
  judgeChoice(to, { field, value: spec.dataplane, of: ['ipvs', 'nftables'] });
  if (before === undefined) return;
  const { dataplane } = clusterSettings(before);
  to.require(clusterSettings(spec).dataplane === dataplane, field, {
    code: 'failed-precondition',
    message: `the dataplane of a cluster cannot be changed, here from ${dataplane}`,
    hint: 'make another cluster with that dataplane',
  });
}

function judgePools(to: Objections, spec: ClusterSpec): void {
  const { dynamicPorts, addressPools, subnetPrefix } = clusterSettings(spec);
  const { first, last } = dynamicPorts;
  to.require(first >= 1 && last <= 65_535 && first <= last, 'spec.dynamicPorts', {
    message: `the range of dynamic ports is ${first} to ${last}`,
    hint: 'write a range within 1 to 65535',
  });
  for (const [index, text] of addressPools.entries()) {
    const range = text.includes('/') ? parseCidr(text) : undefined;
    const isRight = range !== undefined && (range.bits === 128 || range.prefix <= subnetPrefix);
    to.require(isRight, `spec.addressPools[${index}]`, {
      message: `'${text}' is not a range that subnets of /${subnetPrefix} can be cut from`,
      hint: 'write it as 10.0.0.0/8',
    });
  }
}

/** Everything that a node has to be. The last manager stays one. */
export function judgeNode(to: Objections, node: Node, view: View, before: Node | undefined): void {
  const { role, availability } = node.spec;
  judgeChoice(to, { field: 'spec.role', value: role, of: ['worker', 'manager'] });
  const of = ['active', 'pause', 'drain'];
  judgeChoice(to, { field: 'spec.availability', value: availability, of });
  if (before?.spec.role !== 'manager' || role === 'manager') return;
  const isOther = view.list(Node).some(({ spec }) => spec.role === 'manager');
  to.require(isOther, 'spec.role', {
    code: 'failed-precondition',
    message: 'the node is the last manager',
    hint: 'make another node a manager first',
  });
}

/** A node goes when it is not in contact, unless forced, and is no manager. */
export function judgeNodeRemoval(to: Objections, node: Node, isForced: boolean): void {
  to.require(node.spec.role !== 'manager', 'spec.role', {
    code: 'failed-precondition',
    message: 'the node is a manager',
    hint: 'make it a worker first',
  });
  to.require(isForced || node.status.state !== 'ready', '', {
    code: 'failed-precondition',
    message: 'the node is ready',
    hint: 'stop the node first, or force the removal',
  });
}

/** Everything that a volume has to be. */
export function judgeVolume(to: Objections, volume: Volume, before: Volume | undefined): void {
  const { driver, availability, access } = volume.spec;
  to.require(driver.name !== '', 'spec.driver.name', {
    message: 'the driver has no name',
    hint: 'name the driver that provides the volume',
  });
  const of = ['active', 'pause', 'drain'];
  judgeChoice(to, { field: 'spec.availability', value: availability, of });
  if (before === undefined) return;
  const isSame = isEqual([before.spec.driver, before.spec.access], [driver, access]);
  to.require(isSame, 'spec', {
    code: 'failed-precondition',
    message: 'driver and access of a volume cannot be changed',
    hint: 'create another volume',
  });
}

/** A volume goes when no node has it. */
export function judgeVolumeRemoval(to: Objections, { status }: Volume): void {
  const count = status.published?.length ?? 0;
  to.require(count === 0, '', {
    code: 'failed-precondition',
    message: `the volume is published to ${count} nodes`,
    hint: 'drain it and wait until it is unpublished',
  });
}
