/**
 * Commands that change services, nodes and other objects of a running cluster.
 */
import { isRunnable, Node, Service, Task, type NodeAvailability } from '@skep/api';
import type { Changed, RemovalInput } from '@skep/control';
import { CommandFault, EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import { counted } from '../views/summary.js';
import { reportChanges, servicesOf, type WaitOptions } from './apply.js';
import { withCluster, type ClusterChoice, type Connected } from './connection.js';
import { awaitUntil } from './await.js';
import { isMeant, targetsOf } from './references.js';
import { awaitRollout } from './rollout.js';
import { pairOf, patchOf, type ServiceChanges } from './service-patch.js';

/** Options of every command that changes services. */
export interface ChangeOptions extends ClusterChoice, WaitOptions {}

/** `skep scale web=3 db=2`. */
export function scale(
  wishes: readonly string[],
  options: ChangeOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const wanted = wishes.map((wish) => {
    const [service, text] = pairOf(wish, 'scale');
    const replicas = text.trim() === '' ? NaN : Number(text);
    if (Number.isSafeInteger(replicas) && replicas >= 0) return { service, replicas };
    throw new CommandFault(`scale ${wish}: write SERVICE=NUMBER, a whole number of at least 0`);
  });
  return changing(options, surroundings, async ({ client }) => {
    const changes: Changed[] = [];
    for (const { service, replicas } of wanted) {
      changes.push(await client.scale(service, replicas));
    }
    return changes;
  });
}

/** Options of `skep update`. */
export interface UpdateOptions extends ChangeOptions, ServiceChanges {
  /** Replace all tasks though nothing changes. */
  readonly force?: boolean;
  /** Leave tasks as they are until --resume. */
  readonly hold?: boolean;
  readonly resume?: boolean;
}

/** `skep update web --image web:2`. */
export function update(
  reference: string,
  options: UpdateOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  if (options.hold === true && options.resume === true) {
    throw new CommandFault('--hold and --resume: one or the other');
  }
  return changing(options, surroundings, async ({ client }) => {
    const service = await client.get(Service, reference);
    const { id, name } = service.meta;
    const patch = patchOf(service, options);
    const isPatch = patch.spec !== undefined || patch.labels !== undefined;
    const changes: Changed[] = [];
    // Held before anything changes, let go after it: so that one command can do both.
    if (options.hold === true) changes.push(await client.hold(id));
    if (isPatch) changes.push(await client.update(id, patch));
    if (options.resume === true) changes.push(await client.resume(id));
    if (options.force === true) changes.push(await client.forceUpdate(id));
    if (changes.length > 0) return changes;
    throw new CommandFault(`say what to change of ${name} ('skep help update' lists the options)`);
  });
}

/** Options of `skep rollback`. */
export interface RollbackOptions extends ChangeOptions {
  readonly to?: number;
}

/** `skep rollback web`. */
export function rollback(
  reference: string,
  options: RollbackOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { to } = options;
  const change = async ({ client }: Connected): Promise<readonly Changed[]> => [
    await client.rollback(reference, to === undefined ? {} : { toSpecVersion: to }),
  ];
  return changing(options, surroundings, change, { isRollback: true });
}

/** Options of `skep rm`. */
export interface RemoveOptions extends ChangeOptions {
  readonly stack?: readonly string[];
  /** Nodes: also those that are not down. */
  readonly force?: boolean;
}

/** `skep rm web`, `skep rm network/front`, `skep rm --stack st`. */
export function remove(
  words: readonly string[],
  options: RemoveOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { stack: stacks = [], force = false } = options;
  if (words.length + stacks.length === 0) {
    throw new CommandFault('say what to remove: NAME of a service, KIND/NAME, or --stack NAME');
  }
  return changing(options, surroundings, async (connected) => {
    const found = words.length === 0 ? [] : removals(words, connected);
    const isNode = ({ kind }: { readonly kind: string }): boolean => kind === Node.name;
    const others: readonly RemovalInput[] = [
      ...found.filter((target) => !isNode(target)),
      ...stacks.map((stack) => ({ stack })),
    ];
    const changes: Changed[] = [];
    if (others.length > 0) changes.push(await connected.client.remove(others));
    for (const { reference } of found.filter(isNode)) {
      changes.push(await connected.client.removeNode(reference, { force }));
    }
    return changes;
  });
}

/** What words mean: `KIND NAME…`, `KIND/NAME…`, or names of services. */
function removals(
  words: readonly string[],
  { kinds }: Connected,
): readonly { readonly kind: string; readonly reference: string }[] {
  const [first = '', ...rest] = words;
  const isKind = kinds.words().includes(first.toLowerCase()) && rest.length > 0;
  const hasKinds = isKind || words.some((word) => word.includes('/'));
  const targets = hasKinds ? targetsOf(words, kinds) : targetsOf([Service.name, ...words], kinds);
  return targets.flatMap(({ kind, names = [] }) =>
    names.map((reference) => ({ kind: kind.info.name, reference })),
  );
}

/** `skep drain node2`, `skep pause node2`, `skep activate node2`. */
export function setAvailability(
  nodes: readonly string[],
  availability: NodeAvailability,
  options: ChangeOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  return withCluster(options, surroundings, async (connected) => {
    const { client } = connected;
    for (const node of nodes) {
      reportChanges(await client.updateNode(node, { availability }), surroundings.out);
    }
    if (options.watch !== true || availability !== 'drain') return EXIT.ok;
    return awaitUntil(
      { kinds: [Node, Task], timeoutMs: options.timeout * 1000, connected, surroundings },
      (view) => {
        const ids = view.list(Node).filter((node) => nodes.some((name) => isMeant(node, name)));
        const left = view
          .list(Task)
          .filter(({ status }) => isRunnable(status.state))
          .filter(({ status }) => ids.some(({ meta }) => meta.id === status.nodeId)).length;
        return left === 0 ? undefined : `${counted(left, 'task')} left`;
      },
    );
  });
}

/** `skep label node/node2 disk=ssd old-`: of nodes and services. */
export function label(
  reference: string,
  words: readonly string[],
  options: ChangeOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const labels = Object.fromEntries(
    words.map((word): readonly [string, string | null] =>
      word.endsWith('-') && !word.includes('=') ? [word.slice(0, -1), null] : pairOf(word, 'label'),
    ),
  );
  return changing(options, surroundings, async ({ client, kinds }) => {
    const [target] = targetsOf([reference], kinds);
    const name = target?.names?.[0];
    if (name === undefined) {
      throw new CommandFault(`'${reference}' names no object (write node/NAME or service/NAME)`);
    }
    const kind = target?.kind.info.name;
    if (kind === Node.name) return [await client.updateNode(name, { labels })];
    if (kind === Service.name) return [await client.update(name, { labels })];
    throw new CommandFault(`labels of a ${kind ?? ''} are changed with 'skep apply' only`);
  });
}

/** Changes, says what was changed, and waits if that is asked for. */
function changing(
  options: ChangeOptions,
  surroundings: Surroundings,
  change: (connected: Connected) => Promise<readonly Changed[]>,
  { isRollback = false }: { readonly isRollback?: boolean } = {},
): Promise<ExitCode> {
  return withCluster(options, surroundings, async (connected) => {
    const at = connected.now();
    const changes = await change(connected);
    for (const changed of changes) reportChanges(changed, surroundings.out);
    if (options.watch !== true) return EXIT.ok;
    const services = [...new Set(changes.flatMap(servicesOf))];
    const revision = Math.max(...changes.map((changed) => changed.revision));
    const timeoutMs = options.timeout * 1000;
    const awaited = { services, revision, timeoutMs, ...(isRollback ? {} : { at }) };
    return awaitRollout(awaited, connected, surroundings);
  });
}
