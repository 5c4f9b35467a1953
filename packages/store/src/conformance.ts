/**
 * The conformance suites: what every store has to do, whatever keeps its commits.
 *
 * Plain functions that take a test framework's `{ describe, it, expect }`, so that a backend in any
 * repository can be put under them. The memory store passes the same suites: the fake is the real
 * thing.
 *
 * **Source:** etcd's watch guarantees (ordered, unique, complete, resumable, compacted is said),
 * and the classes of bugs that its robustness tests found.
 */
import { changeSuite } from './conformance/changes.js';
import { expectationSuite } from './conformance/expectations.js';
import type { ConformanceKit, MakeStore, MakeStoreGroup } from './conformance/kit.js';
import { lifeSuite } from './conformance/life.js';
import { removalSuite } from './conformance/removal.js';
import { sharedSuite } from './conformance/shared.js';
import { viewSuite } from './conformance/views.js';
import { watchSuite } from './conformance/watches.js';

export type {
  ConformanceKit,
  ConformanceMatchers,
  MakeStore,
  MakeStoreGroup,
  StoreGroup,
} from './conformance/kit.js';

/** How thorough the suites are. */
export interface ConformanceOptions {
  /** Commits of the random scenarios. Fewer for slow backends. Default: 2,000. */
  readonly randomCommits?: number;
}

/** Registers the suite of one store over its backend, empty at first. */
export function storeConformance(
  kit: ConformanceKit,
  makeStore: MakeStore,
  { randomCommits = 2_000 }: ConformanceOptions = {},
): void {
  changeSuite(kit, makeStore);
  removalSuite(kit, makeStore);
  expectationSuite(kit, makeStore);
  viewSuite(kit, makeStore, randomCommits);
  watchSuite(kit, makeStore);
  lifeSuite(kit, makeStore);
}

/** Registers the suite of several stores over one shared backend, empty at first. */
export function sharedStoreConformance(
  kit: ConformanceKit,
  makeGroup: MakeStoreGroup,
  { randomCommits = 200 }: ConformanceOptions = {},
): void {
  sharedSuite(kit, makeGroup, randomCommits);
}
