/**
 * What a task needs of a node, read once from its template and endpoint.
 */
import { compareText, type DeviceRequest, type Mount, type TaskSpec } from '@skep/api';
import { genericRequests, type GenericRequest } from './generic-ledger.js';

/** Amounts and things that a task takes from its node. */
export interface Requirements {
  readonly cpuNanos: number;
  readonly memoryBytes: number;
  /** Sorted by kind, each kind once, counts above 0. */
  readonly generic: readonly GenericRequest[];
  /** Sorted by kind. */
  readonly devices: readonly DeviceRequest[];
  /** Fixed host-mode ports as `tcp/8080`, sorted, each once. */
  readonly hostPorts: readonly string[];
  /** Mounts of cluster volumes, in the order of the template. */
  readonly clusterMounts: readonly Mount[];
}

const NOTHING: readonly never[] = Object.freeze([]);

/** Requirements of a task that needs nothing. */
export const NO_REQUIREMENTS: Requirements = Object.freeze({
  cpuNanos: 0,
  memoryBytes: 0,
  generic: NOTHING,
  devices: NOTHING,
  hostPorts: NOTHING,
  clusterMounts: NOTHING,
});

/** Reads the requirements of a task. Limits do not count: only reservations are kept for a task. */
export function requirementsOf(spec: Pick<TaskSpec, 'template' | 'endpoint'>): Requirements {
  const reservations = spec.template.resources?.reservations;
  const mounts = spec.template.container?.mounts;
  const ports = spec.endpoint?.ports;
  if (reservations === undefined && mounts === undefined && ports === undefined) {
    return NO_REQUIREMENTS;
  }
  return {
    cpuNanos: reservations?.cpuNanos ?? 0,
    memoryBytes: reservations?.memoryBytes ?? 0,
    generic: genericRequests(reservations?.generic),
    devices: deviceRequests(reservations?.devices),
    hostPorts: hostPortsOf(ports ?? NOTHING),
    clusterMounts: mounts?.filter((mount) => mount.type === 'cluster') ?? NOTHING,
  };
}

function deviceRequests(requests: readonly DeviceRequest[] | undefined): readonly DeviceRequest[] {
  if (requests === undefined || requests.length === 0) return NOTHING;
  if (requests.length === 1) return requests;
  return [...requests].sort((a, b) => compareText(a.kind, b.kind));
}

function hostPortsOf(
  ports: NonNullable<NonNullable<TaskSpec['endpoint']>['ports']>,
): readonly string[] {
  const keys: string[] = [];
  for (const port of ports) {
    if (port.publishMode !== 'host' || !port.publishedPort) continue;
    keys.push(`${port.protocol ?? 'tcp'}/${port.publishedPort}`);
  }
  return keys.length === 0 ? NOTHING : [...new Set(keys)].sort();
}
