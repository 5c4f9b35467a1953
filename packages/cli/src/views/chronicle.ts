/**
 * What happened, commit by commit, as lines for people. Pure.
 */
import {
  hostnameOf,
  Network,
  Node,
  Service,
  Task,
  type DesiredTaskState,
  type ObjectId,
  type StoredObject,
  type TaskState,
  type Timestamp,
} from '@skep/api';
import { renderPlacementReason, swarmPolicy } from '@skep/scheduler';
import type { CommitEvent, ObjectEvent, View } from '@skep/store';

/** A line of a chronicle: when, about what, what happened. */
export interface ChronicleLine {
  readonly at: Timestamp;
  readonly subject: string;
  readonly text: string;
}

/** States of a task that are worth a line; the others are only passed through. */
const TOLD_STATES: ReadonlySet<TaskState> = new Set([
  'running',
  'complete',
  'shutdown',
  'failed',
  'rejected',
  'orphaned',
]);

/** What a desired state asks of a task, in words. */
const WISHES: Readonly<Record<DesiredTaskState, string>> = {
  ready: 'is to get ready',
  running: 'may run now',
  complete: 'is to run to its end',
  shutdown: 'is to stop',
  remove: 'is to stop and be removed',
};

/** The lines of one commit. `view` is the store's view after it. */
export function chronicleOf(commit: CommitEvent, view: View): readonly ChronicleLine[] {
  return commit.events.flatMap((event) => {
    const at = event.object.meta.updatedAt;
    return linesOf(event, view).map(([subject, text]) => ({ at, subject, text }));
  });
}

type Line = readonly [subject: string, text: string];

function linesOf(event: ObjectEvent, view: View): readonly Line[] {
  switch (event.object.kind) {
    case Task.name:
      return taskLines(event as TypedEvent<Task>, view);
    case Service.name:
      return serviceLines(event as TypedEvent<Service>, view);
    case Node.name:
      return nodeLines(event as TypedEvent<Node>, view);
    case Network.name:
      return networkLines(event as TypedEvent<Network>);
    default:
      return [];
  }
}

type TypedEvent<T extends StoredObject> = {
  readonly type: ObjectEvent['type'];
  readonly object: T;
  readonly previous?: T;
};

/** `vote.1 (x9k2q)`: enough of a task's name to tell it from the others of its slot. */
export function shortTaskName(task: Task): string {
  const place = task.spec.nodeId === undefined ? `.${task.spec.slot}` : '';
  return `${task.spec.serviceName}${place} (${task.meta.id.slice(0, 5)})`;
}

function nodeName(view: View, id: ObjectId | undefined): string {
  if (id === undefined) return 'no node';
  const node = view.get(Node, id);
  return node === undefined ? id : hostnameOf(node);
}

function networkName(view: View, id: ObjectId): string {
  return view.get(Network, id)?.meta.name ?? id;
}

function taskLines({ type, object, previous }: TypedEvent<Task>, view: View): readonly Line[] {
  const subject = shortTaskName(object);
  if (type === 'deleted') return [];
  if (previous === undefined) return [[subject, `task is created${causeOf(object, view)}`]];
  const lines: Line[] = [];
  const { status } = object;
  if (previous.spec.desiredState !== object.spec.desiredState) {
    lines.push([subject, WISHES[object.spec.desiredState]]);
  }
  if (previous.status.networks === undefined && status.networks !== undefined) {
    const addresses = status.networks.flatMap(({ networkId, addresses: list }) =>
      list.map((address) => `${withoutPrefix(address)} on ${networkName(view, networkId)}`),
    );
    if (addresses.length > 0) lines.push([subject, `gets ${addresses.join(', ')}`]);
  }
  if (status.pending !== undefined && previous.status.pending?.message !== status.pending.message) {
    lines.push([subject, `waits: ${status.pending.message}`]);
  }
  if (previous.status.nodeId === undefined && status.nodeId !== undefined) {
    lines.push([subject, `is placed on ${nodeName(view, status.nodeId)}${reasonOf(object, view)}`]);
  }
  if (previous.status.drainedAt === undefined && status.drainedAt !== undefined) {
    if (status.state === 'running') lines.push([subject, 'is in no table of any node any more']);
  }
  if (previous.status.state !== status.state && TOLD_STATES.has(status.state)) {
    const error = status.error === undefined ? '' : `: ${status.error}`;
    lines.push([subject, `${status.state} on ${nodeName(view, status.nodeId)}${error}`]);
  }
  return lines;
}

function causeOf(task: Task, view: View): string {
  const { cause, replaces } = task.spec;
  if (replaces === undefined) return '';
  const old = view.get(Task, replaces);
  const name = old === undefined ? replaces.slice(0, 5) : shortTaskName(old);
  return cause === 'update' ? ` to update ${name}` : ` in place of ${name}`;
}

function reasonOf(task: Task, view: View): string {
  const { placement } = task.status;
  if (placement === undefined) return '';
  const words = { nodeName: (id: ObjectId) => nodeName(view, id), policy: swarmPolicy() };
  return `: ${renderPlacementReason(placement, words)}`;
}

function serviceLines(
  { type, object, previous }: TypedEvent<Service>,
  view: View,
): readonly Line[] {
  const subject = object.meta.name;
  if (type === 'deleted') return [[subject, 'service is gone']];
  if (previous === undefined) return [[subject, `service is declared, ${modeOf(object)}`]];
  const lines: Line[] = [];
  if (previous.meta.deletionRequestedAt !== object.meta.deletionRequestedAt) {
    lines.push([subject, 'service is being removed']);
  }
  if (previous.meta.generation !== object.meta.generation) {
    lines.push([subject, `service is declared anew, ${modeOf(object)}`]);
  }
  if (previous.status.endpoint !== object.status.endpoint) {
    const text = endpointText(object, view);
    if (text !== '' && text !== endpointText(previous, view)) lines.push([subject, text]);
  }
  const update = object.status.update;
  if (update !== undefined && update.state !== previous.status.update?.state) {
    lines.push([subject, update.message]);
  }
  return lines;
}

function modeOf({ spec }: Service): string {
  const mode = spec.mode ?? { type: 'replicated' as const };
  const image = spec.task.container?.image ?? 'no image';
  return mode.type === 'replicated'
    ? `${mode.replicas ?? 1} ${plural(mode.replicas ?? 1, 'replica')} of ${image}`
    : `${mode.type}, ${image}`;
}

function endpointText({ status }: Service, view: View): string {
  const { virtualAddresses = [], ports = [] } = status.endpoint ?? {};
  const parts = virtualAddresses.map(
    ({ networkId, address }) => `${withoutPrefix(address)} on ${networkName(view, networkId)}`,
  );
  const published = ports.map(
    ({ publishedPort, targetPort, protocol }) => `${publishedPort} → ${targetPort}/${protocol}`,
  );
  if (parts.length === 0 && published.length === 0) return '';
  const vips =
    parts.length === 0 ? '' : `gets the ${plural(parts.length, 'VIP')} ${parts.join(', ')}`;
  const publishes = published.length === 0 ? '' : `publishes ${published.join(', ')}`;
  return [vips, publishes].filter((text) => text !== '').join('; ');
}

function nodeLines({ type, object, previous }: TypedEvent<Node>, view: View): readonly Line[] {
  const subject = object.meta.name;
  if (type === 'deleted') return [[subject, 'node is removed']];
  if (previous === undefined) return [];
  const lines: Line[] = [];
  if (previous.status.state !== object.status.state) {
    const message = object.status.message === '' ? '' : ` (${object.status.message})`;
    lines.push([subject, `node is ${object.status.state.toUpperCase()}${message}`]);
  }
  if (previous.spec.availability !== object.spec.availability) {
    lines.push([subject, `node is set to ${object.spec.availability}`]);
  }
  const had = new Set(previous.status.networks?.map(({ networkId }) => networkId));
  for (const { networkId, address } of object.status.networks ?? []) {
    if (had.has(networkId)) continue;
    const name = networkName(view, networkId);
    lines.push([subject, `gets the load-balancer address ${withoutPrefix(address)} on ${name}`]);
  }
  return lines;
}

function networkLines({ type, object, previous }: TypedEvent<Network>): readonly Line[] {
  const subject = object.meta.name;
  if (type === 'deleted') return [[subject, 'network is gone']];
  if (previous === undefined || previous.status.subnets.length > 0) return [];
  return object.status.subnets.map(({ subnet, vxlanId, gateway }) => [
    subject,
    `network gets ${subnet}, gateway ${gateway}, VXLAN id ${vxlanId}`,
  ]);
}

function plural(count: number, noun: string): string {
  return count === 1 ? noun : `${noun}s`;
}

function withoutPrefix(address: string): string {
  return address.split('/')[0] ?? address;
}

/** A chronicle as text: seconds since `start`, subject, what happened; columns aligned. */
export function renderChronicle(lines: readonly ChronicleLine[], start: Timestamp): string {
  return lines
    .map(({ at, subject, text }) => {
      const seconds = ((at - start) / 1000).toFixed(3).padStart(9);
      return `${seconds} s  ${subject.padEnd(18)} ${text}`;
    })
    .join('\n');
}
