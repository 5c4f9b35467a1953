/**
 * Which services wait for nodes to apply something, by network: so that an acknowledgement wakes
 * only those that it may help.
 */
import { EndpointSlice, Task, type NetworkId, type ServiceId, type StoredObject } from '@skep/api';
import type { ControllerState } from '@skep/controller';
import type { ObjectEvent, View } from '@skep/store';
import { isLeaving } from './task-facts.js';

/** A service that waits for something in some networks. */
interface Wait {
  readonly serviceId: ServiceId;
  readonly networkIds: readonly NetworkId[];
}

/**
 * Index of waiting services. An object waits when it is a task that leaves and is not drained yet,
 * or a slice without backends, which is deleted once that is in force.
 * Follows from the view alone (law 1). Cost: O(events) per commit.
 */
export class WaitingServices implements ControllerState {
  readonly #waits = new Map<string, Wait>();
  readonly #byNetwork = new Map<NetworkId, Map<ServiceId, number>>();

  /** Services that wait for nodes of the network, in no particular order. */
  inNetwork(networkId: NetworkId): Iterable<ServiceId> {
    return this.#byNetwork.get(networkId)?.keys() ?? [];
  }

  rebuild(view: View): void {
    this.#waits.clear();
    this.#byNetwork.clear();
    for (const task of view.list(Task)) this.#put(task, waitOfTask(task));
    for (const slice of view.list(EndpointSlice)) this.#put(slice, waitOfSlice(slice));
  }

  observe(events: readonly ObjectEvent[]): void {
    for (const { type, object } of events) {
      if (object.kind === Task.name) {
        this.#put(object, type === 'deleted' ? undefined : waitOfTask(object as Task));
      } else if (object.kind === EndpointSlice.name) {
        this.#put(object, type === 'deleted' ? undefined : waitOfSlice(object as EndpointSlice));
      }
    }
  }

  #put(object: StoredObject, wait: Wait | undefined): void {
    const key = `${object.kind}/${object.meta.id}`;
    const before = this.#waits.get(key);
    if (before !== undefined) this.#count(before, -1);
    if (wait === undefined) {
      this.#waits.delete(key);
    } else {
      this.#waits.set(key, wait);
      this.#count(wait, 1);
    }
  }

  #count({ serviceId, networkIds }: Wait, difference: number): void {
    for (const networkId of networkIds) {
      let counts = this.#byNetwork.get(networkId);
      if (counts === undefined) this.#byNetwork.set(networkId, (counts = new Map()));
      const count = (counts.get(serviceId) ?? 0) + difference;
      if (count > 0) counts.set(serviceId, count);
      else counts.delete(serviceId);
      if (counts.size === 0) this.#byNetwork.delete(networkId);
    }
  }
}

function waitOfTask(task: Task): Wait | undefined {
  const { serviceId } = task.spec;
  if (serviceId === undefined || task.status.drainedAt !== undefined) return undefined;
  if (!isLeaving(task)) return undefined;
  return { serviceId, networkIds: (task.status.networks ?? []).map((one) => one.networkId) };
}

function waitOfSlice({ spec }: EndpointSlice): Wait | undefined {
  if (spec.backends.length > 0) return undefined;
  return { serviceId: spec.serviceId, networkIds: [spec.networkId] };
}
