/** Real hosts: containers and processes, kernel tables, a DNS server. */

// Nodes as network namespaces of one machine.
export {
  assertClusterId,
  nodeNamespace,
  nodePrefix,
  underlayNamespace,
} from './namespace/cluster-names.js';
export { namespacePath, runCommands } from './namespace/command-runner.js';
export type {
  CommandResult,
  CommandRunner,
  NamespaceCommand,
  RunOptions,
} from './namespace/command-runner.js';
export { NamespacedCluster } from './namespace/namespaced-cluster.js';
export type {
  ClusterNamespaces,
  NamespacedClusterOptions,
  NamespacedNode,
  Uplink,
} from './namespace/namespaced-cluster.js';

// The kernel of a node.
export { KernelDataplane, kernelDataplane } from './dataplane/kernel-dataplane.js';
export type { KernelDataplaneOptions, KernelNode } from './dataplane/kernel-dataplane.js';
export type { FingerprintRequest, FingerprintTaker } from './namespace/fingerprints.js';
export { NAME_SERVER_ADDRESS } from './dataplane/name-server-place.js';
export type { RendererName } from './dataplane/node-texts.js';
export { pickRenderer, probeDataplane } from './dataplane/probe.js';
export type { DataplaneNeed, ProbeOptions } from './dataplane/probe.js';

// Names for the tasks of a node.
export { NodeResolver, nodeResolver } from './resolver/node-resolver.js';
export type { NodeResolverOptions } from './resolver/node-resolver.js';

// Tasks as processes.
export { ProcessRuntime, processRuntime } from './process/process-runtime.js';
export type { ProcessRuntimeOptions } from './process/process-runtime.js';
export type { ProcessImage } from './process/launch-plan.js';
export { bootId, identityOf, isAlive, sendSignal } from './process/proc.js';
export type { ProcessIdentity } from './process/proc.js';
export type { LogLine, LogQuery, LogStream, TaskLogs } from './task/log-lines.js';

// How the nodes of a machine reach their manager.
export { serveNodeLink } from './link/serve-link.js';
export type { NodeLinkServer, ServeNodeLinkOptions } from './link/serve-link.js';
export { socketNodeLink } from './link/socket-link.js';
export type { SocketNodeLinkOptions } from './link/socket-link.js';

// What this machine can do.
export { probeHost } from './doctor/probe-host.js';
export type { HostPort, HostReport, HostUse, ProbeHostOptions } from './doctor/probe-host.js';
export type { HostNeed } from './doctor/host-need.js';

// Tasks as containers.
export { DockerRuntime, dockerRuntime } from './docker/docker-runtime.js';
export type { DockerRuntimeOptions, StartedContainer } from './docker/docker-runtime.js';
export type { PullPolicy } from './docker/image-pulls.js';
