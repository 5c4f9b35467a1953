/** Laws that every view of a cluster keeps. */
export { brokenInvariants } from './invariants.js';
