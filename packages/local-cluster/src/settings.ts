/**
 * What a cluster on this machine is to be: kept in its folder, changed by `up` alone.
 */
import { SkepError, isEqual } from '@skep/api';
import type { ProcessImage, RendererName } from '@skep/adapter-hosts';
import { NODES_MAX } from './subnets.js';

/** What a node is: a network namespace, or the machine itself. */
export type HostsKind = 'namespaces' | 'local';
/** What runs tasks. */
export type RuntimeKind = 'processes' | 'docker';

/** A cluster as it is to be. */
export interface ClusterSettings {
  readonly version: 1;
  readonly cluster: string;
  readonly hosts: HostsKind;
  readonly runtime: RuntimeKind;
  readonly dataplane: RendererName;
  /** Of the underlay, CIDR form; empty when the machine is the node. */
  readonly subnet: string;
  readonly nodes: readonly NodeSettings[];
  readonly images: Readonly<Record<string, ProcessImage>>;
  /** Whether published ports are answered on the machine itself. */
  readonly isPublishedLocally: boolean;
  readonly dockerSocket?: string;
  readonly nameServers?: readonly string[];
  /** How a process of skep is started: these words, its role, its file. */
  readonly command: readonly string[];
}

/** A node as it is to be. */
export interface NodeSettings {
  readonly name: string;
  /** In the underlay, without prefix length. */
  readonly address: string;
}

/** What `up` may be told of a cluster; what is left out stays as it is. */
export interface WantedSettings {
  readonly hosts?: HostsKind;
  readonly nodes?: number;
  readonly runtime?: RuntimeKind;
  readonly dataplane?: RendererName;
  readonly images?: Readonly<Record<string, ProcessImage>>;
  readonly publishLocally?: boolean;
  readonly dockerSocket?: string;
  readonly nameServers?: readonly string[];
}

/** What the machine says to it. */
export interface SettingsFacts {
  readonly cluster: string;
  readonly command: readonly string[];
  /** A subnet for a new cluster. */
  readonly subnet: string;
  /** What the kernel offers, for a new cluster. */
  readonly dataplane: RendererName;
  /** Address of a node, by its number from 1. */
  readonly addressOf: (hosts: HostsKind, subnet: string, number: number) => string;
}

/** Settings, and what is different from before, for people. */
export interface SettingsPlan {
  readonly settings: ClusterSettings;
  readonly changes: readonly string[];
}

/**
 * From what was, and what is asked for, to what is to be.
 * @throws invalid-argument for what no cluster can be; failed-precondition for what this one cannot
 * become.
 */
export function planSettings(
  before: ClusterSettings | undefined,
  wanted: WantedSettings,
  facts: SettingsFacts,
): SettingsPlan {
  const hosts = wanted.hosts ?? before?.hosts ?? 'namespaces';
  const count = nodeCount(wanted.nodes, before, hosts);
  if (before !== undefined) refuseOtherKind(before, wanted);
  const subnet = before?.subnet ?? (hosts === 'local' ? '' : facts.subnet);
  const settings: ClusterSettings = {
    version: 1,
    cluster: facts.cluster,
    hosts,
    runtime: wanted.runtime ?? before?.runtime ?? 'processes',
    dataplane: wanted.dataplane ?? before?.dataplane ?? facts.dataplane,
    subnet,
    nodes: Array.from({ length: count }, (_, index) => ({
      name: `node${index + 1}`,
      address: facts.addressOf(hosts, subnet, index + 1),
    })),
    images: { ...before?.images, ...wanted.images },
    isPublishedLocally: wanted.publishLocally ?? before?.isPublishedLocally ?? true,
    ...optional('dockerSocket', wanted.dockerSocket ?? before?.dockerSocket),
    ...optional('nameServers', wanted.nameServers ?? before?.nameServers),
    command: facts.command,
  };
  if (settings.hosts === 'local' && settings.dataplane === 'ipvs') {
    const text = 'the dataplane ipvs is for nodes that are namespaces: its chains are Docker’s';
    throw new SkepError('invalid-argument', text);
  }
  return { settings, changes: before === undefined ? [] : changesOf(before, settings) };
}

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}

function nodeCount(
  wanted: number | undefined,
  before: ClusterSettings | undefined,
  hosts: HostsKind,
): number {
  const count = wanted ?? before?.nodes.length ?? 1;
  if (!Number.isInteger(count) || count < 1 || count > NODES_MAX) {
    const text = `${count} nodes: a cluster has 1 to ${NODES_MAX}`;
    throw new SkepError('invalid-argument', text, { details: { nodes: count } });
  }
  if (hosts === 'local' && count !== 1) {
    const text = `${count} nodes: with hosts 'local' this machine is the one node`;
    throw new SkepError('invalid-argument', text, { details: { nodes: count } });
  }
  const present = before?.nodes.length ?? 0;
  if (count < present) {
    const text =
      `the cluster has ${present} nodes, and up takes none away: drain those that are too many, ` +
      'or take the cluster down first';
    throw new SkepError('failed-precondition', text, { details: { nodes: count, present } });
  }
  return count;
}

/** What tasks run on cannot be changed below them. */
function refuseOtherKind(before: ClusterSettings, wanted: WantedSettings): void {
  for (const field of ['hosts', 'runtime', 'dataplane', 'dockerSocket'] as const) {
    const asked = wanted[field];
    const present = before[field];
    if (asked === undefined || asked === present) continue;
    const text =
      `${field} is ${present ?? 'the default'} in the cluster ${before.cluster} and cannot ` +
      `become ${asked} while it is there: take it down first`;
    throw new SkepError('failed-precondition', text, { details: { field, asked, present } });
  }
}

function changesOf(before: ClusterSettings, now: ClusterSettings): readonly string[] {
  const added = now.nodes.slice(before.nodes.length).map(({ name }) => `added ${name}`);
  const moved = now.nodes.filter(({ name, address }) =>
    before.nodes.some((node) => node.name === name && node.address !== address),
  );
  const images = Object.keys(now.images)
    .filter((name) => !isEqual(before.images[name], now.images[name]))
    .sort();
  return [
    ...added,
    ...moved.map(({ name, address }) => `${name} has the address ${address} now`),
    ...(images.length === 0 ? [] : [`images: ${images.join(', ')}`]),
    ...(before.isPublishedLocally === now.isPublishedLocally
      ? []
      : [`published ports on this machine: ${now.isPublishedLocally ? 'on' : 'off'}`]),
    ...(isEqual(before.nameServers, now.nameServers)
      ? []
      : [`name servers: ${(now.nameServers ?? []).join(', ')}`]),
    ...(isEqual(before.command, now.command) ? [] : ['another installation of skep']),
  ];
}

/**
 * Settings from their file's text.
 * @throws internal when it is damaged; unimplemented when a newer version wrote it.
 */
export function parseSettings(text: string, path: string): ClusterSettings {
  let parsed: Partial<ClusterSettings>;
  try {
    parsed = JSON.parse(text) as Partial<ClusterSettings>;
  } catch (cause) {
    const said = `${path} is damaged (${String(cause)}): take the cluster down, and up again`;
    throw new SkepError('internal', said, { cause, details: { path } });
  }
  if (parsed.version !== 1) {
    const said = `${path} was written by another version of skep (${String(parsed.version)})`;
    throw new SkepError('unimplemented', said, { details: { path } });
  }
  return parsed as ClusterSettings;
}
