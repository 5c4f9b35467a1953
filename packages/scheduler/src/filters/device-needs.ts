/**
 * Whether a node has enough devices, each with enough left of it.
 *
 * **Source:** the rule is that of Kubernetes' device sharing extenders and of the OpenB experiments
 * (USENIX ATC'23, "Beware of Fragmentation"): `count` devices, each with the share free.
 */
import type { DeviceRequest } from '@skep/api';
import { fitDevices, isDeviceFit } from '../device-ledger.js';
import type { NodeInfo } from '../node-info.js';
import type { Lack } from '../policy.js';

/** Whether every request can be met. A kind that is named twice can not: it is not said how. */
export function hasDevices(node: NodeInfo, requests: readonly DeviceRequest[]): boolean {
  for (let at = 0; at < requests.length; at += 1) {
    if (isTwice(requests, at) || !isEnough(node, requests[at] as DeviceRequest)) return false;
  }
  return true;
}

function isEnough(node: NodeInfo, request: DeviceRequest): boolean {
  const devices = node.devices.of(request.kind);
  if (devices === undefined) return false;
  let missing = request.count;
  // Most requests are refused because too little is free at all: that is known at once.
  if (request.milli !== undefined && devices.totalFreeMilli < missing * request.milli) return false;
  for (let index = 0; index < devices.capacityMilli.length && missing > 0; index += 1) {
    if (isDeviceFit(devices, index, request)) missing -= 1;
  }
  return missing === 0;
}

/** Requests are sorted by kind. */
function isTwice(requests: readonly DeviceRequest[], at: number): boolean {
  return requests[at + 1]?.kind === requests[at]?.kind;
}

/** What of the requests cannot be met. */
export function deviceLacks(node: NodeInfo, requests: readonly DeviceRequest[]): readonly Lack[] {
  return requests.flatMap((request, at): readonly Lack[] => {
    if (isTwice(requests, at)) {
      return [{ what: `device ${request.kind}`, needed: 'one request', available: 'several' }];
    }
    const available = fitDevices(node.devices.of(request.kind), request);
    if (available >= request.count) return [];
    return [{ what: whatOf(request), needed: request.count, available }];
  });
}

/** `gpu devices with 460 thousandths free (V100M16 or V100M32)`. */
function whatOf({ kind, milli, models = [] }: DeviceRequest): string {
  const amount = milli === undefined ? 'wholly free' : `with ${milli} thousandths free`;
  return `${kind} devices ${amount}${models.length === 0 ? '' : ` (${models.join(' or ')})`}`;
}
