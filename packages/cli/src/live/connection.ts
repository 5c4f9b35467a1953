/**
 * Reaching the manager of a running cluster.
 */
import { isSkepError, type Timestamp } from '@skep/api';
import type { ClusterInfo, ControlClient } from '@skep/control';
import { CommandFault, EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import { KindWords } from './kind-words.js';

/** Which cluster is meant. */
export interface ClusterChoice {
  /** Its name. Default: `SKEP_CLUSTER`, else `skep`. */
  readonly cluster?: string;
  /** Folder below which clusters are kept. Default: `SKEP_STATE`, else /var/lib/skep. */
  readonly state?: string;
  /** The manager's socket itself: neither of the others matters then. */
  readonly socket?: string;
}

/** A manager that answers. */
export interface Connected {
  readonly client: ControlClient;
  readonly info: ClusterInfo;
  readonly kinds: KindWords;
  /** The manager's clock, as far as it is known here. */
  readonly now: () => Timestamp;
}

/** Name and place of the cluster that options and environment name. */
export function placeOptions(
  choice: ClusterChoice,
  { environment }: Surroundings,
): { readonly cluster?: string; readonly stateRoot?: string } {
  const cluster = choice.cluster ?? nonEmpty(environment['SKEP_CLUSTER']);
  const stateRoot = choice.state ?? nonEmpty(environment['SKEP_STATE']);
  return {
    ...(cluster === undefined ? {} : { cluster }),
    ...(stateRoot === undefined ? {} : { stateRoot }),
  };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

/**
 * Runs `use` with the manager of the chosen cluster, and lets go of it.
 * @throws CommandFault with exit code 69 when no manager answers.
 */
export async function withCluster(
  choice: ClusterChoice,
  surroundings: Surroundings,
  use: (connected: Connected) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { connect } = surroundings;
  if (connect === undefined) throw new CommandFault('running clusters cannot be reached from here');
  const path = choice.socket ?? (await controlSocket(choice, surroundings));
  const client = connect(path);
  try {
    return await use(await connected(client, path, surroundings));
  } finally {
    await client.close();
  }
}

async function controlSocket(choice: ClusterChoice, surroundings: Surroundings): Promise<string> {
  const { local } = surroundings;
  if (local === undefined) throw new CommandFault('say where the manager listens: --socket PATH');
  return (await local()).placeOf(placeOptions(choice, surroundings)).controlSocket;
}

async function connected(
  client: ControlClient,
  path: string,
  { clock = () => 0 }: Surroundings,
): Promise<Connected> {
  try {
    const info = await client.info();
    const askedAt = clock();
    return {
      client,
      info,
      kinds: new KindWords(info.kinds),
      now: () => info.now + (clock() - askedAt),
    };
  } catch (thrown) {
    if (!isSkepError(thrown, 'unavailable')) throw thrown;
    throw new CommandFault(
      `no cluster answers at ${path}: ${thrown.message}\n` +
        "(start one with 'skep up', look with 'skep status', or name another with --cluster)",
      EXIT.unavailable,
    );
  }
}
