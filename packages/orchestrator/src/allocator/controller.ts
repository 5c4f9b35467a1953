/**
 * The allocator as a controller.
 */
import { ACTORS } from '@skep/api';
import type { BatchController } from '@skep/controller';
import { AllocatorMemory } from './memory.js';
import { planAllocations } from './plan.js';
import { allocatorWatches } from './wakes.js';

/**
 * The loop that hands out subnets, addresses, VXLAN ids and ports, and takes them back.
 *
 * Keys are `Network/ID`, `Node/ID`, `Service/ID` and `Task/ID`. What cannot be given is said in the
 * status of the object that wants it, and tried again when something that it waits for changes;
 * nothing is tried again by time. The only times are those at which a quarantine ends.
 *
 * **Source:** SwarmKit manager/allocator (allocator.go, network.go), libnetwork cnmallocator.
 */
export function allocatorController(): BatchController {
  const memory = new AllocatorMemory();
  return {
    name: ACTORS.allocator,
    rule: 'allocate',
    watches: allocatorWatches(memory),
    state: memory,
    planBatch: (view, keys, now) => planAllocations(memory, view, keys, now),
  };
}
