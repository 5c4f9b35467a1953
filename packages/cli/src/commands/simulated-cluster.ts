/**
 * A cluster of simulated nodes with everything that files declare, for the commands that look at
 * one.
 */
import {
  Cluster as ClusterSettings,
  Config,
  isSkepError,
  messageOf,
  Network,
  Node,
  Secret,
  type ClusterSpec,
  type DataplaneName,
} from '@skep/api';
import { isAcceptable, loadManifests, type LoadedManifests } from '@skep/manifest';
import { createCluster, placedError, type Cluster, type Settlement } from 'skep';
import { reportComplaints } from '../views/complaints.js';
import { renderProblems } from '../views/problems.js';
import {
  CommandFault,
  EXIT,
  readSources,
  type ExitCode,
  type Surroundings,
} from '../surroundings.js';
import { loadOptions, withStandIns, type FileOptions } from './file-options.js';
import { kindsOf, loadOwnKinds, type OwnKinds } from './own-kinds.js';
import { simulatedNodes } from './simulated-nodes.js';

/** Name of the one cluster object. */
const CLUSTER_NAME = 'default';
/** Networks that are there without anybody's doing. */
const PREDEFINED: ReadonlySet<string> = new Set(['host', 'bridge', 'none', 'ingress']);
/** What stands for content that nobody gave: one line break, as a secret may not be empty. */
const STAND_IN = 'Cg==';

/** Options of the commands that simulate a cluster. */
export interface SimulationOptions extends FileOptions {
  readonly nodes: number;
  readonly managers: number;
  readonly seed: string;
  /** Default: that of the files, or ipvs. */
  readonly dataplane?: DataplaneName;
  /** Create what the files declare as external. */
  readonly provideExternal?: boolean;
  /** Longest virtual time to wait, in seconds. */
  readonly limit: number;
  /** Remembers why objects change, for `cluster.why`. Default: false. */
  readonly isTraced?: boolean;
}

/** A cluster that was made from files. */
export interface SimulatedCluster {
  readonly cluster: Cluster;
  /** Declares what is in the files. @throws CommandFault */
  declare(): Promise<void>;
}

/**
 * Runs `use` on a cluster with the nodes and settings of the files, and stops it. Complaints about
 * the files are told; when one is an error, that is all.
 * @throws CommandFault for what the manager refuses.
 */
export async function withSimulatedCluster(
  options: SimulationOptions,
  surroundings: Surroundings,
  use: (simulated: SimulatedCluster) => Promise<ExitCode>,
): Promise<ExitCode> {
  const files = readSources(options.file, surroundings);
  const own = await loadOwnKinds(options.kinds, surroundings);
  const common = { ...loadOptions(options, surroundings), kinds: kindsOf(own) };
  const manifest = withStandIns(common, (path) => {
    surroundings.err(`${path}: warning: the file is missing; a line break stands for it\n`);
  });
  const loaded = loadManifests(files, manifest);
  reportComplaints(loaded.complaints, surroundings.err);
  if (!isAcceptable(loaded.complaints)) return EXIT.badInput;
  const cluster = await created(options, loaded, own);
  try {
    if (options.provideExternal === true) await provideExternals(cluster, loaded);
    return await use({ cluster, declare: () => declare(cluster, loaded, options) });
  } finally {
    await cluster.stop();
  }
}

/**
 * As {@link withSimulatedCluster}, for a look at the cluster once it has settled. The exit code is
 * that of `look`, or that of a cluster that is not as declared; the reasons go to standard error.
 */
export function withSettledCluster(
  options: SimulationOptions,
  surroundings: Surroundings,
  look: (cluster: Cluster) => ExitCode | Promise<ExitCode>,
): Promise<ExitCode> {
  return withSimulatedCluster(options, surroundings, async ({ cluster, declare: declareAll }) => {
    await declareAll();
    const settlement = await cluster.settle({ limitMs: options.limit * 1000 });
    const isGood = reportUnsettled(cluster, settlement, surroundings);
    const exit = await look(cluster);
    return exit === EXIT.ok && !isGood ? EXIT.unsettled : exit;
  });
}

function reportUnsettled(cluster: Cluster, settlement: Settlement, { err }: Surroundings): boolean {
  const problems = cluster.problems();
  if (!settlement.isSettled) {
    err(`not settled; it still waits for:\n  ${settlement.waitingFor.join('\n  ')}\n`);
  }
  if (problems.length > 0) err(`not as declared\n${renderProblems(problems)}\n`);
  return settlement.isSettled && problems.length === 0;
}

/** The cluster with its nodes and settings. What it refuses in them is bad input. */
async function created(
  options: SimulationOptions,
  loaded: LoadedManifests,
  own: OwnKinds,
): Promise<Cluster> {
  const nodes = simulatedNodes(options, loaded.objects);
  try {
    const { seed, dataplane, isTraced = false } = options;
    const chosen = { trace: isTraced, ...(dataplane === undefined ? {} : { dataplane }) };
    return await createCluster({ seed, nodes, ...chosen, ...own, ...settingsOf(loaded) });
  } catch (thrown) {
    throw isSkepError(thrown) ? placedError(thrown, loaded.objects) : thrown;
  }
}

/** Settings count from the start: the first network is cut from the declared pools, too. */
function settingsOf({ objects }: LoadedManifests): { readonly cluster?: ClusterSpec } {
  const declared = objects.filter(({ kind }) => kind === ClusterSettings.name);
  for (const { name, place } of declared) {
    if (name === CLUSTER_NAME) continue;
    throw new CommandFault(
      `${place.path}:${place.line}:${place.column}: error: there is no cluster '${name}' ` +
        `(there is one, and its name is ${CLUSTER_NAME})`,
    );
  }
  const [settings] = declared;
  return settings === undefined ? {} : { cluster: settings.spec as ClusterSpec };
}

/** Networks, secrets and configs that the files expect to be there and do not declare. */
async function provideExternals(cluster: Cluster, loaded: LoadedManifests): Promise<void> {
  const { networks, secrets, configs } = missingExternals(loaded);
  await cluster.declare([
    ...networks.map((name) => ({
      kind: Network,
      name,
      spec: { driver: { name: 'overlay' }, isAttachable: true },
    })),
    ...secrets.map((name) => ({ kind: Secret, name, spec: { data: STAND_IN } })),
    ...configs.map((name) => ({ kind: Config, name, spec: { data: STAND_IN } })),
  ]);
  await cluster.settle();
}

function missingExternals({
  externals,
  objects,
}: LoadedManifests): Omit<LoadedManifests['externals'], 'volumes'> {
  const isMissing = (kind: string) => (name: string) =>
    !objects.some((object) => object.kind === kind && object.name === name);
  return {
    networks: externals.networks
      .filter((name) => !PREDEFINED.has(name))
      .filter(isMissing(Network.name)),
    secrets: externals.secrets.filter(isMissing(Secret.name)),
    configs: externals.configs.filter(isMissing(Config.name)),
  };
}

/** All objects but the nodes, which are there. What the manager refuses is bad input. */
async function declare(
  cluster: Cluster,
  loaded: LoadedManifests,
  options: SimulationOptions,
): Promise<void> {
  try {
    await cluster.declareLoaded(loaded.objects.filter(({ kind }) => kind !== Node.name));
  } catch (thrown) {
    const isAboutExternals = isSkepError(thrown) && options.provideExternal !== true;
    const names = isAboutExternals ? Object.values(missingExternals(loaded)).flat() : [];
    if (names.length === 0) throw thrown;
    const hint = `declared external: ${names.join(', ')} (--provide-external creates them)`;
    throw new CommandFault(`${messageOf(thrown)}\n${hint}`);
  }
}
