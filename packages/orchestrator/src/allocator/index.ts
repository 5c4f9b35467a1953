/** The loop that hands out subnets, addresses, VXLAN ids and ports, and takes them back. */
export { allocatorController } from './controller.js';
