/**
 * What each process of a cluster is started with: derived from the settings of the cluster, in a
 * file whose name has a hash of its content. So the words of a process tell what it was started
 * with, and a process whose settings changed is seen to be another.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { deriveId, SkepError, type NodeId } from '@skep/api';
import type { ProcessImage, RendererName } from '@skep/adapter-hosts';
import { readJson, readText, writeText } from '../files.js';
import { nodeFolder, type ClusterPaths } from '../place.js';
import type { ClusterSettings, HostsKind, NodeSettings, RuntimeKind } from '../settings.js';
import type { WantedProcess } from './supervision.js';

/** Settings of the manager. The rest it reads from those of the cluster, again and again. */
export interface ManagerSettings {
  readonly cluster: string;
  readonly stateRoot: string;
  readonly command: readonly string[];
  readonly dataplane: RendererName;
}

/** Settings of an agent. */
export interface AgentSettings {
  readonly cluster: string;
  readonly stateRoot: string;
  readonly command: readonly string[];
  readonly node: NodeSettings;
  readonly hosts: HostsKind;
  readonly runtime: RuntimeKind;
  readonly dataplane: RendererName;
  readonly images: Readonly<Record<string, ProcessImage>>;
  readonly dockerSocket?: string;
  readonly nameServers?: readonly string[];
}

/** The key of the manager. */
export const MANAGER_KEY = 'manager';

/** The key of a node's agent. */
export function agentKey(node: string): string {
  return `agent-${node}`;
}

/** Id of a node: it follows from its name, so manager and agent need not tell each other. */
export function nodeIdOf(cluster: string, node: string): NodeId {
  return deriveId('local-cluster', cluster, node);
}

/** Processes of a cluster, and the texts of their files. The manager comes first. */
export function processPlan(
  paths: ClusterPaths,
  stateRoot: string,
  settings: ClusterSettings,
): readonly (WantedProcess & { readonly text: string })[] {
  const { cluster, command, hosts, runtime, dataplane, images } = settings;
  const { dockerSocket, nameServers } = settings;
  const common = { cluster, stateRoot, command };
  const manager: ManagerSettings = { ...common, dataplane };
  const agents = settings.nodes.map((node): readonly [string, AgentSettings] => [
    agentKey(node.name),
    {
      ...common,
      node,
      hosts,
      runtime,
      dataplane,
      images: runtime === 'processes' ? images : {},
      ...(dockerSocket === undefined ? {} : { dockerSocket }),
      ...(nameServers === undefined ? {} : { nameServers }),
    },
  ]);
  return [[MANAGER_KEY, manager] as const, ...agents].map(([key, content]) => {
    const text = `${JSON.stringify(content, undefined, 2)}\n`;
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 8);
    return { key, file: join(paths.processFolder, `${key}.${hash}.json`), text };
  });
}

/** Writes the files that are missing, and removes those that nobody uses. */
export function writeProcessFiles(
  paths: ClusterPaths,
  wanted: readonly { readonly file: string; readonly text: string }[],
  used: readonly string[],
): void {
  mkdirSync(paths.processFolder, { recursive: true, mode: 0o700 });
  for (const { file, text } of wanted) if (readText(file) !== text) writeText(file, text);
  const kept = new Set([...wanted.map(({ file }) => file), ...used]);
  for (const name of readdirSync(paths.processFolder)) {
    const file = join(paths.processFolder, name);
    if (!kept.has(file)) rmSync(file, { force: true });
  }
}

/** The key of the process that has this file. */
export function keyOfFile(file: string): string {
  return basename(file).replace(/\.[0-9a-f]{8}\.json$/, '');
}

/** Settings of a process. @throws not-found when there is no such file, or it is damaged */
export function readProcessSettings<T>(file: string): T {
  const settings = readJson<T>(file);
  if (settings !== undefined) return settings;
  const text = `${file} is not there, or no JSON: processes of a cluster are started by up`;
  throw new SkepError('not-found', text, { details: { file } });
}

/** Folder of a node for its runtime. */
export function runtimeFolder(paths: ClusterPaths, node: string): string {
  return join(nodeFolder(paths, node), 'runtime');
}
