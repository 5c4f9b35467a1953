/**
 * What a test may say about a node, a service or a task: everything has a default.
 */
import {
  SkepError,
  type DeviceRequest,
  type EnginePlugin,
  type Labels,
  type NodeAvailability,
  type NodeDevice,
  type NodeImage,
  type NodeRole,
  type NodeState,
  type Placement,
  type Taint,
  type TaskTemplate,
} from '@skep/api';
import type { MemoryAmount } from './amount.js';

/** What differs from a ready, active linux/amd64 worker with 4 cores and 8 GiB. */
export interface NodeOptions {
  /** Default: the name. */
  readonly id?: string;
  /** Cores. Default: 4. */
  readonly cpus?: number;
  /** Default: 8 GiB. */
  readonly memory?: MemoryAmount;
  /** So many, or of this model, or each of so many thousandths. Default: none. */
  readonly gpus?: number | GpuOptions;
  /** Devices in the order of their indexes; after those of `gpus`. */
  readonly devices?: readonly NodeDevice[];
  /** Generic resources by kind: how many, or their names. */
  readonly generic?: Readonly<Record<string, number | readonly string[]>>;
  /** What `node.labels.x` asks about. */
  readonly labels?: Labels;
  readonly engineLabels?: Labels;
  readonly role?: NodeRole;
  readonly availability?: NodeAvailability;
  readonly state?: NodeState;
  readonly os?: string;
  readonly architecture?: string;
  readonly address?: string;
  readonly taints?: readonly Taint[];
  /** Default: the node says nothing about plugins, so that no task is refused for them. */
  readonly plugins?: readonly EnginePlugin[];
  readonly images?: readonly NodeImage[];
  readonly topology?: Labels;
}

/** GPUs of a node. */
export interface GpuOptions {
  readonly count: number;
  readonly model?: string;
  /** What each can be divided into. Default: 1000. */
  readonly capacityMilli?: number;
}

/** What a task needs, and where it would like to be. Everything is absent by default. */
export interface DemandOptions {
  /** Cores kept for each task. */
  readonly cpus?: number;
  readonly memory?: MemoryAmount;
  /** Whole GPUs (`2`), a part of one (`0.5`), or in detail. */
  readonly gpus?: number | GpuDemand;
  readonly devices?: readonly DeviceRequest[];
  /** Generic resources by kind. */
  readonly generic?: Readonly<Record<string, number>>;
  /** `node.labels.zone == a`, one or several. */
  readonly constraints?: string | readonly string[];
  /** Labels to spread over, from the top: `zone` is short for `node.labels.zone`. */
  readonly spread?: string | readonly string[];
  readonly maxPerNode?: number;
  /** Ports taken on the node: `8080`, `'53/udp'`. */
  readonly hostPorts?: readonly (number | string)[];
  /** Only preemption looks at it. */
  readonly priority?: number;
  /** The rest of a placement: affinities, tolerations, platforms, … */
  readonly placement?: Placement;
  /** The rest of a template: mounts, log driver, … */
  readonly template?: TaskTemplate;
}

/** GPUs that a task needs. */
export interface GpuDemand {
  readonly count: number;
  /** Thousandths of each; default: whole GPUs, shared with nobody. */
  readonly milli?: number;
  /** Models that will do; default: any. */
  readonly models?: readonly string[];
}

/** A service: demands of each task, and how many there are. */
export interface ServiceOptions extends DemandOptions {
  /** Default: 1. */
  readonly replicas?: number;
  /** Generation of the service. Default: 1. */
  readonly version?: number;
  readonly labels?: Labels;
  /** How many tasks of this version failed lately, by name of the node. */
  readonly faults?: Readonly<Record<string, number>>;
}

/** A task of its own, or of a service. */
export interface TaskOptions extends DemandOptions {
  /** Name of the service that it belongs to. Default: none. */
  readonly service?: string;
  /** Default: 1 within a service, else 0. */
  readonly slot?: number;
  /** Generation of the service that it is made from. Default: 1. */
  readonly version?: number;
  /** Name of the node that it runs on already. */
  readonly on?: string;
  /** Name of the node that it has to go to, as those of global services. */
  readonly preassignedTo?: string;
}

const DEMAND_KEYS = [
  'cpus',
  'memory',
  'gpus',
  'devices',
  'generic',
  'constraints',
  'spread',
  'maxPerNode',
  'hostPorts',
  'priority',
  'placement',
  'template',
] as const satisfies readonly (keyof DemandOptions)[];

/** The names of all options, for those who read them from elsewhere. */
export const OPTION_KEYS = Object.freeze({
  node: [
    'id',
    'cpus',
    'memory',
    'gpus',
    'devices',
    'generic',
    'labels',
    'engineLabels',
    'role',
    'availability',
    'state',
    'os',
    'architecture',
    'address',
    'taints',
    'plugins',
    'images',
    'topology',
  ] as const satisfies readonly (keyof NodeOptions)[],
  service: [
    ...DEMAND_KEYS,
    'replicas',
    'version',
    'labels',
    'faults',
  ] as const satisfies readonly (keyof ServiceOptions)[],
  task: [
    ...DEMAND_KEYS,
    'service',
    'slot',
    'version',
    'on',
    'preassignedTo',
  ] as const satisfies readonly (keyof TaskOptions)[],
});

/**
 * Refuses an option that nothing reads: a typing error would silently test something else.
 * @throws invalid-argument with the names that there are.
 */
export function checkOptions(kind: keyof typeof OPTION_KEYS, options: object, where: string): void {
  const known: readonly string[] = OPTION_KEYS[kind];
  for (const key in options) {
    if (known.includes(key)) continue;
    throw new SkepError(
      'invalid-argument',
      `${where}: there is no option '${key}'; a ${kind} has ${known.join(', ')}`,
    );
  }
}
