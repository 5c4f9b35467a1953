/**
 * The services that a cluster state knows.
 */
import type { NodeFaults, Service, ServiceId } from '@skep/api';

/** Services by id and, once somebody asks, by name. */
export class ServiceTable {
  readonly #byId = new Map<ServiceId, Service>();
  #byName: Map<string, ServiceId> | undefined;

  get(id: ServiceId): Service | undefined {
    return this.#byId.get(id);
  }

  upsert(service: Service): void {
    const { id, name } = service.meta;
    if (this.#byName !== undefined) {
      const old = this.#byId.get(id);
      if (old !== undefined && old.meta.name !== name) this.#byName.delete(old.meta.name);
      this.#byName.set(name, id);
    }
    this.#byId.set(id, service);
  }

  remove(id: ServiceId): void {
    const old = this.#byId.get(id);
    this.#byId.delete(id);
    if (old !== undefined && this.#byName?.get(old.meta.name) === id) {
      this.#byName.delete(old.meta.name);
    }
  }

  values(): Iterable<Service> {
    return this.#byId.values();
  }

  /** What is remembered of failures of the service's tasks. */
  faultsOf(id: ServiceId | undefined): readonly NodeFaults[] {
    return (id === undefined ? undefined : this.#byId.get(id)?.status.faults) ?? NO_FAULTS;
  }

  /** The id of the service with that name; an id, and what is not known, stands for itself. */
  idOf(nameOrId: string): ServiceId {
    this.#byName ??= new Map(
      Array.from(this.#byId.values(), ({ meta }): [string, ServiceId] => [meta.name, meta.id]),
    );
    return this.#byName.get(nameOrId) ?? nameOrId;
  }
}

const NO_FAULTS: readonly NodeFaults[] = Object.freeze([]);
