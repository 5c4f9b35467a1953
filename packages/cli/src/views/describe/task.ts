/**
 * All about a task.
 */
import { hostnameOf, Node, Task, taskName, type PendingReason } from '@skep/api';
import { renderPlacementReason, swarmPolicy } from '@skep/scheduler';
import type { View } from '@skep/store';
import { networkNameOf, nodeNameOf } from '../get/names.js';
import { ageText, portText, shortId, shortName, timeText } from '../words.js';
import { eventSection, identity, problemSection, type DescribeContext } from './common.js';
import { templateEntries } from './service.js';
import { entryLines, renderSheet, tableLines, type Entry } from './sheet.js';

/** A task: where it is and why, or why it waits. */
export function describeTask(task: Task, context: DescribeContext): string {
  const { view, now } = context;
  const { spec, status, meta } = task;
  const { container, pending } = status;
  const isWaiting = status.nodeId === undefined && pending !== undefined;
  const entries: readonly Entry[] = [
    ['Name', shortName(task)],
    ...identity(task, context).filter(([name]) => name !== 'Name' && name !== 'Set by'),
    [
      'Service',
      spec.serviceName === '' ? '-' : `${spec.serviceName} (generation ${spec.specVersion ?? '-'})`,
    ],
    [
      'Slot',
      spec.nodeId === undefined ? String(spec.slot) : `of node ${nodeNameOf(view, spec.nodeId)}`,
    ],
    ['Node', nodeNameOf(view, status.nodeId)],
    [
      'State',
      `${status.state} for ${ageText(status.timestamp, now)} (${timeText(status.timestamp)})`,
    ],
    ['Desired', spec.desiredState],
    ['Message', status.message],
    ['Error', status.error],
    ['Exit code', container?.exitCode?.toString()],
    [
      'Container',
      container?.containerId === undefined ? undefined : shortId(container.containerId),
    ],
    ['Process', container?.pid?.toString()],
    ['Why', causeText(task, view)],
    ['Why there', placementText(task, view)],
    ['Why it waits', isWaiting ? pendingLines(pending) : undefined],
    ['Begins', releaseText(task, context)],
    ['Restarts', spec.restarts === undefined ? undefined : String(spec.restarts.count)],
    ['Addresses', addressLines(task, view)],
    ['Host ports', status.hostPorts?.map(portText)],
    [
      'Drained',
      status.drainedAt === undefined ? undefined : `${ageText(status.drainedAt, now)} ago`,
    ],
  ];
  return renderSheet(entries, [
    { title: 'Template', lines: entryLines(templateEntries(spec.template)) },
    { title: 'Nodes that refuse it', lines: isWaiting ? refusalLines(pending) : [] },
    problemSection({ kind: Task.name, name: taskName(task) }, context),
    eventSection([task], context),
  ]);

  function addressLines(of: Task, from: View): readonly string[] | undefined {
    const lines = (of.status.networks ?? []).map(
      ({ networkId, addresses, aliases }) =>
        `${networkNameOf(from, networkId)} ${addresses.join(', ') || '-'}` +
        `${aliases.length === 0 ? '' : ` (${aliases.join(', ')})`}` +
        `${meta.id !== '' && of.status.releasedAt !== undefined ? ', given back' : ''}`,
    );
    return lines.length === 0 ? undefined : lines;
  }
}

function causeText({ spec }: Task, view: View): string {
  const old = spec.replaces === undefined ? undefined : view.get(Task, spec.replaces);
  const name = old === undefined ? spec.replaces?.slice(0, 5) : shortName(old);
  return name === undefined ? spec.cause : `${spec.cause}, in place of ${name}`;
}

function placementText({ status }: Task, view: View): string | undefined {
  if (status.placement === undefined) return undefined;
  const nodeName = (id: string): string => {
    const node = view.get(Node, id);
    return node === undefined ? id : hostnameOf(node);
  };
  return renderPlacementReason(status.placement, { nodeName, policy: swarmPolicy() });
}

function pendingLines({ code, message, filters = [] }: PendingReason): readonly string[] {
  return [
    `${message} [${code}]`,
    ...filters.map(
      ({ filter, nodes }) => `${filter} refuses ${nodes} ${nodes === 1 ? 'node' : 'nodes'}`,
    ),
  ];
}

function refusalLines({ nodes = [] }: PendingReason): readonly string[] {
  return tableLines(
    ['NODE', 'REFUSED BY'],
    nodes.map(({ nodeName, filters }) => [nodeName, filters.join(', ')]),
  );
}

/** When a task that is ready may run. */
function releaseText({ spec, status }: Task, { now, view }: DescribeContext): string | undefined {
  const { release, desiredState } = spec;
  if (release === undefined || desiredState !== 'ready' || status.state === 'running')
    return undefined;
  const after = release.afterTask === undefined ? undefined : view.get(Task, release.afterTask);
  const wait =
    release.notBefore > now ? `in ${Math.ceil((release.notBefore - now) / 1000)} s` : 'now';
  return after === undefined ? wait : `${wait}, once ${shortName(after)} has ended`;
}
