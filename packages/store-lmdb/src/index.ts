/**
 * The store on disk: a durable, embedded backend.
 */
export { COMMIT_BYTES_MAX, LOG_BYTES_MAX, STORE_BYTES_MAX, lmdbBackend } from './lmdb-backend.js';
export type { LmdbBackendOptions } from './lmdb-backend.js';
