/** The command skep, and what it shows: usable in programs of one's own. */
export { run } from './program.js';
export { EXIT } from './surroundings.js';
export { allocationsOf, renderAllocations } from './views/allocations.js';
export { chronicleOf, renderChronicle, shortTaskName } from './views/chronicle.js';
export { Chronicler } from './views/chronicler.js';
export { nodeMaps, nodeTables } from './views/network.js';
export { clusterSummary, nodesTable, servicesTable } from './views/summary.js';
export type { ExitCode, Surroundings } from './surroundings.js';
export type { Allocations } from './views/allocations.js';
export type { ChronicleLine } from './views/chronicle.js';
