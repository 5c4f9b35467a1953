/**
 * The nodes of a cluster state in their order, and which of them changed.
 */
import { compareBy, compareText, type NodeId } from '@skep/api';
import { ChangeLog, type NodeSource } from './change-log.js';
import { LiveColumns, type NodeColumns } from './node-columns.js';
import { NodeRecord, type NodeInfo } from './node-info.js';

/** Records of nodes by id, known ones in order. */
export class NodeTable implements NodeSource {
  /** What cached candidates follow. */
  readonly changes = new ChangeLog();
  /** Rises with every change that can change a decision. */
  revision = 0;
  readonly #records = new Map<NodeId, NodeRecord>();
  readonly #nodes: NodeRecord[] = [];
  #isOrdered = true;
  #columns: LiveColumns | undefined;

  /** How many nodes are known. */
  get size(): number {
    return this.#nodes.length;
  }

  /** All records, also of nodes of which only tasks are known. */
  records(): Iterable<NodeRecord> {
    return this.#records.values();
  }

  /** The record of the node, if there is one. */
  find(id: NodeId): NodeRecord | undefined {
    return this.#records.get(id);
  }

  /** The record of the node, made when there is none. */
  record(id: NodeId): NodeRecord {
    let record = this.#records.get(id);
    if (record === undefined) {
      record = new NodeRecord(id);
      this.#records.set(id, record);
    }
    return record;
  }

  /** The record behind a node that this table gave out; found by its id otherwise. */
  recordOf(node: NodeInfo): NodeRecord {
    const mine = this.#nodes[node.ordinal];
    return mine !== undefined && mine === node ? mine : this.record(node.id);
  }

  /** Brings a record back that was forgotten. */
  remember(record: NodeRecord): void {
    this.#records.set(record.id, record);
  }

  /** Drops a record that says nothing any more. */
  forgetIfUnused(record: NodeRecord): void {
    if (!record.isKnown && record.taskCount === 0) this.#records.delete(record.id);
  }

  /** The node became known. */
  add(record: NodeRecord): void {
    this.#nodes.push(record);
    this.disorder();
  }

  /** The node is known no more. */
  remove(record: NodeRecord): void {
    record.ordinal = -1;
    this.#nodes.splice(this.#nodes.indexOf(record), 1);
    this.revision += 1;
    this.disorder();
  }

  /** Positions are not to be relied on. */
  disorder(): void {
    this.#isOrdered = false;
    this.#columns = undefined;
  }

  /** What follows from the nodes alone is not to be relied on: one has a new version. */
  renew(): void {
    this.#columns = undefined;
  }

  /** Notes that there is a new version of a node. */
  described(record: NodeRecord): void {
    record.describedAt = this.changes.end;
    this.touch(record);
  }

  /** Notes that a node or its use changed. */
  touch(record: NodeRecord): void {
    this.revision += 1;
    record.revision = this.revision;
    if (!record.isKnown) return;
    this.changes.add(record, this.#nodes.length);
    this.#columns?.write(record);
  }

  /** Known nodes by name, then id, with their ordinals up to date. */
  orderedNodes(): readonly NodeRecord[] {
    if (this.#isOrdered) return this.#nodes;
    this.#nodes.sort(byNameThenId);
    for (const [ordinal, record] of this.#nodes.entries()) record.ordinal = ordinal;
    this.changes.layout += 1;
    this.#isOrdered = true;
    return this.#nodes;
  }

  /** The nodes as columns. Cost: O(1); O(nodes) at the first call and after a change of nodes. */
  columns(): NodeColumns {
    this.#columns ??= new LiveColumns(this.orderedNodes());
    return this.#columns;
  }
}

const byNameThenId = compareBy<NodeRecord>(
  (a, b) => compareText(a.name, b.name),
  (a, b) => compareText(a.id, b.id),
);
