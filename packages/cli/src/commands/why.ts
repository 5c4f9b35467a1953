/**
 * `skep why OBJECT`: the commits that led to a change of an object, the cause first.
 */
import { canonicalJson, compareText, isSkepError, taskName, Task } from '@skep/api';
import type { AnyKind, Kind, StoredObject } from '@skep/api';
import { declarableKinds, renderWhy, type Cluster } from 'skep';
import { CommandFault, EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import { whyLive } from '../live/explain.js';
import { checkOptions, type NetworkOptions } from './network-source.js';
import { withSettledCluster } from './simulated-cluster.js';

/** What may have happened to an object. */
export const CHANGE_TYPES = ['created', 'updated', 'deleted'] as const;

/** Options of `skep why`. */
export type WhyCommandOptions = NetworkOptions & {
  /** The newest change of this field, or of something inside of it. Default: of any. */
  readonly field?: string;
  /** The newest change of this sort. Default: of any. */
  readonly change?: (typeof CHANGE_TYPES)[number];
  readonly json?: boolean;
};

/** An object of the cluster, and what it is. */
interface Meant {
  readonly kind: AnyKind;
  readonly id: string;
}

/** Names that a complaint lists. */
const NAMES_MAX = 10;

/**
 * Tells it of a cluster settled from files, or of the running one; exit code 1 when no such change
 * is known.
 */
export function why(
  reference: string,
  options: WhyCommandOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { file } = options;
  checkOptions(options);
  if (file === undefined) return whyLive(reference, options, surroundings);
  return withSettledCluster({ ...options, file, isTraced: true }, surroundings, (cluster) => {
    const { kind, id } = objectMeant(cluster, reference);
    const { field, change } = options;
    const steps = cluster.why(kind as Kind, id, {
      ...(field === undefined ? {} : { field }),
      ...(change === undefined ? {} : { change }),
    });
    surroundings.out(options.json === true ? `${canonicalJson(steps, 2)}\n` : renderWhy(steps));
    return steps.length > 0 ? EXIT.ok : EXIT.unsettled;
  });
}

/**
 * `NAME`, `ID`, `SERVICE.SLOT`, or `KIND/NAME` where one name means several.
 * @throws CommandFault for what means nothing, or several objects of different kinds.
 */
function objectMeant(cluster: Cluster, reference: string): Meant {
  const [before = '', name] = reference.split(/\/(.*)/s, 2);
  const kinds = [...cluster.store.kinds].sort((a, b) => compareText(a.name, b.name));
  if (name !== undefined) {
    const kind = kinds.find((known) => known.name.toLowerCase() === before.toLowerCase());
    if (kind === undefined) {
      const names = kinds.map((known) => known.name).join(', ');
      throw new CommandFault(`the kind ${before} is not known (there are: ${names})`);
    }
    const found = find(cluster, kind, name);
    if (found !== undefined) return found;
    throw new CommandFault(
      `there is no ${kind.name} '${name}' (there are: ${known(cluster, kind)})`,
    );
  }
  // What people declare; else a task, as the name of a service means the service.
  const declared = declarableKinds(kinds).flatMap((kind) => find(cluster, kind, reference) ?? []);
  const found = declared.length > 0 ? declared : [find(cluster, Task, reference) ?? []].flat();
  const [first, ...others] = found;
  if (first === undefined) {
    throw new CommandFault(
      `nothing is meant by '${reference}' (write a name, SERVICE.SLOT, or KIND/NAME)`,
    );
  }
  if (others.length === 0) return first;
  const choices = found.map(({ kind }) => `${kind.name}/${reference}`).join(', ');
  throw new CommandFault(`'${reference}' may mean several objects (write one of ${choices})`);
}

function find(cluster: Cluster, kind: AnyKind, reference: string): Meant | undefined {
  if (kind.name === Task.name) return findTask(cluster, kind, reference);
  const id = cluster.get(kind as Kind, reference)?.meta.id;
  return id === undefined ? undefined : { kind, id };
}

/** Tasks have no names of their own: by id, by `SERVICE.SLOT`, or the first of a service. */
function findTask(cluster: Cluster, kind: AnyKind, reference: string): Meant | undefined {
  try {
    return { kind, id: cluster.explain(reference).taskId };
  } catch (thrown) {
    if (isSkepError(thrown, 'not-found')) return undefined;
    throw thrown;
  }
}

function known(cluster: Cluster, kind: AnyKind): string {
  const all = cluster.list(kind as Kind).map((object) => nameOf(object));
  const more = all.length > NAMES_MAX ? `, and ${all.length - NAMES_MAX} more` : '';
  return all.length === 0 ? 'none' : `${all.slice(0, NAMES_MAX).join(', ')}${more}`;
}

function nameOf(object: StoredObject): string {
  if (object.kind === Task.name) return taskName(object as Task);
  return object.meta.name === '' ? object.meta.id : object.meta.name;
}
