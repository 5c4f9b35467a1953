/**
 * `skep simulate`: a stack on simulated nodes, told as a story or as JSON.
 */
import {
  canonicalJson,
  Cluster as ClusterSettings,
  Config,
  isSkepError,
  messageOf,
  Network,
  Node,
  Secret,
  Service,
  Task,
  type ClusterSpec,
} from '@skep/api';
import { isAcceptable, loadManifests, type LoadedManifests } from '@skep/manifest';
import { createCluster, placedError, type Cluster, type Settlement } from 'skep';
import { Chronicler } from '../views/chronicler.js';
import { renderChronicle } from '../views/chronicle.js';
import { reportComplaints } from '../views/complaints.js';
import { renderProblems } from '../views/problems.js';
import {
  clusterSummary,
  counted,
  globalsWithoutNodes,
  nodesTable,
  servicesTable,
} from '../views/summary.js';
import {
  CommandFault,
  EXIT,
  readSources,
  type ExitCode,
  type Surroundings,
} from '../surroundings.js';
import { loadOptions, withStandIns, type FileOptions } from './file-options.js';
import { simulatedNodes } from './simulated-nodes.js';

/** Name of the one cluster object. */
const CLUSTER_NAME = 'default';
/** Networks that are there without anybody's doing. */
const PREDEFINED: ReadonlySet<string> = new Set(['host', 'bridge', 'none', 'ingress']);
/** What stands for content that nobody gave: one line break, as a secret may not be empty. */
const STAND_IN = 'Cg==';

/** Options of `skep simulate`. */
export interface SimulateOptions extends FileOptions {
  readonly nodes: number;
  readonly managers: number;
  readonly seed: string;
  /** Create what the files declare as external. */
  readonly provideExternal?: boolean;
  /** Longest virtual time to wait, in seconds. */
  readonly limit: number;
  readonly trace?: boolean;
  readonly json?: boolean;
}

/** Runs the files; exit code 0 when the cluster settles as declared, 1 with reasons when not. */
export async function simulate(
  options: SimulateOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const files = readSources(options.file, surroundings);
  const manifest = withStandIns(loadOptions(options, surroundings), (path) => {
    surroundings.err(`${path}: warning: the file is missing; a line break stands for it\n`);
  });
  const loaded = loadManifests(files, manifest);
  reportComplaints(loaded.complaints, surroundings.err);
  if (!isAcceptable(loaded.complaints)) return EXIT.badInput;
  const cluster = await created(options, loaded);
  try {
    if (options.provideExternal === true) await provideExternals(cluster, loaded);
    const chronicler = new Chronicler(cluster);
    await declare(cluster, loaded, options);
    const settlement = await cluster.settle({ limitMs: options.limit * 1000 });
    chronicler.stop();
    return report(cluster, { settlement, chronicler, options, surroundings });
  } finally {
    await cluster.stop();
  }
}

/** The cluster with its nodes and settings. What it refuses in them is bad input. */
async function created(options: SimulateOptions, loaded: LoadedManifests): Promise<Cluster> {
  const nodes = simulatedNodes(options, loaded.objects);
  try {
    return await createCluster({ seed: options.seed, nodes, ...settingsOf(loaded) });
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
  options: SimulateOptions,
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

function report(
  cluster: Cluster,
  context: {
    readonly settlement: Settlement;
    readonly chronicler: Chronicler;
    readonly options: SimulateOptions;
    readonly surroundings: Surroundings;
  },
): ExitCode {
  const { settlement, chronicler, options, surroundings } = context;
  const view = cluster.view();
  const problems = cluster.problems();
  const isGood = settlement.isSettled && problems.length === 0;
  if (options.json === true) {
    const result = { ...settlement, ...clusterSummary(view), problems };
    surroundings.out(`${canonicalJson(result, 2)}\n`);
    return isGood ? EXIT.ok : EXIT.unsettled;
  }
  const lines = [`${nodesTable(view)}\n`, `${servicesTable(view)}\n`];
  if (options.trace === true) {
    lines.unshift(`${renderChronicle(chronicler.lines, chronicler.start)}\n`);
  }
  const idle = globalsWithoutNodes(view);
  if (idle.length > 0) lines.push(`no node qualifies for: ${idle.join(', ')}\n`);
  const seconds = `${(settlement.elapsedMs / 1000).toFixed(1)} s of virtual time`;
  if (isGood) {
    const running = view.list(Task).filter(({ status }) => status.state === 'running').length;
    lines.push(
      `settled as declared after ${seconds}: ` +
        `${counted(view.count(Service), 'service')}, ${counted(running, 'running task')}`,
    );
  }
  if (!settlement.isSettled) {
    lines.push(`not settled after ${seconds}; it still waits for:`);
    lines.push(...settlement.waitingFor.map((line) => `  ${line}`));
  }
  if (problems.length > 0) {
    const after = settlement.isSettled ? `: nothing more will happen after ${seconds}` : '';
    lines.push(`not as declared${after}`, renderProblems(problems));
  }
  surroundings.out(`${lines.join('\n')}\n`);
  return isGood ? EXIT.ok : EXIT.unsettled;
}
