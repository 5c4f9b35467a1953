/**
 * What the options of `skep update` change in a service. Pure.
 */
import {
  serviceMode,
  type PortProtocol,
  type PortSpec,
  type Service,
  type ServiceSpec,
} from '@skep/api';
import type { ObjectPatch } from '@skep/control';
import { CommandFault } from '../surroundings.js';

/** Options that change a service. Lists are of what is added and what is taken away. */
export interface ServiceChanges {
  readonly image?: string;
  readonly replicas?: number;
  readonly args?: string;
  readonly envAdd?: readonly string[];
  readonly envRm?: readonly string[];
  readonly labelAdd?: readonly string[];
  readonly labelRm?: readonly string[];
  readonly constraintAdd?: readonly string[];
  readonly constraintRm?: readonly string[];
  readonly publishAdd?: readonly string[];
  readonly publishRm?: readonly string[];
  readonly updateParallelism?: number;
  /** In milliseconds. */
  readonly updateDelay?: number;
  readonly updateOrder?: 'stop-first' | 'start-first';
  readonly updateFailureAction?: 'pause' | 'continue' | 'rollback';
  readonly restartCondition?: 'none' | 'on-failure' | 'any';
  /** A JSON merge patch of the spec; goes before the other options. */
  readonly patch?: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** The change as a merge patch; empty when the options ask for nothing. @throws CommandFault */
export function patchOf({ meta, spec }: Service, changes: ServiceChanges): ObjectPatch {
  const given = changes.patch === undefined ? {} : parsedPatch(changes.patch);
  const patched = merged(given, specPatch(spec, changes));
  const labels = {
    ...Object.fromEntries((changes.labelRm ?? []).map((key) => [key, null])),
    ...Object.fromEntries((changes.labelAdd ?? []).map((pair) => pairOf(pair, '--label-add'))),
  };
  for (const key of changes.labelRm ?? []) {
    if (meta.labels[key] === undefined) throw absent('--label-rm', key, Object.keys(meta.labels));
  }
  return {
    ...(Object.keys(patched).length === 0 ? {} : { spec: patched }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
  };
}

function specPatch(spec: ServiceSpec, changes: ServiceChanges): Fields {
  const { image, args, updateParallelism, updateDelay, updateOrder } = changes;
  const container = present({
    image,
    args: args === undefined ? undefined : args.split(/\s+/).filter((word) => word !== ''),
    env: environment(spec, changes),
  });
  const task = present({
    container: orNothing(container),
    placement: orNothing(present({ constraints: constraints(spec, changes) })),
    restartPolicy: orNothing(present({ condition: changes.restartCondition })),
  });
  const update = present({
    parallelism: updateParallelism,
    delayMs: updateDelay,
    order: updateOrder,
    failureAction: changes.updateFailureAction,
  });
  return present({
    mode: modePatch(spec, changes.replicas),
    task: orNothing(task),
    update: orNothing(update),
    endpoint: orNothing(present({ ports: ports(spec, changes) })),
  });
}

function modePatch(spec: ServiceSpec, replicas: number | undefined): Fields | undefined {
  if (replicas === undefined) return undefined;
  const { type } = serviceMode(spec);
  if (type === 'replicated') return { type, replicas };
  if (type === 'replicated-job') return { type, totalCompletions: replicas };
  throw new CommandFault(`--replicas: a ${type} service has as many tasks as there are nodes`);
}

function environment(spec: ServiceSpec, changes: ServiceChanges): readonly string[] | undefined {
  const { envAdd = [], envRm = [] } = changes;
  if (envAdd.length + envRm.length === 0) return undefined;
  const nameOf = (text: string): string => text.split('=', 1)[0] ?? text;
  const had = spec.task.container?.env ?? [];
  const names = had.map(nameOf);
  for (const name of envRm) if (!names.includes(name)) throw absent('--env-rm', name, names);
  for (const text of envAdd) pairOf(text, '--env-add');
  const replaced = new Set([...envRm, ...envAdd.map(nameOf)]);
  return [...had.filter((text) => !replaced.has(nameOf(text))), ...envAdd];
}

function constraints(spec: ServiceSpec, changes: ServiceChanges): readonly string[] | undefined {
  const { constraintAdd = [], constraintRm = [] } = changes;
  if (constraintAdd.length + constraintRm.length === 0) return undefined;
  const plain = (text: string): string => text.replaceAll(/\s+/g, '');
  const had = spec.task.placement?.constraints ?? [];
  for (const text of constraintRm) {
    if (!had.some((known) => plain(known) === plain(text))) {
      throw absent('--constraint-rm', text, had);
    }
  }
  const gone = new Set(constraintRm.map(plain));
  const kept = had.filter((text) => !gone.has(plain(text)));
  const known = new Set(kept.map(plain));
  return [...kept, ...constraintAdd.filter((text) => !known.has(plain(text)))];
}

function ports(spec: ServiceSpec, changes: ServiceChanges): readonly PortSpec[] | undefined {
  const { publishAdd = [], publishRm = [] } = changes;
  if (publishAdd.length + publishRm.length === 0) return undefined;
  const had = spec.endpoint?.ports ?? [];
  const protocolOf = (port: PortSpec): PortProtocol => port.protocol ?? 'tcp';
  const gone = publishRm.map((text) => portOf(text, '--publish-rm'));
  const isGone = (port: PortSpec): boolean =>
    gone.some(
      (removed) =>
        removed.targetPort === port.targetPort && protocolOf(removed) === protocolOf(port),
    );
  for (const [at, removed] of gone.entries()) {
    if (had.some((port) => removed.targetPort === port.targetPort)) continue;
    const known = had.map(({ targetPort, protocol = 'tcp' }) => `${targetPort}/${protocol}`);
    throw absent('--publish-rm', publishRm[at] ?? '', known);
  }
  const added = publishAdd.map((text) => portOf(text, '--publish-add'));
  return [...had.filter((port) => !isGone(port)), ...added];
}

const PORT = /^(?:(\d{1,5}):)?(\d{1,5})(?:\/(tcp|udp|sctp))?$/;

/** Reads `8080:80/tcp`, `80`, `53/udp`. @throws CommandFault */
export function portOf(text: string, option: string): PortSpec {
  const [, published, target = '', protocol] = PORT.exec(text) ?? [];
  const targetPort = Number(target);
  const isRight = (port: number): boolean => port >= 1 && port <= 65_535;
  if (!isRight(targetPort) || (published !== undefined && !isRight(Number(published)))) {
    throw new CommandFault(
      `${option} ${text}: that is no port (write [PUBLISHED:]TARGET[/PROTOCOL], such as 8080:80)`,
    );
  }
  return {
    targetPort,
    ...(published === undefined ? {} : { publishedPort: Number(published) }),
    ...(protocol === undefined ? {} : { protocol: protocol as PortProtocol }),
  };
}

/** Reads `KEY=VALUE`. @throws CommandFault */
export function pairOf(text: string, option: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new CommandFault(`${option} ${text}: write KEY=VALUE`);
}

function parsedPatch(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Fields;
  } catch {
    // Told below: what is no JSON is no object either.
  }
  throw new CommandFault(
    `--patch: that is no JSON object (write fields of the spec: '{"update":{"parallelism":2}}')`,
  );
}

/** One patch after another, as one. **Source:** RFC 7396. */
function merged(a: Fields, b: Fields): Fields {
  const result: Record<string, unknown> = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const other = Object.hasOwn(a, key) ? a[key] : undefined;
    result[key] = isFields(other) && isFields(value) ? merged(other, value) : value;
  }
  return result;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function present(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function orNothing(fields: Fields): Fields | undefined {
  return Object.keys(fields).length === 0 ? undefined : fields;
}

function absent(option: string, what: string, known: readonly string[]): CommandFault {
  return new CommandFault(
    `${option} ${what}: there is nothing like that (there are: ${known.join(', ') || 'none'})`,
  );
}
