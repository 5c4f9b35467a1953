/**
 * What a task gets on its node beyond cpu and memory: what reserves chose, and the rest by default.
 */
import type { Mount } from '@skep/api';
import { chooseDevices } from './device-ledger.js';
import type { NodeInfo } from './node-info.js';
import type { Requirements } from './requirements.js';
import { NO_RESERVATION, type Reservation } from './task-claim.js';
import type { VolumeChoice } from './volume-ledger.js';

/**
 * Completes a reservation: named items of generic resources by name, shares of devices by best fit
 * and whole ones by index, volumes as the ledger of volumes chooses.
 */
export function chooseReservation(
  volumes: { choose(mounts: readonly Mount[], node: NodeInfo): VolumeChoice },
  node: NodeInfo,
  requirements: Requirements,
  chosen: Reservation = NO_RESERVATION,
): Reservation {
  const { generic, clusterMounts, devices } = requirements;
  if (generic.length === 0 && clusterMounts.length === 0 && devices.length === 0) return chosen;
  const volume =
    clusterMounts.length === 0 || chosen.volumes !== undefined
      ? undefined
      : volumes.choose(clusterMounts, node);
  return {
    ...(generic.length > 0 ? { genericResources: node.generic.choose(generic) } : {}),
    ...(devices.length > 0 && chosen.devices === undefined
      ? { devices: chooseDevices(node.devices, devices) }
      : {}),
    ...(volume?.ok === true ? { volumes: volume.uses } : {}),
    ...chosen,
  };
}
