import { describe, expect, it } from '@jest/globals';
import { nodeLinkConformance } from './node-link.js';

// Nothing in between: node and manager in one process.
nodeLinkConformance({ describe, it, expect }, async (link) => ({
  link,
  settle: (promise) => promise,
  close: () => Promise.resolve(),
}));
