/**
 * Where a cluster on this machine is kept: one folder, by the cluster's name.
 */
import { createHash } from 'node:crypto';
import { isAbsolute, join, normalize } from 'node:path';
import { SkepError } from '@skep/api';
import { assertClusterId } from '@skep/adapter-hosts';

/** Which cluster is meant. */
export interface ClusterPlace {
  /** Its name, and the first part of every name it gives in the kernel. Default: `skep`. */
  readonly cluster?: string;
  /** Folder of all clusters, absolute. Default: `/var/lib/skep`. */
  readonly stateRoot?: string;
}

/** Paths of a cluster. */
export interface ClusterPaths {
  readonly cluster: string;
  /** Everything that is kept of the cluster. */
  readonly folder: string;
  /** Socket of the manager, for people and programs. */
  readonly controlSocket: string;
  /** Socket of the manager, for nodes. */
  readonly nodeSocket: string;
  readonly logFolder: string;
  /** What `up` was told. */
  readonly settingsFile: string;
  /** What the supervisor last saw. */
  readonly supervisorFile: string;
  /** Settings of the processes. */
  readonly processFolder: string;
  readonly storeFolder: string;
}

/** The name of a cluster that is given none. */
export const DEFAULT_CLUSTER = 'skep';
/** The folder of all clusters, unless another is given. */
export const DEFAULT_STATE_ROOT = '/var/lib/skep';

/**
 * Longest path of a socket, with room for the process id that it has before it is ready.
 * **Source:** unix(7): 108 bytes with the one that ends it.
 */
const SOCKET_PATH_BYTES_MAX = 95;

/**
 * Where a cluster is.
 * @throws invalid-argument for a name that cannot be that of a cluster, a folder that is not
 * absolute, and one so deep that no socket can be made in it.
 */
export function placeOf(place: ClusterPlace = {}): ClusterPaths {
  const { cluster = DEFAULT_CLUSTER, stateRoot = DEFAULT_STATE_ROOT } = place;
  assertClusterId(cluster);
  if (!isAbsolute(stateRoot)) {
    const text = `state folder ${JSON.stringify(stateRoot)}: an absolute path is needed`;
    throw new SkepError('invalid-argument', text, { details: { stateRoot } });
  }
  const folder = join(normalize(stateRoot), cluster);
  const controlSocket = join(folder, 'manager.sock');
  const bytes = Buffer.byteLength(controlSocket);
  if (bytes > SOCKET_PATH_BYTES_MAX) {
    const text =
      `${controlSocket} has ${bytes} bytes; a socket can have ${SOCKET_PATH_BYTES_MAX}: ` +
      'choose a state folder that is less deep';
    throw new SkepError('invalid-argument', text, { details: { stateRoot } });
  }
  return {
    cluster,
    folder,
    controlSocket,
    nodeSocket: join(folder, 'nodes.sock'),
    logFolder: join(folder, 'log'),
    settingsFile: join(folder, SETTINGS_FILE),
    supervisorFile: join(folder, 'supervisor.json'),
    processFolder: join(folder, 'processes'),
    storeFolder: join(folder, 'store'),
  };
}

/** Name of the file with a cluster's settings. */
export const SETTINGS_FILE = 'cluster.json';

/** Everything that a node keeps. */
export function nodeFolder({ folder }: ClusterPaths, node: string): string {
  return join(folder, 'nodes', node);
}

/** Log of a process: `manager.log`, `agent-node1.log`. */
export function logFile({ logFolder }: ClusterPaths, process: string): string {
  return join(logFolder, `${process}.log`);
}

/** A short name that no other cluster on this machine has. */
export function shortNameOf({ folder }: ClusterPaths): string {
  return createHash('sha256').update(folder).digest('hex').slice(0, 16);
}

/** Longest name of an interface. **Source:** IFNAMSIZ in linux/if.h, less the end. */
const INTERFACE_NAME_MAX = 15;

/** The machine's interface into the underlay: the cluster's name, as far as it fits. */
export function uplinkName(cluster: string): string {
  if (cluster.length <= INTERFACE_NAME_MAX) return cluster;
  const hash = createHash('sha256').update(cluster).digest('hex').slice(0, 6);
  return `${cluster.slice(0, INTERFACE_NAME_MAX - 7).replace(/-$/, '')}-${hash}`;
}
