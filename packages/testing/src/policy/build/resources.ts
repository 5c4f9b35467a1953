/**
 * Resources of nodes and demands of tasks, from the options of a test.
 */
import {
  SkepError,
  deviceRequestFaults,
  type DeviceRequest,
  type GenericResource,
  type NodeDevice,
  type NodeResources,
  type ReservedResources,
} from '@skep/api';
import { cpuNanos, memoryBytes, wholeAmount } from './amount.js';
import type { DemandOptions, NodeOptions } from './options.js';

const CPUS = 4;
const MEMORY = 8 * 2 ** 30;

/** What a node has. @throws invalid-argument for what is no amount. */
export function nodeResources(options: NodeOptions, where: string): NodeResources {
  const devices = nodeDevices(options, where);
  const { generic } = options;
  return {
    cpuNanos: cpuNanos(options.cpus ?? CPUS, where),
    memoryBytes: options.memory === undefined ? MEMORY : memoryBytes(options.memory, where),
    ...(generic === undefined ? {} : { generic: nodeGeneric(generic, where) }),
    ...(devices.length === 0 ? {} : { devices }),
  };
}

function nodeDevices({ gpus, devices }: NodeOptions, where: string): readonly NodeDevice[] {
  if (gpus === undefined) return devices ?? [];
  const { count, ...rest } = typeof gpus === 'number' ? { count: gpus } : gpus;
  wholeAmount(count, `${where}: gpus`);
  const list = Array.from({ length: count }, (): NodeDevice => ({ kind: 'gpu', ...rest }));
  return devices === undefined ? list : [...list, ...devices];
}

function nodeGeneric(
  generic: NonNullable<NodeOptions['generic']>,
  where: string,
): readonly GenericResource[] {
  return Object.entries(generic).map(([kind, amount]) =>
    typeof amount === 'number'
      ? { kind, count: wholeAmount(amount, `${where}: generic.${kind}`) }
      : { kind, ids: amount },
  );
}

/** What is kept for a task; undefined when nothing is. @throws invalid-argument. */
export function reservations(options: DemandOptions, where: string): ReservedResources | undefined {
  const { cpus, memory, generic } = options;
  const devices = requestedDevices(options, where);
  if (cpus === undefined && memory === undefined && generic === undefined && !devices.length) {
    return undefined;
  }
  return {
    ...(cpus === undefined ? {} : { cpuNanos: cpuNanos(cpus, where) }),
    ...(memory === undefined ? {} : { memoryBytes: memoryBytes(memory, where) }),
    ...(generic === undefined
      ? {}
      : {
          generic: Object.entries(generic).map(([kind, count]) => ({
            kind,
            count: wholeAmount(count, `${where}: generic.${kind}`),
          })),
        }),
    ...(devices.length === 0 ? {} : { devices }),
  };
}

function requestedDevices(
  { gpus, devices = [] }: DemandOptions,
  where: string,
): readonly DeviceRequest[] {
  const list = gpus === undefined || gpus === 0 ? devices : [gpuRequest(gpus, where), ...devices];
  const [fault] = deviceRequestFaults(list);
  if (fault !== undefined) throw new SkepError('invalid-argument', `${where}: ${fault}`);
  return list;
}

function gpuRequest(gpus: NonNullable<DemandOptions['gpus']>, where: string): DeviceRequest {
  if (typeof gpus !== 'number') return { kind: 'gpu', ...gpus };
  if (Number.isSafeInteger(gpus) && gpus > 0) return { kind: 'gpu', count: gpus };
  if (gpus > 0 && gpus < 1) return { kind: 'gpu', count: 1, milli: Math.round(gpus * 1000) };
  throw new SkepError(
    'invalid-argument',
    `${where}: gpus ${gpus} is neither a number of whole GPUs nor a part of one; ` +
      'write 2, 0.5 or { count: 2, milli: 500 }',
  );
}
