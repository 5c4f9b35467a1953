/**
 * The endpoints loop: keeps EndpointSlices as tasks come and go, and says when a task is drained.
 */
import {
  ACTORS,
  EndpointSlice,
  Node,
  Service,
  Task,
  byNode,
  compareText,
  type NetworkId,
  type ServiceId,
} from '@skep/api';
import type { PlanController } from '@skep/controller';
import type { ObjectEvent, View } from '@skep/store';
import { planEndpoints } from './plan.js';
import { WaitingServices } from './waiting.js';

/**
 * Makes the endpoints controller, keyed by service.
 * Wakes a service when one of its tasks moves, when a node that runs its tasks is lost or comes
 * back, and when a node applied tables of a network in which the service waits for that.
 */
export function endpointsController(): PlanController {
  const waiting = new WaitingServices();
  return {
    name: ACTORS.endpoints,
    rule: 'publish',
    for: Service,
    predicate: isServiceChange,
    state: waiting,
    watches: [
      { kind: Task, keys: servicesOfTask, predicate: isTaskChange },
      { kind: EndpointSlice, keys: ({ object }) => [(object as EndpointSlice).spec.serviceId] },
      {
        kind: Node,
        keys: (event, view) => servicesOfNode(event, view, waiting),
        predicate: isNodeChange,
      },
    ],
    plan: planEndpoints,
  };
}

/** Only the weights, the aliases and the deletion of a service are of interest here. */
function isServiceChange({ object, previous }: ObjectEvent): boolean {
  if (previous === undefined) return true;
  if (object.meta.deletionRequestedAt !== previous.meta.deletionRequestedAt) return true;
  return object.spec !== previous.spec;
}

function servicesOfTask({ object, previous }: ObjectEvent): readonly ServiceId[] {
  const ids = [object, previous].map((task) => (task as Task | undefined)?.spec.serviceId);
  return [...new Set(ids.filter((id): id is ServiceId => id !== undefined))];
}

function isTaskChange({ type, object, previous }: ObjectEvent): boolean {
  if (type !== 'updated' || previous === undefined) return true;
  const after = object as Task;
  const before = previous as Task;
  return (
    after.spec !== before.spec ||
    after.status.state !== before.status.state ||
    after.status.nodeId !== before.status.nodeId ||
    after.status.networks !== before.status.networks ||
    after.status.container !== before.status.container ||
    after.status.drainedAt !== before.status.drainedAt ||
    after.status.releasedAt !== before.status.releasedAt ||
    after.meta.labels !== before.meta.labels
  );
}

function isNodeChange({ type, object, previous }: ObjectEvent): boolean {
  if (type !== 'updated' || previous === undefined) return true;
  const after = (object as Node).status;
  const before = (previous as Node).status;
  return (
    after.state !== before.state ||
    after.networks !== before.networks ||
    after.tables?.appliedRevision !== before.tables?.appliedRevision
  );
}

function servicesOfNode(
  event: ObjectEvent,
  view: View,
  waiting: WaitingServices,
): readonly ServiceId[] {
  const node = event.object as Node;
  const before = event.previous as Node | undefined;
  const ids = new Set<ServiceId>();
  if (event.type !== 'updated' || isDown(node) !== isDown(before)) {
    for (const { spec } of view.list(Task, byNode(node.meta.id))) {
      if (spec.serviceId !== undefined) ids.add(spec.serviceId);
    }
  }
  for (const networkId of networksOf(node, before)) {
    for (const serviceId of waiting.inNetwork(networkId)) ids.add(serviceId);
  }
  // Neither lists nor the waiting are in an order that means something.
  return [...ids].sort(compareText);
}

function isDown(node: Node | undefined): boolean {
  return node === undefined || node.status.state === 'down';
}

function networksOf(...nodes: readonly (Node | undefined)[]): ReadonlySet<NetworkId> {
  return new Set(
    nodes.flatMap((node) => (node?.status.networks ?? []).map((one) => one.networkId)),
  );
}
