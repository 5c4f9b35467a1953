/** A cluster on this machine: manager, agents and supervisor as processes of their own. */
export { down } from './down.js';
export type { ClusterDown, DownOptions } from './down.js';
export { listClusters } from './kept-clusters.js';
export { DEFAULT_CLUSTER, DEFAULT_STATE_ROOT, placeOf } from './place.js';
export type { ClusterPaths, ClusterPlace } from './place.js';
export type { LocalPort } from './ports/port-publisher.js';
export type { ProcessRole } from './process/process-search.js';
export { runProcess } from './run-process.js';
export type { HostsKind, RuntimeKind, WantedSettings } from './settings.js';
export { status } from './status.js';
export type { LocalProcess, LocalStatus } from './status.js';
export { up } from './up.js';
export type { ClusterUp, LocalNode, UpOptions, UpStep } from './up.js';
