/** Virtual hosts: deterministic, fault-injecting, with packets one can send. */
export { drawTimes, hasHealthCheck, timeToHealthy, timeToUnhealthy } from './behaviour.js';
export { SimulatedContainer } from './container.js';
export { containerFiles } from './container-files.js';
export { delay, untilAborted } from './delay.js';
export { describeHost, ENGINE_PLUGINS } from './description.js';
export { parseTarget } from './request.js';
export { SimulatedDataplane } from './simulated-dataplane.js';
export { SimulatedHost } from './simulated-host.js';
export { SimulatedLink } from './simulated-link.js';
export { SimulatedResolver } from './simulated-resolver.js';
export { SimulatedRuntime } from './simulated-runtime.js';
export { Simulator } from './simulator.js';
export type {
  BehaviourOf,
  ContainerBehaviour,
  ContainerTimes,
  SimulatedRequest,
  SimulatedResponse,
} from './behaviour.js';
export type { ContainerFile } from './container-files.js';
export type { RequestOptions, RequestResult, RequestTarget } from './request.js';
export type { SimulatedDataplaneOptions } from './simulated-dataplane.js';
export type { SimulatedHostOptions } from './simulated-host.js';
export type { SimulatedLinkOptions } from './simulated-link.js';
export type { LookupResult } from './simulated-resolver.js';
export type { SimulatedRuntimeOptions } from './simulated-runtime.js';
export type { HostOptions, SimulatorOptions } from './simulator.js';
