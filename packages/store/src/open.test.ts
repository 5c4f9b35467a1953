import { describe, expect, it } from '@jest/globals';
import { storeConformance } from './conformance.js';
import { memoryBackend, memoryStore, openStore } from './index.js';

describe('memoryStore', () => {
  storeConformance({ describe, it, expect }, (options) => memoryStore(options));
});

describe('openStore over a memory backend', () => {
  storeConformance(
    { describe, it, expect },
    (options) => openStore({ ...options, backend: memoryBackend() }),
    { randomCommits: 200 },
  );
});

describe('a backend without appendNow', () => {
  storeConformance(
    { describe, it, expect },
    (options) => {
      const { load, append, subscribe, compact, close } = memoryBackend();
      return openStore({ ...options, backend: { load, append, subscribe, compact, close } });
    },
    { randomCommits: 200 },
  );
});
