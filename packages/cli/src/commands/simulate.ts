/**
 * `skep simulate`: a stack on simulated nodes, told as a story or as JSON.
 */
import {
  canonicalJson,
  Config,
  isSkepError,
  messageOf,
  Network,
  Secret,
  Service,
  Task,
} from '@skep/api';
import { isAcceptable, type LoadedManifests } from '@skep/manifest';
import { createCluster, type Cluster, type Settlement } from 'skep';
import { Chronicler } from '../views/chronicler.js';
import { renderChronicle } from '../views/chronicle.js';
import { reportComplaints } from '../views/complaints.js';
import { clusterSummary, nodesTable, servicesTable } from '../views/summary.js';
import {
  CommandFault,
  definedVariables,
  EXIT,
  readSources,
  type ExitCode,
  type Surroundings,
} from '../surroundings.js';
import { loadOptions, type FileOptions } from './file-options.js';

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
  const cluster = await createCluster(options);
  try {
    const manifest = loadOptions(options, surroundings, definedVariables);
    const loaded = cluster.load(files, manifest);
    reportComplaints(loaded.complaints, surroundings.err);
    if (!isAcceptable(loaded.complaints)) return EXIT.badInput;
    if (options.provideExternal === true) await provideExternals(cluster, loaded);
    const chronicler = new Chronicler(cluster);
    await declare(cluster, () => cluster.apply(files, manifest));
    const settlement = await cluster.settle({ limitMs: options.limit * 1000 });
    chronicler.stop();
    return report(cluster, { settlement, chronicler, options, surroundings });
  } finally {
    await cluster.stop();
  }
}

/** What admission refuses is bad input, said line by line. */
async function declare(_cluster: Cluster, apply: () => Promise<unknown>): Promise<void> {
  try {
    await apply();
  } catch (thrown) {
    if (isSkepError(thrown)) throw new CommandFault(messageOf(thrown));
    throw thrown;
  }
}

/** Networks, secrets and configs that the files expect to be there. */
async function provideExternals(cluster: Cluster, { externals }: LoadedManifests): Promise<void> {
  const predefined = new Set(['host', 'bridge', 'none', 'ingress']);
  await cluster.declare([
    ...externals.networks
      .filter((name) => !predefined.has(name))
      .map((name) => ({ kind: Network, name, spec: { driver: { name: 'overlay' } } })),
    // One byte: a secret may not be empty.
    ...externals.secrets.map((name) => ({ kind: Secret, name, spec: { data: 'AA==' } })),
    ...externals.configs.map((name) => ({ kind: Config, name, spec: { data: 'AA==' } })),
  ]);
  await cluster.settle();
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
  const problems = cluster.problems();
  const isGood = settlement.isSettled && problems.length === 0;
  if (options.json === true) {
    const summary = clusterSummary(cluster.view());
    surroundings.out(`${canonicalJson({ ...settlement, ...summary, problems }, 2)}\n`);
    return isGood ? EXIT.ok : EXIT.unsettled;
  }
  if (options.trace === true) {
    surroundings.out(`${renderChronicle(chronicler.lines, chronicler.start)}\n\n`);
  }
  surroundings.out(`${nodesTable(cluster.view())}\n\n${servicesTable(cluster.view())}\n\n`);
  const seconds = (settlement.elapsedMs / 1000).toFixed(1);
  if (isGood) {
    const count = (kind: typeof Service | typeof Task): number =>
      cluster.view().count(kind as never);
    surroundings.out(
      `settled as declared after ${seconds} s of virtual time: ` +
        `${count(Service)} services, ${count(Task)} tasks\n`,
    );
    return EXIT.ok;
  }
  if (!settlement.isSettled) {
    surroundings.out(`not settled after ${seconds} s of virtual time; it still waits for:\n`);
    for (const line of settlement.waitingFor) surroundings.out(`  ${line}\n`);
  }
  if (problems.length > 0) surroundings.out('not as declared:\n');
  for (const { kind, name, code, message } of problems) {
    surroundings.out(`  ${kind} ${name}: ${message} [${code}]\n`);
  }
  return EXIT.unsettled;
}
