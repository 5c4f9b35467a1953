/** The dispatcher: sessions of nodes, assignments, reports and acknowledgements. */
export { assignmentItems } from './assignment.js';
export { Dispatcher, connectInProcess } from './dispatcher.js';
export type { DispatcherParts } from './dispatcher.js';
export type { SessionStatus } from './session.js';
