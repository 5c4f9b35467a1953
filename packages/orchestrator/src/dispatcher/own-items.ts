/**
 * The part of an assignment that belongs to one node alone: itself, its tasks with their files, and
 * its networks. Keeps what was sent, and on demand computes what differs, looking only at what was
 * touched since.
 */
import {
  Node,
  Task,
  byNode,
  isEqual,
  type AssignmentItem,
  type NetworkId,
  type NodeId,
  type TaskId,
} from '@skep/api';
import type { View } from '@skep/store';
import { assignedFile, assignedNetwork, assignedNode, tableNetworks } from './assigned-network.js';
import {
  NO_USES,
  assignedTask,
  isAssignedTo,
  isSameTask,
  usesOf,
  type TaskUses,
} from './assigned-task.js';
import type { ItemDifference } from './item-difference.js';

type FileKind = 'secret' | 'config';
type OwnKind = 'node' | 'network' | 'task' | FileKind;
const USE_KINDS = ['secret', 'config', 'network'] as const;

/** What one node was sent of its own. */
export class OwnItems {
  readonly #nodeId: NodeId;
  readonly #sent = {
    node: new Map<string, AssignmentItem>(),
    network: new Map<string, AssignmentItem>(),
    secret: new Map<string, AssignmentItem>(),
    config: new Map<string, AssignmentItem>(),
    task: new Map<string, AssignmentItem>(),
  };
  /** What each assigned task needs, and how many tasks need a thing. */
  readonly #uses = new Map<TaskId, TaskUses>();
  readonly #counts = {
    secret: new Map<string, number>(),
    config: new Map<string, number>(),
    network: new Map<string, number>(),
  };

  readonly #touchedTasks = new Set<TaskId>();
  readonly #touchedNetworks = new Set<NetworkId>();
  readonly #touchedFiles = new Set<FileKind>();
  #isNodeTouched = false;

  /** Starts with everything touched and nothing sent. */
  constructor(view: View, nodeId: NodeId) {
    this.#nodeId = nodeId;
    this.#isNodeTouched = true;
    for (const task of view.list(Task, byNode(nodeId))) this.#touchedTasks.add(task.meta.id);
    for (const id of tableNetworks(view.get(Node, nodeId))) this.#touchedNetworks.add(id);
  }

  /** Whether the node has, or wants, the network. */
  usesNetwork(networkId: NetworkId): boolean {
    return this.#sent.network.has(networkId) || this.#counts.network.has(networkId);
  }

  touchNode(): void {
    this.#isNodeTouched = true;
  }

  touchTask(taskId: TaskId): void {
    this.#touchedTasks.add(taskId);
  }

  touchNetwork(networkId: NetworkId): void {
    this.#touchedNetworks.add(networkId);
  }

  /** Files of the kind are looked at again; false when no task uses one. Cost: O(files in use). */
  touchFiles(kind: FileKind): boolean {
    if (this.#counts[kind].size === 0) return false;
    this.#touchedFiles.add(kind);
    return true;
  }

  /** Adds what differs from what was sent, and takes it as sent. Cost: O(touched). */
  pull(view: View, into: ItemDifference): void {
    const node = view.get(Node, this.#nodeId);
    for (const taskId of this.#touchedTasks) this.#pullTask(view, taskId, into);
    for (const networkId of this.#touchedNetworks) this.#pullNetwork(view, node, networkId, into);
    for (const kind of this.#touchedFiles) this.#pullFiles(view, kind, into);
    if (this.#isNodeTouched) {
      const value = node === undefined ? undefined : assignedNode(view, node);
      const key = this.#nodeId;
      this.#put(value && { kind: 'node', key, value }, { kind: 'node', key }, into);
    }
    this.#touchedTasks.clear();
    this.#touchedNetworks.clear();
    this.#touchedFiles.clear();
    this.#isNodeTouched = false;
  }

  #pullTask(view: View, taskId: TaskId, into: ItemDifference): void {
    const task = view.get(Task, taskId);
    const isAssigned = task !== undefined && isAssignedTo(task, this.#nodeId);
    this.#countUses(taskId, isAssigned ? usesOf(task) : NO_USES);
    const name = { kind: 'task', key: taskId } as const;
    this.#put(isAssigned ? { ...name, value: assignedTask(view, task) } : undefined, name, into);
  }

  #pullNetwork(
    view: View,
    node: Node | undefined,
    networkId: NetworkId,
    into: ItemDifference,
  ): void {
    const isUsed = this.#counts.network.has(networkId) || tableNetworks(node).includes(networkId);
    const value = isUsed && node !== undefined ? assignedNetwork(view, node, networkId) : undefined;
    const name = { kind: 'network', key: networkId } as const;
    this.#put(value && { ...name, value }, name, into);
  }

  #pullFiles(view: View, kind: FileKind, into: ItemDifference): void {
    const wanted = new Map<string, AssignmentItem>();
    for (const reference of this.#counts[kind].keys()) {
      const value = assignedFile(view, kind, reference);
      if (value !== undefined) wanted.set(value.id, { kind, key: value.id, value });
    }
    for (const [key, item] of wanted) this.#put(item, { kind, key }, into);
    for (const key of [...this.#sent[kind].keys()]) {
      if (!wanted.has(key)) this.#put(undefined, { kind, key }, into);
    }
  }

  #put(
    item: AssignmentItem | undefined,
    name: { readonly kind: OwnKind; readonly key: string },
    into: ItemDifference,
  ): void {
    const sent = this.#sent[name.kind];
    const before = sent.get(name.key);
    if (item === undefined) {
      if (before === undefined) return;
      sent.delete(name.key);
      into.removals.push({ kind: name.kind, key: name.key });
    } else {
      if (before !== undefined && isSameItem(before, item)) return;
      sent.set(name.key, item);
      into.upserts.push(item);
    }
  }

  #countUses(taskId: TaskId, uses: TaskUses): void {
    const before = this.#uses.get(taskId) ?? NO_USES;
    if (isEqual(before, uses)) return;
    for (const kind of USE_KINDS) {
      for (const reference of before[kind]) this.#count(kind, reference, -1);
      for (const reference of uses[kind]) this.#count(kind, reference, 1);
    }
    if (uses === NO_USES) this.#uses.delete(taskId);
    else this.#uses.set(taskId, uses);
  }

  #count(kind: keyof TaskUses, reference: string, difference: number): void {
    const counts = this.#counts[kind];
    const count = (counts.get(reference) ?? 0) + difference;
    if (count > 0) counts.set(reference, count);
    else counts.delete(reference);
    if (kind === 'network') this.#touchedNetworks.add(reference);
    else this.#touchedFiles.add(kind);
  }
}

function isSameItem(a: AssignmentItem, b: AssignmentItem): boolean {
  if (a.kind === 'task' && b.kind === 'task') return isSameTask(a.value, b.value);
  return isEqual(a.value, b.value);
}
