/**
 * `skep up`: a cluster on this machine, and files declared to it.
 */
import {
  EXIT,
  CommandFault,
  readSources,
  type ExitCode,
  type Surroundings,
} from '../surroundings.js';
import { LiveLines } from '../views/live-lines.js';
import { counted } from '../views/summary.js';
import { applyTo, type ApplyCommandOptions } from './apply.js';
import { placeOptions, withCluster, type ClusterChoice } from './connection.js';
import { imagesOf, type ImageOptions } from './images.js';
import type { LocalClusters } from './local-clusters.js';
import { watch } from './watch.js';

type LocalOptions = NonNullable<Parameters<LocalClusters['up']>[0]>;
type Up = Awaited<ReturnType<LocalClusters['up']>>;

/** Options of `skep up`. Those that are left out stay as they were. */
export interface UpOptions
  extends
    ClusterChoice,
    ImageOptions,
    Omit<ApplyCommandOptions, 'file'>,
    Pick<LocalOptions, 'dataplane' | 'dockerSocket' | 'hosts' | 'nodes' | 'runtime'> {
  readonly file?: readonly string[];
  /** False with `--no-publish-locally`. */
  readonly publishLocally?: boolean;
  readonly nameServer?: readonly string[];
  /** Leaves the cluster running. */
  readonly detach?: boolean;
}

/**
 * Brings the cluster up, declares the files, and stays until the user ends it, which stops the
 * cluster but keeps its state; with `--detach` it leaves everything running.
 */
export async function up(options: UpOptions, surroundings: Surroundings): Promise<ExitCode> {
  const local = await localClusters(surroundings);
  if (options.socket !== undefined) {
    throw new CommandFault(
      '--socket names a cluster that runs: choose one with --cluster, --state',
    );
  }
  // Files that cannot be read are told before anything is started.
  if (options.file !== undefined) readSources(options.file, surroundings);
  const images = imagesOf(options, surroundings);
  const interruption = surroundings.interruption?.();
  const steps = stepDisplay(surroundings);
  const result = await local.up({
    ...placeOptions(options, surroundings),
    ...wanted(options),
    ...(Object.keys(images).length === 0 ? {} : { images }),
    ...(interruption === undefined ? {} : { signal: interruption }),
    timeoutMs: options.timeout * 1000,
    onStep: steps.show,
  });
  steps.end();
  surroundings.out(upText(result));
  const code = await declared(options, surroundings);
  if (options.detach === true) return code;
  if (code === EXIT.interrupted) return stopped(options, local, surroundings);
  return code === EXIT.ok || code === EXIT.unsettled ? stay(options, local, surroundings) : code;
}

function wanted(options: UpOptions): LocalOptions {
  const { hosts, nodes, runtime, dataplane, publishLocally, dockerSocket, nameServer } = options;
  return {
    ...(hosts === undefined ? {} : { hosts }),
    ...(nodes === undefined ? {} : { nodes }),
    ...(runtime === undefined ? {} : { runtime }),
    ...(dataplane === undefined ? {} : { dataplane }),
    ...(publishLocally === undefined ? {} : { publishLocally }),
    ...(dockerSocket === undefined ? {} : { dockerSocket }),
    ...(nameServer === undefined ? {} : { nameServers: nameServer }),
  };
}

async function declared(options: UpOptions, surroundings: Surroundings): Promise<ExitCode> {
  const { file } = options;
  if (file === undefined) return EXIT.ok;
  return withCluster(options, surroundings, (connected) =>
    applyTo(connected, { ...options, file }, surroundings),
  );
}

/** Tells what happens until Ctrl-C; then the cluster is stopped. */
async function stay(
  options: UpOptions,
  local: LocalClusters,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { err } = surroundings;
  err('what happens is told below; Ctrl-C stops the cluster (and keeps its state)\n');
  const { cluster, state } = options;
  const choice = {
    ...(cluster === undefined ? {} : { cluster }),
    ...(state === undefined ? {} : { state }),
  };
  const code = await watch([], choice, surroundings);
  return code === EXIT.interrupted ? stopped(options, local, surroundings) : code;
}

async function stopped(
  options: UpOptions,
  local: LocalClusters,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { err } = surroundings;
  err('stopping the cluster\n');
  const { removed } = await local.down({ ...placeOptions(options, surroundings), keepState: true });
  err(removed.map((what) => `removed ${what}\n`).join(''));
  return EXIT.interrupted;
}

/** What runs now, and what is different from before. */
export function upText(result: Up): string {
  const { cluster, nodes, hosts, runtime, dataplane, subnet, changes, controlSocket } = result;
  const what = `${counted(nodes.length, 'node')} (${hosts}), ${runtime}, ${dataplane}`;
  const lines = [
    `cluster ${cluster} is up: ${what}${subnet === '' ? '' : `, ${subnet}`}`,
    ...(changes.length === 0 ? ['  nothing changed'] : changes.map((change) => `  ${change}`)),
    `  manager: ${controlSocket}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** One line on a terminal, a line for each step elsewhere. */
function stepDisplay({ progress, err }: Surroundings): {
  readonly show: NonNullable<LocalOptions['onStep']>;
  readonly end: () => void;
} {
  if (progress?.isTTY !== true) {
    return { show: ({ text }) => err(`${text}\n`), end: () => undefined };
  }
  const lines = new LiveLines(progress);
  return {
    show: ({ text, done, total }) => lines.draw([`[${done}/${total}] ${text}`]),
    end: () => lines.clear(),
  };
}

/** Clusters of this machine. @throws CommandFault where there are none. */
export async function localClusters({ local }: Surroundings): Promise<LocalClusters> {
  if (local === undefined) throw new CommandFault('clusters cannot be run from here');
  return local();
}
