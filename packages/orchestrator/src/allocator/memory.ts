/**
 * What the allocator keeps beside the view: used numbers and who waits for what.
 * All of it follows from the view (law 1); `rebuild` and `observe` lead to the same memory.
 */
import {
  Cluster,
  Network,
  Node,
  Service,
  Task,
  byIndex,
  compareText,
  isDeleting,
  isEqual,
  tasksByNetwork,
  type NetworkId,
  type NodeId,
  type StoredObject,
} from '@skep/api';
import type { ControllerState } from '@skep/controller';
import type { ObjectEvent, View } from '@skep/store';
import { AddressBook } from './address-book.js';
import {
  nodeClaims,
  quarantineClaims,
  serviceClaims,
  taskClaims,
  usedNetworks,
  type AddressClaim,
} from './claims.js';
import { KeyIndex, keyOf } from './key-index.js';
import { BUCKETS, networkBuckets, serviceBuckets, taskBuckets } from './waiting.js';

/** An object before and after a commit. */
interface Step<T> {
  readonly id: string;
  readonly before: T | undefined;
  readonly after: T | undefined;
}

/** Name of the one cluster object. */
const CLUSTER_NAME = 'default';

/** The cluster object, if there is one. */
export function clusterOf(view: View): Cluster | undefined {
  return view.getByName(Cluster, CLUSTER_NAME);
}

/** The allocator's memory. Cost: rebuild O(objects), observe O(events). */
export class AllocatorMemory implements ControllerState {
  book = new AddressBook(undefined);
  readonly waiting = new KeyIndex();
  /** Networks of published ports that are not being deleted. */
  readonly ingress = new Set<NetworkId>();
  /** How many tasks on a node have addresses in a network. */
  readonly #use = new Map<NodeId, Map<NetworkId, number>>();
  readonly #touchedNodes = new Set<NodeId>();
  /** Networks whose ledger has to be opened again, from a view that is in step. */
  readonly #reshaped = new Set<NetworkId>();
  #hasNewPorts = false;
  #isBuilt = false;

  /**
   * Makes the memory ready for a plan on this view, which shows exactly the commits that were
   * observed. What needs a list of objects is done here: the view of a commit may show later ones.
   */
  sync(view: View): void {
    if (!this.#isBuilt) this.rebuild(view);
    for (const networkId of [...this.#reshaped].sort(compareText)) this.#reopen(networkId, view);
    this.#reshaped.clear();
    if (this.#hasNewPorts) this.book.openPorts(clusterOf(view), view.list(Service));
    this.#hasNewPorts = false;
  }

  rebuild(view: View): void {
    this.#isBuilt = true;
    this.#reshaped.clear();
    this.#hasNewPorts = false;
    this.book = new AddressBook(clusterOf(view));
    this.waiting.clear();
    this.ingress.clear();
    this.#use.clear();
    for (const network of view.list(Network)) {
      this.book.moveSubnets(undefined, network);
      this.book.openLedger(network.meta.id, network);
      this.#putNetwork(network.meta.id, network);
    }
    for (const node of view.list(Node)) this.#moveClaims([], nodeClaims(node));
    for (const service of view.list(Service)) {
      this.#stepService({ id: service.meta.id, before: undefined, after: service });
    }
    for (const task of view.list(Task)) {
      this.#stepTask({ id: task.meta.id, before: undefined, after: task });
    }
    for (const node of view.list(Node)) this.#putNode(node.meta.id, node);
    this.#touchedNodes.clear();
  }

  observe(events: readonly ObjectEvent[], view: View): void {
    if (!this.#isBuilt) {
      this.rebuild(view);
      return;
    }
    const ingressBefore = [...this.ingress].join();
    for (const event of events) {
      const { kind } = event.object;
      if (kind === Network.name) this.#stepNetwork(stepOf(event));
      else if (kind === Task.name) this.#stepTask(stepOf(event));
      else if (kind === Service.name) this.#stepService(stepOf(event));
      else if (kind === Node.name) this.#stepNode(stepOf(event));
      else if (kind === Cluster.name) this.#stepCluster(stepOf(event));
    }
    if ([...this.ingress].join() !== ingressBefore) this.#followIngress(view);
    for (const nodeId of this.#touchedNodes) this.#putNode(nodeId, view.get(Node, nodeId));
    this.#touchedNodes.clear();
  }

  /** Networks in which the node should have an address of its own, by id. */
  wantedNetworks(nodeId: NodeId): readonly NetworkId[] {
    const used = this.#use.get(nodeId)?.keys() ?? [];
    return [...new Set([...this.ingress, ...used])].sort(compareText);
  }

  #stepCluster({ after }: Step<Cluster>): void {
    if (after !== undefined && after.meta.name !== CLUSTER_NAME) return;
    if (this.book.followCluster(after)) this.#hasNewPorts = true;
  }

  #stepNetwork({ id, before, after }: Step<Network>): void {
    const isSameShape = before !== undefined && after !== undefined && hasSameShape(before, after);
    if (isSameShape) {
      const ledger = this.book.ledgers.get(id);
      if (ledger !== undefined) {
        ledger.lastAddresses = after.status.subnets.map((subnet) => subnet.lastAddress);
      }
      if (before.status.quarantine !== after.status.quarantine) {
        this.#moveClaims(quarantineClaims(before), quarantineClaims(after));
      }
    } else {
      this.book.moveSubnets(before, after);
      this.#reshaped.add(id);
    }
    this.#putNetwork(id, after);
  }

  #stepTask({ id, before, after }: Step<Task>): void {
    this.waiting.put(keyOf('Task', id), taskBuckets(after));
    if (
      before?.status.networks === after?.status.networks &&
      before?.status.releasedAt === after?.status.releasedAt &&
      before?.status.nodeId === after?.status.nodeId
    ) {
      return;
    }
    this.#moveClaims(taskClaims(before), taskClaims(after));
    for (const networkId of usedNetworks(before)) this.#count(before, networkId, -1);
    for (const networkId of usedNetworks(after)) this.#count(after, networkId, 1);
  }

  #stepService({ id, before, after }: Step<Service>): void {
    this.waiting.put(keyOf('Service', id), serviceBuckets(after, this.ingress));
    this.book.movePorts(before, after);
    this.#moveClaims(serviceClaims(before), serviceClaims(after));
  }

  #stepNode({ id, before, after }: Step<Node>): void {
    if (before?.status.networks === after?.status.networks && after !== undefined) {
      if (before === undefined) this.#touchedNodes.add(id);
      return;
    }
    this.#moveClaims(nodeClaims(before), nodeClaims(after));
    this.#touchedNodes.add(id);
  }

  #moveClaims(before: readonly AddressClaim[], after: readonly AddressClaim[]): void {
    if (before === after) return;
    for (const claim of after) this.book.claim(claim);
    for (const claim of before) this.book.unclaim(claim);
  }

  #count(task: Task | undefined, networkId: NetworkId, difference: number): void {
    const nodeId = task?.status.nodeId;
    if (nodeId === undefined) return;
    let counts = this.#use.get(nodeId);
    if (counts === undefined) this.#use.set(nodeId, (counts = new Map()));
    const count = (counts.get(networkId) ?? 0) + difference;
    if (count > 0) counts.set(networkId, count);
    else counts.delete(networkId);
    if (counts.size === 0) this.#use.delete(nodeId);
    this.#touchedNodes.add(nodeId);
  }

  #putNetwork(id: NetworkId, network: Network | undefined): void {
    this.waiting.put(keyOf('Network', id), networkBuckets(network));
    if (network?.spec.isIngress === true && !isDeleting(network)) this.ingress.add(id);
    else this.ingress.delete(id);
  }

  #putNode(id: NodeId, node: Node | undefined): void {
    const has = new Set((node?.status.networks ?? []).map(({ networkId }) => networkId));
    const lacks = node === undefined ? [] : this.wantedNetworks(id).filter((one) => !has.has(one));
    this.waiting.put(keyOf('Node', id), lacks.map(BUCKETS.lacks));
  }

  #reopen(networkId: NetworkId, view: View): void {
    this.book.openLedger(networkId, view.get(Network, networkId));
    const onlyHere = (claim: AddressClaim): boolean => claim.networkId === networkId;
    const claims = [
      ...view.list(Node, byIndex(Node, 'network', networkId)).flatMap(nodeClaims),
      ...view.list(Service, byIndex(Service, 'network', networkId)).flatMap(serviceClaims),
      ...view.list(Task, tasksByNetwork(networkId)).flatMap(taskClaims),
    ];
    for (const claim of claims.filter(onlyHere)) this.book.claim(claim);
  }

  #followIngress(view: View): void {
    for (const node of view.list(Node)) this.#touchedNodes.add(node.meta.id);
    for (const service of view.list(Service)) {
      const key = keyOf('Service', service.meta.id);
      this.waiting.put(key, serviceBuckets(service, this.ingress));
    }
  }
}

function stepOf<T extends StoredObject>(event: ObjectEvent): Step<T> {
  const { object, previous, type } = event;
  const before = type === 'created' ? undefined : (previous ?? object);
  return {
    id: object.meta.id,
    before: before as T | undefined,
    after: type === 'deleted' ? undefined : (object as T),
  };
}

/** Whether nothing differs that the ledger of a network is made from, but for its pointers. */
function hasSameShape(before: Network, after: Network): boolean {
  if (!isEqual(before.spec.ipam, after.spec.ipam)) return false;
  if (before.status.subnets === after.status.subnets) return true;
  const shape = (network: Network): unknown =>
    network.status.subnets.map(({ lastAddress: _, ...rest }) => rest);
  return isEqual(shape(before), shape(after));
}
