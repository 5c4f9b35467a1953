/**
 * Devices by best fit.
 */
import { chooseDevices } from '../device-ledger.js';
import type { PreparedReserve, Reserve } from '../policy.js';

/**
 * Gives a task the devices that have the least left and fit, the lowest index among equals: whole
 * ones so by index. It is what the engine does where no reserve chooses.
 * **Source:** "Beware of Fragmentation" (USENIX ATC'23), the published simulator's default.
 */
export const tightestDevicesReserve: Reserve = Object.freeze({
  name: 'tightest-devices',
  prepare: ({ group }): PreparedReserve | undefined => {
    const { devices } = group.requirements;
    if (devices.length === 0) return undefined;
    return { choose: (node) => ({ devices: chooseDevices(node.devices, devices) }) };
  },
} satisfies Reserve);
