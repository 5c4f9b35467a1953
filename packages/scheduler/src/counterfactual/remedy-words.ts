/**
 * Remedies in words.
 */
import { assertNever, type NodeDevice, type NodeId } from '@skep/api';
import type { ClusterState } from '../cluster-state.js';
import { renderBytes, renderCores } from '../render-explanation.js';
import { taintText } from '../taints.js';
import type { Remedy } from './remedy.js';

/**
 * The remedies as they follow "would fit": what is said of one node stands together, as in
 * `if node n3 were active and had 1 GiB more memory, and without the filter x`.
 */
export function renderRemedies(
  remedies: readonly Remedy[],
  state: Pick<ClusterState, 'node'>,
): string {
  const nodeName = (id: NodeId): string => `node ${state.node(id)?.name ?? id}`;
  const predicates = new Map<NodeId, string[]>();
  const others: string[] = [];
  for (const remedy of remedies) {
    if (isPredicate(remedy)) {
      const words = predicates.get(remedy.nodeId) ?? [];
      predicates.set(remedy.nodeId, [...words, predicateOf(remedy)]);
    } else {
      others.push(renderOther(remedy, nodeName));
    }
  }
  const ofNodes = [...predicates].map(([id, words]) => `if ${nodeName(id)} ${listed(words)}`);
  return [...ofNodes, ...others].join(', and ');
}

/** What can be said of a node after its name. */
type PredicateRemedy = Extract<Remedy, { readonly type: `node-${string}` }>;

function isPredicate(remedy: Remedy): remedy is PredicateRemedy {
  return remedy.type.startsWith('node-');
}

/** `a`, `a and b`, `a, b and c`. */
function listed(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}

function predicateOf(remedy: PredicateRemedy): string {
  switch (remedy.type) {
    case 'node-active':
      return 'were active';
    case 'node-ready':
      return 'were ready';
    case 'node-label':
      return labelWords(remedy);
    case 'node-capacity':
      return `had ${renderMore(remedy.resource, remedy.amount)}`;
    case 'node-generic':
      return `had ${remedy.count} more ${remedy.kind}`;
    case 'node-device':
      return `had ${remedy.count} more ${deviceWords(remedy.device)}`;
    case 'node-untainted':
      return `had no taint ${taintText(remedy.taint)}`;
    case 'node-plugin':
      return `had the plugin ${remedy.plugin.type}/${remedy.plugin.name}`;
    default:
      return assertNever(remedy);
  }
}

function deviceWords({ kind, model = '' }: NodeDevice): string {
  return `${kind} devices${model === '' ? '' : ` (${model})`}`;
}

function labelWords({ scope, label, value }: Extract<Remedy, { type: 'node-label' }>): string {
  const what = scope === 'node' ? 'label' : 'engine label';
  return value === null ? `had no ${what} ${label}` : `had the ${what} ${label}=${value}`;
}

function renderOther(
  remedy: Exclude<Remedy, PredicateRemedy>,
  nodeName: (id: NodeId) => string,
): string {
  switch (remedy.type) {
    case 'port-free': {
      const holders = [...new Set(remedy.holders.map((one) => one.serviceName || one.taskId))];
      const held = holders.length === 0 ? '' : ` (held by ${holders.join(', ')})`;
      return `if port ${remedy.port} were free on ${nodeName(remedy.nodeId)}${held}`;
    }
    case 'new-node':
      return `with one more node like ${nodeName(remedy.like).slice('node '.length)}`;
    case 'without-constraint':
      return `without the constraint ${remedy.constraint}`;
    case 'reservation':
      return remedy.amount > 0
        ? `with a reservation of ${renderAmount(remedy.resource, remedy.amount)}`
        : `without a reservation of ${remedy.resource === 'cpuNanos' ? 'cpu' : 'memory'}`;
    case 'generic-reservation':
      return remedy.count > 0
        ? `with a reservation of ${remedy.count} ${remedy.kind}`
        : `without a reservation of ${remedy.kind}`;
    case 'device-reservation':
      return remedy.count > 0
        ? `with a reservation of ${remedy.count} ${remedy.kind} devices`
        : `without a reservation of ${remedy.kind} devices`;
    case 'with-toleration': {
      const { key = '', value, effect = 'NoSchedule' } = remedy.toleration;
      const taint = taintText({ key, effect, ...(value === undefined ? {} : { value }) });
      return `if it tolerated the taint ${taint}`;
    }
    case 'without-node-affinity':
      return 'without its required node affinity';
    case 'without-service-affinity': {
      const way = remedy.rule === 'serviceAffinity' ? 'near' : 'away from';
      return `without having to be ${way} ${remedy.service} by ${remedy.topologyKey}`;
    }
    case 'max-skew':
      return `with a skew of at most ${remedy.value} over ${remedy.topologyKey}`;
    case 'without-topology-spread':
      return `without the spread over ${remedy.topologyKey}`;
    case 'max-replicas':
      return `with at most ${remedy.value} replicas per node`;
    case 'with-platform':
      return `if it ran on ${remedy.platform.os || '*'}/${remedy.platform.architecture || '*'}`;
    case 'any-platform':
      return 'if it ran on any platform';
    case 'without-mount':
      return `without the volume ${remedy.source} at ${remedy.target}`;
    case 'without-filter':
      return `without the filter ${remedy.filter}`;
    case 'suggestion':
      return remedy.suggestion.text;
    default:
      return assertNever(remedy);
  }
}

function renderAmount(resource: 'cpuNanos' | 'memoryBytes', amount: number): string {
  return resource === 'cpuNanos' ? renderCores(amount) : `${renderBytes(amount)} of memory`;
}

function renderMore(resource: 'cpuNanos' | 'memoryBytes', amount: number): string {
  return resource === 'cpuNanos'
    ? `${renderCores(amount)} more`
    : `${renderBytes(amount)} more memory`;
}
