/**
 * All about a service.
 */
import {
  byService,
  endpointMode,
  isJob,
  jobSize,
  restartPolicy,
  serviceMode,
  Service,
  serviceNetworks,
  Task,
  updateSettings,
  type TaskTemplate,
  type UpdateConfig,
} from '@skep/api';
import { networkNameOf } from '../get/names.js';
import { statusText } from '../get/service-table.js';
import { headOf, rowOf, sortedObjects } from '../get/tables.js';
import { replicasOf } from '../summary.js';
import { ageText, bytesText, cpusText, durationText, portText, resourcesText } from '../words.js';
import {
  conditionSection,
  eventSection,
  identity,
  problemSection,
  type DescribeContext,
} from './common.js';
import { entryLines, renderSheet, tableLines, type Entry } from './sheet.js';

/** A service: what is wanted, what is, its tasks, and what is wrong. */
export function describeService(service: Service, context: DescribeContext): string {
  const { view } = context;
  const { meta, spec, status } = service;
  const tasks = sortedObjects(Task.name, view.list(Task, byService(meta.id)), context);
  const taskRows = tasks.map((task) => rowOf(task, context));
  return renderSheet(
    [
      ...identity(service, context),
      ['Status', statusText(service, context)],
      ['Mode', modeText(service)],
      ['Replicas', replicasOf(view, service)],
      ['Networks', networkLines(service, context)],
      ['Ports', (status.endpoint?.ports ?? []).map(portText)],
      ['Endpoint', endpointText(service)],
      ['Update', updateText(spec.update)],
      ['Rollback', spec.rollback === undefined ? undefined : updateText(spec.rollback)],
      ['Last update', lastUpdate(service, context)],
      ['Earlier', historyText(service)],
    ],
    [
      { title: 'Template', lines: entryLines(templateEntries(spec.task)) },
      { title: 'Tasks', lines: tableLines(headOf(Task.name), taskRows) },
      conditionSection(status.conditions, context),
      problemSection(
        { kind: Service.name, name: meta.name },
        context,
        ({ kind, name }) => kind === Task.name && name.startsWith(`${meta.name}.`),
      ),
      eventSection([service, ...tasks], context),
    ],
  );
}

function modeText({ spec, status }: Service): string {
  const mode = serviceMode(spec);
  if (!isJob(mode)) return mode.type;
  const { iteration = 0 } = status.job ?? {};
  const size = mode.type === 'replicated-job' ? jobSize(mode) : undefined;
  const of =
    size === undefined ? '' : `, ${size.totalCompletions}, ${size.maxConcurrent} at a time`;
  return `${mode.type}${of}, iteration ${iteration}`;
}

function networkLines(
  { spec, status }: Service,
  { view }: DescribeContext,
): readonly string[] | undefined {
  const addresses = new Map(
    (status.endpoint?.virtualAddresses ?? []).map((vip) => [vip.networkId, vip.address]),
  );
  const wanted = serviceNetworks(spec).map(({ target, aliases = [] }) => {
    const name = networkNameOf(view, target);
    const vip = [...addresses].find(([id]) => id === target || networkNameOf(view, id) === name);
    if (vip !== undefined) addresses.delete(vip[0]);
    const also = aliases.length === 0 ? '' : `, also ${aliases.join(', ')}`;
    return `${name}${vip === undefined ? '' : ` ${vip[1]}`}${also}`;
  });
  const others = [...addresses].map(([id, address]) => `${networkNameOf(view, id)} ${address}`);
  const lines = [...wanted, ...others];
  return lines.length === 0 ? undefined : lines;
}

function endpointText({ spec }: Service): string {
  const { algorithm, affinity, isLocalOnly, slowStartMs } = spec.endpoint ?? {};
  return [
    endpointMode(spec.endpoint),
    algorithm ?? 'round-robin',
    ...(affinity === undefined ? [] : [`a client for ${durationText(affinity.timeoutMs)}`]),
    ...(isLocalOnly === true ? ['on its own node only'] : []),
    ...(slowStartMs === undefined ? [] : [`slow start ${durationText(slowStartMs)}`]),
  ].join(', ');
}

function updateText(config: UpdateConfig | undefined): string {
  const settings = updateSettings(config);
  const { parallelism, order, delayMs, failureAction, maxFailureRatio } = settings;
  const failures = `more than ${maxFailureRatio * 100}% fail`;
  return [
    parallelism === 0 ? 'all at once' : `${parallelism} at a time`,
    order,
    ...(delayMs > 0 ? [`${durationText(delayMs)} apart`] : []),
    `${failureAction} when ${failures} within ${durationText(settings.monitorMs)}`,
    ...(settings.isHeld ? ['held'] : []),
  ].join(', ');
}

function lastUpdate({ status }: Service, { now }: DescribeContext): string | undefined {
  const { update } = status;
  if (update === undefined) return undefined;
  const { state, startedAt, completedAt, message, blocked, failedTasks, dirtySlots } = update;
  const end = completedAt === undefined ? '' : `, took ${durationText(completedAt - startedAt)}`;
  return [
    `${state}, begun ${ageText(startedAt, now)} ago${end}: ${message}`,
    ...(failedTasks.length === 0 ? [] : [`${failedTasks.length} of ${dirtySlots} failed`]),
    ...(blocked === undefined ? [] : [`blocked: ${blocked}`]),
  ].join('\n');
}

function historyText({ meta, status }: Service): string | undefined {
  const earlier = (status.history ?? [])
    .filter(({ specVersion }) => specVersion !== meta.generation)
    .map(({ specVersion, spec }) => {
      return `generation ${specVersion} (${spec.task.container?.image ?? 'no image'})`;
    });
  return earlier.length === 0 ? undefined : earlier.join('\n');
}

/** What each task is made from. */
export function templateEntries(template: TaskTemplate): readonly Entry[] {
  const { container, resources, placement } = template;
  const { condition, delayMs, maxAttempts } = restartPolicy(template);
  const { limits } = resources ?? {};
  const limited = [
    ...(limits?.cpuNanos === undefined ? [] : [`${cpusText(limits.cpuNanos)} CPUs`]),
    ...(limits?.memoryBytes === undefined ? [] : [bytesText(limits.memoryBytes)]),
    ...(limits?.pids === undefined ? [] : [`${limits.pids} processes`]),
  ];
  const some = <T>(list: readonly T[] | undefined): readonly T[] | undefined =>
    list === undefined || list.length === 0 ? undefined : list;
  return [
    ['Image', container?.image ?? '-'],
    ['Command', some(container?.command)?.join(' ')],
    ['Arguments', some(container?.args)?.join(' ')],
    ['Environment', some(container?.env)],
    ['User', container?.user],
    [
      'Mounts',
      some(container?.mounts)?.map(({ type, source = '', target, isReadOnly }) => {
        return `${type} ${source} at ${target}${isReadOnly === true ? ' (read-only)' : ''}`;
      }),
    ],
    [
      'Secrets',
      some(container?.secrets)?.map(({ secretName, file }) => `${secretName} as ${file.name}`),
    ],
    [
      'Configs',
      some(container?.configs)?.map(
        ({ configName, file }) => `${configName} as ${file?.name ?? '-'}`,
      ),
    ],
    ['Health check', some(container?.healthCheck?.test)?.join(' ')],
    ['Reserved', resources?.reservations && resourcesText(resources.reservations)],
    ['Limits', limited.length === 0 ? undefined : limited.join(', ')],
    ['Constraints', some(placement?.constraints)],
    ['Spread over', some(placement?.preferences)?.map(({ spread }) => spread)],
    ['Most a node', placement?.maxReplicasPerNode?.toString()],
    [
      'Restart',
      `${condition}, after ${durationText(delayMs)}` +
        (maxAttempts === 0 ? '' : `, at most ${maxAttempts} times`),
    ],
  ];
}
