/**
 * Remedies: single changes that could let a task have a node.
 */
import type {
  EnginePlugin,
  NodeDevice,
  NodeId,
  Platform,
  Taint,
  TaskId,
  Toleration,
} from '@skep/api';
import type { Suggestion } from '../policy.js';

/** A change of a node. */
export type NodeRemedy =
  | { readonly type: 'node-active'; readonly nodeId: NodeId }
  | { readonly type: 'node-ready'; readonly nodeId: NodeId }
  | {
      readonly type: 'node-label';
      readonly nodeId: NodeId;
      readonly scope: 'node' | 'engine';
      readonly label: string;
      /** Null: the label is gone. */
      readonly value: string | null;
    }
  | {
      readonly type: 'node-capacity';
      readonly nodeId: NodeId;
      readonly resource: 'cpuNanos' | 'memoryBytes';
      /** How much more the node has. */
      readonly amount: number;
    }
  | {
      readonly type: 'node-generic';
      readonly nodeId: NodeId;
      readonly kind: string;
      readonly count: number;
    }
  | {
      readonly type: 'node-device';
      readonly nodeId: NodeId;
      readonly device: NodeDevice;
      /** How many more of them the node has. */
      readonly count: number;
    }
  | { readonly type: 'node-plugin'; readonly nodeId: NodeId; readonly plugin: EnginePlugin }
  | { readonly type: 'node-untainted'; readonly nodeId: NodeId; readonly taint: Taint }
  | {
      readonly type: 'port-free';
      readonly nodeId: NodeId;
      /** `tcp/8080`. */
      readonly port: string;
      /** The tasks that hold it, which then run without it. */
      readonly holders: readonly { readonly taskId: TaskId; readonly serviceName: string }[];
    }
  /** One more node like this one, with nothing on it. */
  | { readonly type: 'new-node'; readonly like: NodeId };

/** A change of what the task asks for. */
export type TaskRemedy =
  | { readonly type: 'without-constraint'; readonly constraint: string }
  | {
      readonly type: 'reservation';
      readonly resource: 'cpuNanos' | 'memoryBytes';
      /** What is reserved instead; 0: nothing. */
      readonly amount: number;
    }
  | { readonly type: 'generic-reservation'; readonly kind: string; readonly count: number }
  | { readonly type: 'device-reservation'; readonly kind: string; readonly count: number }
  | { readonly type: 'max-replicas'; readonly value: number }
  | { readonly type: 'with-toleration'; readonly toleration: Toleration }
  /** Without everything that it requires of nodes by affinity. */
  | { readonly type: 'without-node-affinity' }
  | {
      readonly type: 'without-service-affinity';
      readonly rule: 'serviceAffinity' | 'serviceAntiAffinity';
      readonly service: string;
      readonly topologyKey: string;
    }
  | { readonly type: 'max-skew'; readonly topologyKey: string; readonly value: number }
  | { readonly type: 'without-topology-spread'; readonly topologyKey: string }
  | { readonly type: 'with-platform'; readonly platform: Platform }
  | { readonly type: 'any-platform' }
  | { readonly type: 'without-mount'; readonly source: string; readonly target: string };

/** A change of the policy. */
export interface PolicyRemedy {
  readonly type: 'without-filter';
  readonly filter: string;
}

/** What a filter suggests. */
export interface SuggestedRemedy {
  readonly type: 'suggestion';
  readonly filter: string;
  readonly nodeId: NodeId;
  readonly suggestion: Suggestion;
}

/** One thing that would be different. */
export type Remedy = NodeRemedy | TaskRemedy | PolicyRemedy | SuggestedRemedy;

/**
 * What remedies cost, to put those first that an operator would rather take: a command, then a line
 * of the service, then something of another service, then a machine. Where an amount matters, the
 * share that is lacking (0 to 1) is added. Several remedies cost the sum.
 */
export const REMEDY_COSTS: Readonly<Record<Remedy['type'], number>> = Object.freeze({
  'node-active': 1,
  'node-label': 1.5,
  'node-untainted': 1.5,
  'without-constraint': 2,
  'max-replicas': 2,
  reservation: 2,
  'generic-reservation': 2,
  'device-reservation': 2,
  'with-toleration': 2,
  'max-skew': 2,
  'without-node-affinity': 3,
  'without-service-affinity': 3,
  'without-topology-spread': 3,
  'port-free': 3,
  'node-plugin': 3,
  suggestion: 3,
  'node-ready': 4,
  'node-capacity': 4,
  'node-generic': 4,
  'node-device': 4,
  'with-platform': 5,
  'any-platform': 5,
  'without-mount': 5,
  'new-node': 6,
  'without-filter': 8,
});

/** A remedy with its cost. */
export interface CostedRemedy {
  readonly remedy: Remedy;
  readonly cost: number;
}

/** The remedy at the cost of its kind, plus the share of an amount that is lacking. */
export function costed(remedy: Remedy, lacking = 0): CostedRemedy {
  const share = Math.min(1, Math.max(0, lacking));
  return { remedy, cost: REMEDY_COSTS[remedy.type] + share };
}
