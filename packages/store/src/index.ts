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
  ObjectEvent,
  Store,
  Transaction,
  View,
  WatchSelector,
} from './contract.js';
