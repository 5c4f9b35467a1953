/**
 * Any node that fits, by a draw that is the same every time.
 */
import { hash32, type DeviceShare } from '@skep/api';
import { isDeviceFit, shareOf } from '../device-ledger.js';
import type { PreparedReserve, PreparedScore, Reserve, Score } from '../policy.js';

/** Any odd number: draws of a node do not follow from each other. */
const STEP = 0x9e3779b9;

/** What decides the draw. */
export interface RandomOptions {
  readonly seed?: number | string;
}

/**
 * A number from 0 to 1 that follows from the seed, the first task of the group, the node and how
 * many
 * tasks it has: the same input gives the same choice. A policy to compare others with.
 */
export function randomScore({ seed = 0 }: RandomOptions = {}): Score {
  return Object.freeze({
    name: 'random',
    label: 'drawn',
    prepare: ({ group }): PreparedScore => {
      const salt = hash32(`${seed}/${group.tasks[0]?.meta.id ?? ''}`, 1);
      // A node draws anew once it got a task: a group does not pile up on one node.
      return { score: (node) => hash32(node.id, salt + STEP * node.activeTasks) / 2 ** 32 };
    },
  } satisfies Score);
}

/** Devices that fit, drawn in the same way. */
export function randomDevicesReserve({ seed = 0 }: RandomOptions = {}): Reserve {
  return Object.freeze({
    name: 'random-devices',
    prepare: ({ group }): PreparedReserve | undefined => {
      const { devices } = group.requirements;
      if (devices.length === 0) return undefined;
      const salt = hash32(`${seed}/${group.tasks[0]?.meta.id ?? ''}`, 2);
      return {
        choose: (node) => ({
          devices: devices.flatMap((request): readonly DeviceShare[] => {
            const { kind, count } = request;
            const known = node.devices.of(kind);
            if (known === undefined) return [];
            const draw = (index: number): number => hash32(`${node.id}/${kind}/${index}`, salt);
            return known.capacityMilli
              .map((capacity, index) => ({ kind, index, milli: shareOf(request, capacity) }))
              .filter(({ index }) => isDeviceFit(known, index, request))
              .sort((a, b) => draw(a.index) - draw(b.index) || a.index - b.index)
              .slice(0, count);
          }),
        }),
      };
    },
  } satisfies Reserve);
}
