/** The manager of a running cluster over a unix socket: server and client. */
export { controlClient } from './client/control-client.js';
export { CONTROL_VERSION } from './contract.js';
export { SOCKET_PATH_BYTES_MAX, serveControl } from './serve-control.js';
export { BODY_BYTES_MAX, KEEP_ALIVE_MS, SILENCE_MS, controlApp } from './server/app.js';
export type { ClientOptions, ClientTimes } from './client/control-client.js';
export type {
  Changed,
  ClusterInfo,
  CommitMessage,
  ControlClient,
  DeclaredInput,
  DeclareOptions,
  ErrorBody,
  FollowMessage,
  KindInfo,
  LogGap,
  LogMessage,
  LogQuery,
  NodePatch,
  NodeTables,
  ObjectList,
  ObjectPatch,
  RemovalInput,
  TaskLine,
  WatchMessage,
  WatchOptions,
} from './contract.js';
export type { ControlServer, ServeOptions } from './serve-control.js';
export type { ControlOptions } from './server/app.js';
