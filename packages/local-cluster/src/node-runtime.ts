/**
 * What runs the tasks of a node, as its agent and `down` open it.
 */
import { dockerRuntime, namespacePath, processRuntime } from '@skep/adapter-hosts';
import type { DockerRuntime, KernelDataplane, ProcessRuntime } from '@skep/adapter-hosts';
import type { AssignedTask, Logger } from '@skep/api';
import { nodeNamespacePath } from './hosts.js';
import type { ClusterPaths } from './place.js';
import { runtimeFolder, type AgentSettings } from './process/process-settings.js';

/** What of an agent's settings the runtime of its node follows from. */
export type RuntimeSettings = Pick<
  AgentSettings,
  'cluster' | 'hosts' | 'runtime' | 'images' | 'dockerSocket' | 'node'
>;

/** The runtime of a node. With a dataplane its tasks get their networks from that. */
export function nodeRuntime(
  paths: ClusterPaths,
  settings: RuntimeSettings,
  { dataplane, logger }: { readonly dataplane?: KernelDataplane; readonly logger: Logger },
): ProcessRuntime | DockerRuntime {
  const { cluster, node, dockerSocket, images } = settings;
  const stateFolder = runtimeFolder(paths, node.name);
  const hasSandbox = (task: AssignedTask): boolean =>
    dataplane?.tables?.tasks.has(task.id) !== false;
  const ports =
    dataplane === undefined
      ? {}
      : { hostPorts: (task: AssignedTask) => dataplane.hostPorts(task.id) };
  if (settings.runtime === 'docker') {
    return dockerRuntime({
      cluster,
      node: node.name,
      stateFolder,
      ...(dockerSocket === undefined ? {} : { socketPath: dockerSocket }),
      // A task in the network `host` has that of the engine.
      networkModeOf: (task) => (hasSandbox(task) ? 'none' : 'host'),
      attach: async (task, { pid }) => {
        if (hasSandbox(task)) await dataplane?.adoptTaskNamespace(task.id, pid);
      },
      ...ports,
      description: { hostname: node.name },
    });
  }
  return processRuntime({
    stateFolder,
    nodeName: node.name,
    images: new Map(Object.entries(images)),
    networkNamespaceOf: (task) =>
      dataplane !== undefined && hasSandbox(task)
        ? namespacePath(dataplane.taskNamespace(task.id))
        : nodeNamespacePath(settings, node.name),
    logger,
    ...ports,
  });
}
