/** The scheduler loop: tasks get their nodes. */
export { schedulerController } from './controller.js';
export type { SchedulerOptions } from './controller.js';
