/** The endpoints loop: which tasks answer for a service, and when a task is out of all tables. */
export { endpointsController } from './controller.js';
export { planEndpoints } from './plan.js';
