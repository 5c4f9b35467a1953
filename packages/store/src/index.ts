/** Desired state: typed tables, atomic transactions, revisions and watches. */
export { CHANGES_MAX } from './contract.js';
export type {
  Backend,
  BatchResult,
  Change,
  CommitEvent,
  CommitRecord,
  CommitResult,
  Conflict,
  Expectation,
  ObjectChoice,
  ObjectEvent,
  Store,
  Transaction,
  View,
  WatchSelector,
} from './contract.js';
export { meteredStore } from './metered-store.js';
export type { MeteredStoreParts } from './metered-store.js';
export { chooserOf, chosenEvent } from './object-choice.js';
export { memoryBackend, memoryStore, openStore } from './open.js';
export { LOG_COMMITS_MAX, LOG_EVENTS_MAX, WATCHER_BUFFER_MAX } from './options.js';
export type { StoreOptions } from './options.js';
export { sharedMemoryLog } from './shared-memory-log.js';
export type { SharedMemoryLog, SharedMemoryLogOptions } from './shared-memory-log.js';
