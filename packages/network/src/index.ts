/** Addresses, VIPs, ports, load-balancer tables, their renderers and the packet interpreter. */
export type { NetworkChange, NodeNetworkState } from './state.js';
