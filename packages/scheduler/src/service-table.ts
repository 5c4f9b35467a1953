/**
 * The services that a cluster state knows: themselves, and how many active tasks they have where.
 */
import { TextMap, type NodeFaults, type Service, type ServiceId } from '@skep/api';
import type { NodeInfo } from './node-info.js';
import { NO_COUNTS, ServiceCounter, type ServiceCounts } from './service-counts.js';

/** What is known of a service: itself, and its active tasks. These may be known without it. */
class ServiceRow extends ServiceCounter {
  service: Service | undefined = undefined;
}

/**
 * Services by id and, once somebody asks, by name.
 *
 * There may be as many services as tasks, most of them with a single one. To place a task asks
 * several things of its service, one after the other: so what was asked for last is kept at hand.
 * And as long as nothing is known of a service but one active task, its node stands for it.
 */
export class ServiceTable {
  readonly #rows = new TextMap<ServiceRow | NodeInfo>();
  #lastId: ServiceId | undefined;
  #last: ServiceRow | NodeInfo | undefined;
  #byName: Map<string, ServiceId> | undefined;

  get(id: ServiceId): Service | undefined {
    const known = this.#known(id);
    return known instanceof ServiceRow ? known.service : undefined;
  }

  upsert(service: Service): void {
    const { id, name } = service.meta;
    const row = this.#rowOf(id);
    if (this.#byName !== undefined) {
      const old = row.service;
      if (old !== undefined && old.meta.name !== name) this.#byName.delete(old.meta.name);
      this.#byName.set(name, id);
    }
    row.service = service;
  }

  remove(id: ServiceId): void {
    const row = this.#known(id);
    if (!(row instanceof ServiceRow) || row.service === undefined) return;
    const old = row.service;
    row.service = undefined;
    this.#forgetIfEmpty(id, row);
    if (this.#byName?.get(old.meta.name) === id) this.#byName.delete(old.meta.name);
  }

  /** The services themselves. */
  *values(): Iterable<Service> {
    for (const known of this.#rows.values()) {
      if (known instanceof ServiceRow && known.service !== undefined) yield known.service;
    }
  }

  /** What is remembered of failures of the service's tasks. */
  faultsOf(id: ServiceId | undefined): readonly NodeFaults[] {
    return (id === undefined ? undefined : this.get(id)?.status.faults) ?? NO_FAULTS;
  }

  /** The id of the service with that name; an id, and what is not known, stands for itself. */
  idOf(nameOrId: string): ServiceId {
    this.#byName ??= new Map(
      Array.from(this.values(), ({ meta }): [string, ServiceId] => [meta.name, meta.id]),
    );
    return this.#byName.get(nameOrId) ?? nameOrId;
  }

  /** Active tasks of a service, as of now: ask again after a placement. */
  countsOf(id: ServiceId | undefined): ServiceCounts {
    return (id === undefined ? undefined : this.#row(id)) ?? NO_COUNTS;
  }

  /** Adds an active task of the service to the node, or takes one away. */
  step(id: ServiceId, node: NodeInfo, by: 1 | -1): void {
    if (by > 0 && this.#known(id) === undefined) {
      this.#set(id, node);
      return;
    }
    const row = this.#rowOf(id);
    row.step(node, by);
    if (by < 0) this.#forgetIfEmpty(id, row);
  }

  #row(id: ServiceId): ServiceRow | undefined {
    const known = this.#known(id);
    if (known === undefined || known instanceof ServiceRow) return known;
    const row = this.#set(id, new ServiceRow());
    row.step(known, 1);
    return row;
  }

  #rowOf(id: ServiceId): ServiceRow {
    return this.#row(id) ?? this.#set(id, new ServiceRow());
  }

  #known(id: ServiceId): ServiceRow | NodeInfo | undefined {
    if (id === this.#lastId) return this.#last;
    this.#lastId = id;
    this.#last = this.#rows.get(id);
    return this.#last;
  }

  #set<Known extends ServiceRow | NodeInfo>(id: ServiceId, known: Known): Known {
    this.#rows.set(id, known);
    this.#lastId = id;
    this.#last = known;
    return known;
  }

  #forgetIfEmpty(id: ServiceId, row: ServiceRow): void {
    if (row.service !== undefined || !row.isEmpty) return;
    this.#rows.delete(id);
    if (id === this.#lastId) this.#last = undefined;
  }
}

const NO_FAULTS: readonly NodeFaults[] = Object.freeze([]);
