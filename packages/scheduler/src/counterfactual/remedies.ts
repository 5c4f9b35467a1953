/**
 * What would help against a refusal, filter by filter.
 *
 * A refusal is a list of lacks. For each of them there are alternatives, one of which is needed;
 * what a filter suggests itself is enough for all of its lacks. These are candidates: whether they
 * help is then tried out, so that a filter that only shares its name with one of ours does no harm.
 */
import { DEVICE_CAPACITY_MILLI, isSkepError, parseConstraint, type Constraint } from '@skep/api';
import type { ActiveFilter } from '../active-plugins.js';
import type { ClusterState } from '../cluster-state.js';
import type { NodeInfo } from '../node-info.js';
import type { Lack } from '../policy.js';
import type { TaskGroup } from '../task-group.js';
import { taintText } from '../taints.js';
import { skewOf } from './amounts.js';
import { costed, type CostedRemedy } from './remedy.js';

/** The refusal of a node by a filter. */
export interface Refusal {
  readonly active: ActiveFilter;
  readonly node: NodeInfo;
  readonly lacks: readonly Lack[];
}

/** Whom the refusals are about. */
export interface RemedyContext {
  readonly state: ClusterState;
  readonly group: TaskGroup;
}

/**
 * What is needed against the refusal: of each inner list one. Every inner list has at least one
 * remedy. Cost: O(lacks), for host ports O(tasks on the node).
 */
export function remediesFor(
  refusal: Refusal,
  context: RemedyContext,
): readonly (readonly CostedRemedy[])[] {
  const { active, node, lacks } = refusal;
  const suggestions = active.prepared.suggest?.(node, lacks);
  if (suggestions !== undefined && suggestions.length > 0) {
    return [
      suggestions.map((suggestion) => {
        const filter = active.filter.name;
        const remedy = { type: 'suggestion', filter, nodeId: node.id, suggestion } as const;
        return suggestion.cost === undefined ? costed(remedy) : { remedy, cost: suggestion.cost };
      }),
    ];
  }
  const known = KNOWN[active.filter.name];
  const needs = known === undefined ? [] : lacks.map((lack) => known(lack, node, context));
  return needs.length > 0 && needs.every((alternatives) => alternatives.length > 0)
    ? needs
    : withoutFilter(refusal);
}

/** Leaving the filter out: what is left when nothing better is known. */
export function withoutFilter({ active }: Refusal): readonly (readonly CostedRemedy[])[] {
  return [[costed({ type: 'without-filter', filter: active.filter.name })]];
}

type Remedies = (lack: Lack, node: NodeInfo, context: RemedyContext) => readonly CostedRemedy[];

/** By the names and the lacks of the filters of this package. */
const KNOWN: Readonly<Record<string, Remedies>> = Object.freeze({
  ready: forReady,
  resource: forResource,
  plugin: forPlugin,
  constraint: forConstraint,
  platform: forPlatform,
  'host-port': forHostPort,
  'max-replicas': forMaxReplicas,
  volume: forVolume,
  taint: forTaint,
  'node-affinity': forNodeAffinity,
  'service-affinity': forServiceAffinity,
  'topology-spread': forTopologySpread,
});

function forReady({ what }: Lack, { id }: NodeInfo): readonly CostedRemedy[] {
  if (what === 'state') return [costed({ type: 'node-ready', nodeId: id })];
  if (what === 'availability') return [costed({ type: 'node-active', nodeId: id })];
  return [];
}

const GENERIC = 'generic ';

function forResource(lack: Lack, node: NodeInfo, context: RemedyContext): readonly CostedRemedy[] {
  const { what } = lack;
  const { id: nodeId } = node;
  const needed = Number(lack.needed);
  const left = Math.max(0, Number(lack.available));
  const missing = needed - Number(lack.available);
  const share = missing / needed;
  if (what === 'cpuNanos' || what === 'memoryBytes') {
    return [
      costed({ type: 'reservation', resource: what, amount: left }, share),
      costed({ type: 'node-capacity', nodeId, resource: what, amount: missing }, share),
    ];
  }
  if (!what.startsWith(GENERIC)) return forDevice(lack, node, context);
  const kind = what.slice(GENERIC.length);
  return [
    costed({ type: 'generic-reservation', kind, count: left }, share),
    costed({ type: 'node-generic', nodeId, kind, count: missing }, share),
  ];
}

const PLUGIN = 'plugin ';

function forPlugin({ what }: Lack, { id: nodeId }: NodeInfo): readonly CostedRemedy[] {
  const [type, ...name] = what.startsWith(PLUGIN) ? what.slice(PLUGIN.length).split('/') : [];
  if (type === undefined || name.length === 0) return [];
  return [costed({ type: 'node-plugin', nodeId, plugin: { type, name: name.join('/') } })];
}

function forConstraint({ needed }: Lack, node: NodeInfo): readonly CostedRemedy[] {
  const text = String(needed);
  const without = costed({ type: 'without-constraint', constraint: text });
  const parsed = parse(text);
  const label = parsed === undefined ? undefined : labelIn(parsed);
  if (parsed === undefined || label === undefined) return [without];
  const value = parsed.operator === '==' ? parsed.value : null;
  return [costed({ type: 'node-label', nodeId: node.id, ...label, value }), without];
}

function parse(text: string): Constraint | undefined {
  try {
    return parseConstraint(text);
  } catch (thrown) {
    if (isSkepError(thrown, 'invalid-argument')) return undefined;
    throw thrown;
  }
}

const SCOPES = [
  ['node', 'node.labels.'],
  ['engine', 'engine.labels.'],
] as const;

function labelIn({ key }: Constraint): { scope: 'node' | 'engine'; label: string } | undefined {
  for (const [scope, prefix] of SCOPES) {
    const isLabel = key.toLowerCase().startsWith(prefix) && key.length > prefix.length;
    if (isLabel) return { scope, label: key.slice(prefix.length) };
  }
  return undefined;
}

function forPlatform(_: Lack, { node }: NodeInfo): readonly CostedRemedy[] {
  const platform = node.status.description?.platform;
  return [
    costed(platform === undefined ? { type: 'any-platform' } : { type: 'with-platform', platform }),
  ];
}

const HOST_PORT = 'host port ';

function forHostPort(
  { what }: Lack,
  node: NodeInfo,
  { state }: RemedyContext,
): readonly CostedRemedy[] {
  if (!what.startsWith(HOST_PORT)) return [];
  const port = what.slice(HOST_PORT.length);
  const holders = state
    .tasksOn(node.id)
    .filter(({ claim }) => claim.hostPorts.includes(port))
    .map(({ id, task }) => ({ taskId: id, serviceName: task.spec.serviceName }));
  return [costed({ type: 'port-free', nodeId: node.id, port, holders })];
}

function forMaxReplicas(
  _: Lack,
  node: NodeInfo,
  { state, group }: RemedyContext,
): readonly CostedRemedy[] {
  const active = state.activeTasksOf(group.serviceId).on(node);
  const most = group.template.placement?.maxReplicasPerNode ?? 0;
  const value = active + 1;
  return [costed({ type: 'max-replicas', value }, (value - most) / value)];
}

function forVolume({ what }: Lack, _: NodeInfo, { group }: RemedyContext): readonly CostedRemedy[] {
  return group.requirements.clusterMounts
    .filter(({ source = '', target }) => what === `volume ${source} at ${target}`)
    .map(({ source = '', target }) => costed({ type: 'without-mount', source, target }));
}

function forDevice(
  { what, needed, available }: Lack,
  { id: nodeId }: NodeInfo,
  { group }: RemedyContext,
): readonly CostedRemedy[] {
  const request = group.requirements.devices.find(({ kind }) =>
    what.startsWith(`${kind} devices `),
  );
  if (request === undefined) return [];
  const { kind, milli = DEVICE_CAPACITY_MILLI, models: [model] = [] } = request;
  const count = Number(available);
  const missing = Number(needed) - count;
  const share = missing / Number(needed);
  const device = {
    kind,
    ...(model === undefined ? {} : { model }),
    ...(milli > DEVICE_CAPACITY_MILLI ? { capacityMilli: milli } : {}),
  };
  return [
    costed({ type: 'device-reservation', kind, count }, share),
    costed({ type: 'node-device', nodeId, device, count: missing }, share),
  ];
}

function forTaint({ needed }: Lack, { id, node }: NodeInfo): readonly CostedRemedy[] {
  const taint = node.spec.taints?.find((one) => taintText(one) === needed);
  if (taint === undefined) return [];
  const { key, value, effect } = taint;
  const toleration = { key, effect, ...(value === undefined ? {} : { value }) };
  return [
    costed({ type: 'node-untainted', nodeId: id, taint }),
    costed({ type: 'with-toleration', toleration }),
  ];
}

function forNodeAffinity(): readonly CostedRemedy[] {
  return [costed({ type: 'without-node-affinity' })];
}

function forServiceAffinity(
  { what }: Lack,
  _: NodeInfo,
  { group }: RemedyContext,
): readonly CostedRemedy[] {
  const { serviceAffinity, serviceAntiAffinity } = group.template.placement ?? {};
  const rules = [
    ['serviceAffinity', 'near', serviceAffinity],
    ['serviceAntiAffinity', 'away from', serviceAntiAffinity],
  ] as const;
  return rules.flatMap(([rule, way, affinity]) =>
    (affinity?.required ?? [])
      .filter(({ service, topologyKey }) => what === `${way} ${service} by ${topologyKey}`)
      .map((term) => costed({ type: 'without-service-affinity', rule, ...term })),
  );
}

const SKEW = 'skew over ';
const TOPOLOGY = 'topology ';

function forTopologySpread(
  { what, available }: Lack,
  _: NodeInfo,
  { group }: RemedyContext,
): readonly CostedRemedy[] {
  if (what.startsWith(SKEW)) {
    const topologyKey = what.slice(SKEW.length);
    const value = Number(available);
    const share = (value - skewOf(group.template, topologyKey)) / value;
    return [costed({ type: 'max-skew', topologyKey, value }, share)];
  }
  if (!what.startsWith(TOPOLOGY)) return [];
  return [costed({ type: 'without-topology-spread', topologyKey: what.slice(TOPOLOGY.length) })];
}
