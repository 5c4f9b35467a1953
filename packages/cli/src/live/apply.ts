/**
 * `skep apply -f …`: declares files to a running cluster.
 */
import { Config, Network, Secret, Service, Volume, type AnyKind } from '@skep/api';
import type { Changed } from '@skep/control';
import { isAcceptable, loadManifests, type LoadedManifests } from '@skep/manifest';
import { declarableKinds } from 'skep';
import { loadOptions, type FileOptions } from '../commands/file-options.js';
import { loadOwnKinds } from '../commands/own-kinds.js';
import {
  CommandFault,
  EXIT,
  readSources,
  type ExitCode,
  type Surroundings,
} from '../surroundings.js';
import { reportComplaints } from '../views/complaints.js';
import { withCluster, type ClusterChoice, type Connected } from './connection.js';
import { awaitRollout } from './rollout.js';
import { look } from './replica.js';

/** What to do once something was changed. */
export interface WaitOptions {
  /** Show how far it is, until it is as declared. */
  readonly watch?: boolean;
  /** Longest wait, in seconds. */
  readonly timeout: number;
}

/** Options of `skep apply`. */
export interface ApplyCommandOptions extends FileOptions, ClusterChoice, WaitOptions {
  /** Remove services of the stack that are not in the files. */
  readonly prune?: boolean;
  /** Take over fields that others have set. */
  readonly force?: boolean;
}

/** Declares all of the files, or nothing. */
export function apply(options: ApplyCommandOptions, surroundings: Surroundings): Promise<ExitCode> {
  return withCluster(options, surroundings, (connected) =>
    applyTo(connected, options, surroundings),
  );
}

/** The same to a manager that answers. */
export async function applyTo(
  connected: Connected,
  options: Omit<ApplyCommandOptions, keyof ClusterChoice>,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { stack, prune = false, force = false } = options;
  if (prune && stack === undefined) {
    throw new CommandFault('--prune removes what a stack has no more: say which with --stack NAME');
  }
  const loaded = await loadFor(connected, options, surroundings);
  reportComplaints(loaded.complaints, surroundings.err);
  if (!isAcceptable(loaded.complaints)) return EXIT.badInput;
  const at = connected.now();
  const changed = await connected.client.declareLoaded(loaded.objects, {
    force,
    ...(stack === undefined ? {} : { manager: `stack ${stack}` }),
    ...(prune && stack !== undefined ? { prune: stack } : {}),
  });
  reportChanges(changed, surroundings.out);
  return options.watch === true
    ? awaitRollout(
        {
          services: servicesOf(changed),
          revision: changed.revision,
          timeoutMs: options.timeout * 1000,
          at,
        },
        connected,
        surroundings,
      )
    : EXIT.ok;
}

/** Reads the files with the cluster's kinds, and with what it has by name. */
async function loadFor(
  { client, kinds }: Connected,
  options: FileOptions,
  surroundings: Surroundings,
): Promise<LoadedManifests> {
  const files = readSources(options.file, surroundings);
  const own = await loadOwnKinds(options.kinds, surroundings);
  const known = kinds.kinds.filter(({ info }) => info.isDeclarable).map(({ token }) => token);
  // A module of the user's brings the schemas of kinds that the cluster knows by name only.
  const tokens = new Map<string, AnyKind>(
    [...known, ...own.kinds].map((token) => [token.name, token]),
  );
  const view = await look(client, [Network, Secret, Config, Volume]);
  const names = (kind: typeof Network | typeof Secret | typeof Config | typeof Volume) =>
    view.list(kind as typeof Network).map(({ meta }) => meta.name);
  return loadManifests(files, {
    ...loadOptions(options, surroundings),
    kinds: declarableKinds([...tokens.values()]),
    existing: {
      networks: [...names(Network), 'host', 'bridge', 'none'],
      secrets: names(Secret),
      configs: names(Config),
      volumes: names(Volume),
    },
  });
}

const ACTIONS = Object.freeze({
  create: 'created',
  update: 'updated',
  unchanged: 'unchanged',
  delete: 'removed',
} as const);

/** `service/web created`: a line for each object. */
export function reportChanges({ results }: Changed, out: (text: string) => void): void {
  for (const { kind, name, id, action } of results) {
    out(`${kind.toLowerCase()}/${name === '' ? id : name} ${ACTIONS[action]}\n`);
  }
}

/** Names of the services that a change is about. */
export function servicesOf({ results }: Changed): readonly string[] {
  return results.filter(({ kind }) => kind === Service.name).map(({ name }) => name);
}
