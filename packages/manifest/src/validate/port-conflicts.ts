/**
 * Published ports that two services cannot both have.
 * **Source:** SwarmKit manager/controlapi/service.go, checkPortConflicts: a port in ingress mode is
 * taken on every node, so no other service can have it in either mode; two services may publish the
 * same port in host mode, for the scheduler keeps them apart.
 */
import type { PortSpec, ServiceSpec } from '@skep/api';
import type { ComplaintCollector, PathStep } from '../complaint.js';
import type { LoadedObject } from '../manifest/objects.js';

interface Use {
  readonly service: LoadedObject;
  readonly steps: readonly PathStep[];
  readonly isIngress: boolean;
}

/**
 * Warns of every port that an earlier service has taken. Only a warning: which service comes first,
 * and whether the first is still there, is known to the cluster alone, which says so in the status.
 */
export function checkPortConflicts(
  objects: readonly LoadedObject[],
  complaints: ComplaintCollector,
): void {
  const uses = new Map<string, Use[]>();
  for (const service of objects) {
    if (service.kind !== 'Service') continue;
    const ports = (service.spec as ServiceSpec).endpoint?.ports ?? [];
    for (const [index, port] of ports.entries()) {
      const key = portKey(port);
      if (key === undefined) continue;
      const isIngress = port.publishMode !== 'host';
      const use: Use = { service, steps: ['endpoint', 'ports', index], isIngress };
      const earlier = uses.get(key) ?? [];
      const rival = earlier.find(
        (other) => other.service !== service && (other.isIngress || isIngress),
      );
      if (rival) {
        const message = `the port ${key} is published by the service ${rival.service.name} already`;
        const place = service.locate(use.steps);
        complaints.warn('duplicate-port', place, message, 'publish one of them elsewhere');
      }
      uses.set(key, [...earlier, use]);
    }
  }
}

function portKey({ publishedPort = 0, protocol = 'tcp' }: PortSpec): string | undefined {
  return publishedPort === 0 ? undefined : `${publishedPort}/${protocol}`;
}
