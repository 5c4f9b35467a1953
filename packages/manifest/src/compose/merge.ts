/**
 * Merges several compose files, each over those before it.
 *
 * The rules are the Docker client's: a text or number that is empty or 0 never overrides; mappings
 * are merged by key; ports, mounts, secrets and configs by what identifies them; commands are
 * replaced; all other lists are appended. Top-level objects are replaced whole.
 *
 * **Source:** docker/cli `cli/compose/loader/merge.go`, mergo's rules for override and append.
 */
import { canonicalJson, compareBy, compareText } from '@skep/api';
import type {
  ComposeAttachment,
  ComposeDeploy,
  ComposeFileReference,
  ComposeHealthCheck,
  ComposeMount,
  ComposePort,
  ComposeResources,
  ComposeRestartPolicy,
  ComposeService,
  ComposeUpdate,
} from './model.js';

/** Services of `base` with those of `override` merged over them, sorted by name. */
export function mergeServices(
  base: readonly ComposeService[],
  override: readonly ComposeService[],
): readonly ComposeService[] {
  const services = new Map(base.map((service) => [service.name, service]));
  for (const service of override) {
    const earlier = services.get(service.name);
    services.set(service.name, earlier ? mergeService(earlier, service) : service);
  }
  return [...services.values()].sort((a, b) => compareText(a.name, b.name));
}

/** Top-level objects: those of `override` replace those of the same key. */
export function mergeObjects<T>(
  base: ReadonlyMap<string, T>,
  override: ReadonlyMap<string, T>,
): ReadonlyMap<string, T> {
  return new Map([...base, ...override]);
}

function mergeService(base: ComposeService, over: ComposeService): ComposeService {
  return {
    ...filled(base, over),
    // A merged service is reported where it was first written.
    place: base.place,
    command: replaced(base.command, over.command),
    entrypoint: replaced(base.entrypoint, over.entrypoint),
    environment: mergeEnvironment(base.environment, over.environment),
    labels: mergeObjects(base.labels, over.labels),
    sysctls: mergeObjects(base.sysctls, over.sysctls),
    ulimits: mergeObjects(base.ulimits, over.ulimits),
    groups: [...base.groups, ...over.groups],
    capabilityAdd: [...base.capabilityAdd, ...over.capabilityAdd],
    capabilityDrop: [...base.capabilityDrop, ...over.capabilityDrop],
    dns: [...base.dns, ...over.dns],
    dnsSearch: [...base.dnsSearch, ...over.dnsSearch],
    extraHosts: [...base.extraHosts, ...over.extraHosts],
    tmpfs: [...base.tmpfs, ...over.tmpfs],
    credentialSpec: filled(base.credentialSpec, over.credentialSpec),
    ...both('healthCheck', base.healthCheck, over.healthCheck, mergeHealthCheck),
    ...both('logging', base.logging, over.logging, mergeLogging),
    networks: mergeNetworks(base.networks, over.networks),
    ports: mergePorts(base.ports, over.ports),
    mounts: mergeKeyed(base.mounts, over.mounts, (mount: ComposeMount) => mount.target),
    secrets: mergeKeyed(base.secrets, over.secrets, sourceOf),
    configs: mergeKeyed(base.configs, over.configs, sourceOf),
    deploy: mergeDeploy(base.deploy, over.deploy),
  };
}

const sourceOf = (reference: ComposeFileReference): string => reference.source;

/** Fields of `over` that are neither empty, 0, false nor absent replace those of `base`. */
function filled<T extends object>(base: T, over: T): T {
  const set = Object.entries(over).filter(
    ([, value]) => value !== undefined && value !== '' && value !== 0 && value !== false,
  );
  return { ...base, ...Object.fromEntries(set) };
}

function replaced<T>(base: readonly T[] | undefined, over: readonly T[] | undefined) {
  return over === undefined || (over.length === 0 && base !== undefined) ? base : over;
}

/** The merge of an optional field: of both where both are there, else the one there is. */
function both<K extends string, V>(
  key: K,
  base: V | undefined,
  over: V | undefined,
  merge: (base: V, over: V) => V,
): { readonly [P in K]?: V } {
  const value = base === undefined ? over : over === undefined ? base : merge(base, over);
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}

function mergeEnvironment(
  base: ComposeService['environment'],
  over: ComposeService['environment'],
): ComposeService['environment'] {
  const merged = new Map(base);
  for (const [name, value] of over) {
    // An empty value does not override; it only fills a gap.
    if ((value ?? '') !== '' || (merged.get(name) ?? '') === '') merged.set(name, value);
  }
  return merged;
}

function mergeHealthCheck(base: ComposeHealthCheck, over: ComposeHealthCheck): ComposeHealthCheck {
  return {
    ...filled(base, over),
    test: [...base.test, ...over.test],
    // A count may be overridden by 0, unlike a time.
    ...(over.retries === undefined ? {} : { retries: over.retries }),
  };
}

type Logging = NonNullable<ComposeService['logging']>;

function mergeLogging(base: Logging, over: Logging): Logging {
  if (base.driver !== over.driver && base.driver !== '' && over.driver !== '') return over;
  const options =
    base.options === undefined || over.options === undefined
      ? (base.options ?? over.options)
      : mergeObjects(base.options, over.options);
  return { driver: base.driver || over.driver, options };
}

function mergeNetworks(
  base: ComposeService['networks'],
  over: ComposeService['networks'],
): ComposeService['networks'] {
  const merged = new Map(base);
  for (const [name, attachment] of over) {
    const earlier = merged.get(name);
    merged.set(name, earlier?.isDetailed ? mergeAttachment(earlier, attachment) : attachment);
  }
  return merged;
}

function mergeAttachment(base: ComposeAttachment, over: ComposeAttachment): ComposeAttachment {
  if (!over.isDetailed) return base;
  return {
    ...base,
    aliases: over.aliases,
    ipv4Address: over.ipv4Address || base.ipv4Address,
    ipv6Address: over.ipv6Address || base.ipv6Address,
  };
}

const comparePorts = compareBy<ComposePort>(
  (a, b) => a.published - b.published,
  (a, b) => a.target - b.target,
  (a, b) => compareText(a.protocol, b.protocol),
  (a, b) => compareText(a.mode, b.mode),
);

function mergePorts(
  base: readonly ComposePort[],
  over: readonly ComposePort[],
): readonly ComposePort[] {
  if (base.length === 0) return over;
  const merged = new Map<string, ComposePort>();
  for (const port of [...base, ...over]) {
    merged.set(canonicalJson({ ...port, place: undefined }), port);
  }
  return [...merged.values()].sort(comparePorts);
}

function mergeKeyed<T>(
  base: readonly T[],
  over: readonly T[],
  keyOf: (value: T) => string,
): readonly T[] {
  if (base.length === 0) return over;
  const merged = new Map([...base, ...over].map((value) => [keyOf(value), value]));
  return [...merged.values()].sort((a, b) => compareText(keyOf(a), keyOf(b)));
}

function mergeDeploy(base: ComposeDeploy, over: ComposeDeploy): ComposeDeploy {
  return {
    ...filled(base, over),
    ...(over.replicas === undefined ? {} : { replicas: over.replicas }),
    labels: mergeObjects(base.labels, over.labels),
    constraints: [...base.constraints, ...over.constraints],
    preferences: [...base.preferences, ...over.preferences],
    ...both('update', base.update, over.update, mergeUpdate),
    ...both('rollback', base.rollback, over.rollback, mergeUpdate),
    ...both('limits', base.limits, over.limits, mergeResources),
    ...both('reservations', base.reservations, over.reservations, mergeResources),
    ...both('restartPolicy', base.restartPolicy, over.restartPolicy, mergeRestartPolicy),
  };
}

function mergeUpdate(base: ComposeUpdate, over: ComposeUpdate): ComposeUpdate {
  return {
    ...filled(base, over),
    ...(over.parallelism === undefined ? {} : { parallelism: over.parallelism }),
  };
}

function mergeRestartPolicy(
  base: ComposeRestartPolicy,
  over: ComposeRestartPolicy,
): ComposeRestartPolicy {
  return {
    ...filled(base, over),
    ...(over.maxAttempts === undefined ? {} : { maxAttempts: over.maxAttempts }),
  };
}

function mergeResources(base: ComposeResources, over: ComposeResources): ComposeResources {
  return { ...filled(base, over), generic: [...base.generic, ...over.generic] };
}
