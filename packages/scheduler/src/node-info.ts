/**
 * One node as the scheduler counts it: what it has, and what the tasks on it use.
 */
import {
  assert,
  constraintFacts,
  type ConstraintFacts,
  type DeviceShare,
  type GenericResource,
  type Node,
  type NodeId,
} from '@skep/api';
import { DeviceLedger } from './device-ledger.js';
import { GenericLedger } from './generic-ledger.js';

/** A node with its use. What filters and rank terms see; they only read. */
export interface NodeInfo {
  readonly id: NodeId;
  readonly name: string;
  readonly node: Node;
  /** Position in the total order of nodes: by name, then id. */
  readonly ordinal: number;
  /** What constraints ask about. Cost: computed once per version of the node. */
  readonly facts: ConstraintFacts;
  /**
   * Rises with every change of the node or its use, and no two nodes of a state have the same: what
   * was worked out about the node holds as long as this number stays.
   */
  readonly revision: number;
  /** What the node has; 0 without description. */
  readonly capacityCpuNanos: number;
  readonly capacityMemoryBytes: number;
  readonly usedCpuNanos: number;
  readonly usedMemoryBytes: number;
  /** Capacity less the reservations of the tasks on the node; 0 capacity without description. */
  readonly availableCpuNanos: number;
  readonly availableMemoryBytes: number;
  /** Tasks that are to run on (desired state at most `complete`), of all services. */
  readonly activeTasks: number;
  /** Generic resources; look, do not touch. */
  readonly generic: Pick<GenericLedger, 'free' | 'capacity' | 'choose'>;
  /** Devices with a number; look, do not touch. */
  readonly devices: Pick<DeviceLedger, 'of'>;
  /** How many tasks on the node hold this host port (`tcp/8080`). */
  hostPortUses(port: string): number;
}

/** What one task takes from a node. */
export interface NodeClaim {
  readonly cpuNanos: number;
  readonly memoryBytes: number;
  readonly generic: readonly GenericResource[];
  readonly devices: readonly DeviceShare[];
  readonly hostPorts: readonly string[];
}

/** The mutable side of a {@link NodeInfo}; only the cluster state holds it. */
export class NodeRecord implements NodeInfo {
  readonly id: NodeId;
  ordinal = -1;
  name = '';
  usedCpuNanos = 0;
  usedMemoryBytes = 0;
  activeTasks = 0;
  /** Tasks on the node; a record without node and tasks is forgotten. */
  taskCount = 0;
  revision = 0;
  /** Place in the change log of the last change of the node itself, and not of its use alone. */
  describedAt = 0;
  capacityCpuNanos = 0;
  capacityMemoryBytes = 0;
  readonly generic = new GenericLedger();
  readonly devices = new DeviceLedger();
  /** Uses by port; absent as long as no task holds one: most nodes need no map. */
  #hostPorts: Map<string, number> | undefined;
  #node: Node | undefined;
  #facts: ConstraintFacts | undefined;

  constructor(id: NodeId) {
    this.id = id;
  }

  /** Whether the node itself is known, and not only tasks that say they are on it. */
  get isKnown(): boolean {
    return this.#node !== undefined;
  }

  get node(): Node {
    assert(this.#node !== undefined, 'the node of the record is known');
    return this.#node;
  }

  get facts(): ConstraintFacts {
    this.#facts ??= constraintFacts(this.node);
    return this.#facts;
  }

  get availableCpuNanos(): number {
    return this.capacityCpuNanos - this.usedCpuNanos;
  }

  get availableMemoryBytes(): number {
    return this.capacityMemoryBytes - this.usedMemoryBytes;
  }

  /**
   * Takes over a new version of the node, or forgets it. `held` is what each task on it holds of
   * devices; absent, when the node's devices did not change.
   */
  describe(node: Node | undefined, held?: readonly (readonly DeviceShare[])[]): void {
    const resources = node?.status.description?.resources;
    this.#node = node;
    this.name = node?.meta.name ?? '';
    this.#facts = undefined;
    this.capacityCpuNanos = resources?.cpuNanos ?? 0;
    this.capacityMemoryBytes = resources?.memoryBytes ?? 0;
    this.generic.declare(resources?.generic);
    if (held !== undefined) this.devices.declare(resources?.devices, held);
  }

  hostPortUses(port: string): number {
    return this.#hostPorts?.get(port) ?? 0;
  }

  take(claim: NodeClaim): void {
    this.usedCpuNanos += claim.cpuNanos;
    this.usedMemoryBytes += claim.memoryBytes;
    if (claim.generic.length > 0) this.generic.take(claim.generic);
    if (claim.devices.length > 0) this.devices.take(claim.devices);
    if (claim.hostPorts.length > 0) this.#takePorts(claim.hostPorts);
  }

  #takePorts(ports: readonly string[]): void {
    this.#hostPorts ??= new Map();
    for (const port of ports) this.#hostPorts.set(port, this.hostPortUses(port) + 1);
  }

  giveBack(claim: NodeClaim): void {
    this.usedCpuNanos -= claim.cpuNanos;
    this.usedMemoryBytes -= claim.memoryBytes;
    if (claim.generic.length > 0) this.generic.giveBack(claim.generic);
    if (claim.devices.length > 0) this.devices.giveBack(claim.devices);
    for (const port of claim.hostPorts) {
      const uses = this.hostPortUses(port) - 1;
      if (uses > 0) this.#hostPorts?.set(port, uses);
      else this.#hostPorts?.delete(port);
    }
  }
}
