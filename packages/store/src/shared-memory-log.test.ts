import { describe, expect, it } from '@jest/globals';
import { seededRandom, type VirtualClock } from '@skep/api/virtual';
import { sharedStoreConformance, storeConformance, type StoreGroup } from './conformance.js';
import { openStore, sharedMemoryLog } from './index.js';
import type { SharedMemoryLogOptions } from './shared-memory-log.js';

function groupOn(clock: VirtualClock, options: Omit<SharedMemoryLogOptions, 'clock'>): StoreGroup {
  const log = sharedMemoryLog({ clock, ...options });
  return {
    open: (storeOptions) => openStore({ ...storeOptions, backend: log.backend() }),
    settle: () => clock.advance(10_000),
  };
}

describe('one store over a shared log', () => {
  storeConformance(
    { describe, it, expect },
    (options) => openStore({ ...options, backend: sharedMemoryLog(options).backend() }),
    { randomCommits: 200 },
  );
});

describe('a shared log that delivers at once', () => {
  sharedStoreConformance({ describe, it, expect }, (clock) => groupOn(clock, {}));
});

describe('a shared log that delivers late', () => {
  sharedStoreConformance({ describe, it, expect }, (clock) => {
    const random = seededRandom('late');
    return groupOn(clock, { deliveryDelayMs: () => random.int(50) });
  });
});
