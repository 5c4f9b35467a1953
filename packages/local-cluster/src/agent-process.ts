/**
 * The process that is the agent of a node: it runs the node's tasks, programs its kernel, and
 * answers its names.
 */
import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import type { Logger } from '@skep/api';
import { systemClock, systemRandom } from '@skep/api/system';
import { Agent } from '@skep/adapter';
import { kernelDataplane, nodeResolver, socketNodeLink } from '@skep/adapter-hosts';
import { claimProcess } from './cluster-claims.js';
import { kernelNode, localStateName } from './hosts.js';
import { nodeFolder, placeOf } from './place.js';
import { nodeRuntime } from './node-runtime.js';
import {
  agentKey,
  nodeIdOf,
  readProcessSettings,
  type AgentSettings,
} from './process/process-settings.js';
import { listenForEnd } from './stop-signal.js';

/** @param file - an {@link AgentSettings} */
export async function runAgent(file: string, processLogger: Logger): Promise<void> {
  const settings = readProcessSettings<AgentSettings>(file);
  const paths = placeOf(settings);
  const { cluster, node, nameServers } = settings;
  const told = listenForEnd();
  const held = await claimProcess(paths, agentKey(node.name));
  const folder = nodeFolder(paths, node.name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const clock = systemClock();
  const random = systemRandom();
  const logger = processLogger;
  const dataplane = kernelDataplane({
    node: kernelNode(settings, node),
    renderer: settings.dataplane,
    stateFile: join(folder, localStateName()),
    // An engine makes the namespaces of its containers itself.
    taskNamespaces: settings.runtime === 'docker' ? 'adopted' : 'made',
  });
  const resolver = nodeResolver({
    dataplane,
    clock,
    random: random.fork('resolver'),
    logger,
    ...(nameServers === undefined ? {} : { servers: nameServers }),
  });
  const runtime = nodeRuntime(paths, settings, { dataplane, logger });
  const agent = new Agent({
    nodeId: nodeIdOf(cluster, node.name),
    address: node.address,
    link: socketNodeLink({ path: paths.nodeSocket, clock }),
    runtime,
    dataplane,
    resolver,
    clock,
    random: random.fork('agent'),
    logger,
  });
  await agent.start();
  await told.wait();
  // What runs on the node goes on; the next agent takes it over.
  await agent.stop();
  await runtime.close();
  await resolver.close();
  await dataplane.close();
  await held.release();
}
