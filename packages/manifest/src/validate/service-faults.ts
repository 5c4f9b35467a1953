/**
 * What the manager refuses in a service, though its form is right.
 * **Source:** SwarmKit manager/controlapi/service.go (validation of service specs).
 */
import {
  isSkepError,
  parseConstraint,
  type ContainerSpec,
  type EndpointSpec,
  type HealthCheck,
  type ResourceRequirements,
  type Resources,
  type ServiceSpec,
} from '@skep/api';
import type { PathStep } from '../complaint.js';
import { imageFault } from '../text/image-reference.js';
import { dnsNameFaults, fault, type SpecFault } from './faults.js';

const MEMORY_MIN = 4 * 1024 * 1024;
const CPU_MIN = 1_000_000;
/** Name of the network of published ports, which services may not name. */
const INGRESS = 'ingress';

/** All faults of a service, in the order of its fields. */
export function serviceFaults(name: string, spec: ServiceSpec): readonly SpecFault[] {
  return [
    ...dnsNameFaults(name),
    ...taskFaults(spec),
    ...resourceFaults(spec.task.resources),
    ...constraintFaults(spec),
    ...networkFaults(spec),
    ...endpointFaults(spec.endpoint),
  ];
}

function taskFaults(spec: ServiceSpec): readonly SpecFault[] {
  const { container, plugin, attachment } = spec.task;
  if (container) return containerFaults(container);
  if (plugin ?? attachment) return [];
  const hint = 'add task.container.image';
  return [fault('missing-field', ['task'], 'the task runs neither container nor plugin', hint)];
}

function containerFaults(container: ContainerSpec): readonly SpecFault[] {
  const steps = ['task', 'container'] as const;
  const faults: SpecFault[] = [];
  if (container.image === '') {
    faults.push(fault('missing-image', [...steps, 'image'], 'no image is given', 'name an image'));
  } else {
    const why = imageFault(container.image);
    if (why !== undefined) {
      const message = `'${container.image}' is not a valid image reference: ${why}`;
      faults.push(fault('invalid-image', [...steps, 'image'], message));
    }
  }
  if (container.healthCheck) faults.push(...healthFaults(container.healthCheck));
  const mounts = (container.mounts ?? []).map((mount) => mount.target || undefined);
  const secrets = (container.secrets ?? []).map((use) => use.file.name);
  const configs = (container.configs ?? []).map((use) => use.file?.name);
  for (const [index, target] of mounts.entries()) {
    if (target !== undefined) continue;
    const message = 'the mount has no target; tasks will fail on their node';
    const where = [...steps, 'mounts', index];
    faults.push({ severity: 'warning', code: 'invalid-mount', steps: where, message });
  }
  return [
    ...faults,
    ...duplicates(mounts, [...steps, 'mounts'], 'invalid-mount', 'mounts'),
    ...duplicates(secrets, [...steps, 'secrets'], 'duplicate-target', 'secrets'),
    ...duplicates(configs, [...steps, 'configs'], 'duplicate-target', 'configs'),
  ];
}

function duplicates(
  targets: readonly (string | undefined)[],
  steps: readonly PathStep[],
  code: 'invalid-mount' | 'duplicate-target',
  what: string,
): readonly SpecFault[] {
  return targets.flatMap((target, index) => {
    if (target === undefined || targets.indexOf(target) === index) return [];
    const message = `two ${what} have the target '${target}'`;
    return [fault(code, [...steps, index], message, 'give each its own target')];
  });
}

function healthFaults(check: HealthCheck): readonly SpecFault[] {
  const fields = ['intervalMs', 'timeoutMs', 'startPeriodMs', 'startIntervalMs'] as const;
  return fields.flatMap((field) => {
    const value = check[field];
    if (value === undefined || value === 0 || value >= 1) return [];
    const steps = ['task', 'container', 'healthCheck', field];
    const message = `${value} ms is too short for a health check`;
    return [fault('invalid-healthcheck', steps, message, 'use 1ms or more')];
  });
}

function resourceFaults(resources: ResourceRequirements | undefined): readonly SpecFault[] {
  return [
    ...sideFaults(resources?.limits, 'limits'),
    ...sideFaults(resources?.reservations, 'reservations'),
  ];
}

function sideFaults(
  side: Pick<Resources, 'cpuNanos' | 'memoryBytes'> | undefined,
  name: 'limits' | 'reservations',
): readonly SpecFault[] {
  const { cpuNanos = 0, memoryBytes = 0 } = side ?? {};
  const steps = ['task', 'resources', name];
  const faults: SpecFault[] = [];
  if (cpuNanos !== 0 && cpuNanos < CPU_MIN) {
    const message = `${cpuNanos / 1e9} of a processor is less than the least amount of 0.001`;
    faults.push(fault('cpu-too-small', [...steps, 'cpuNanos'], message, 'use 0.001 or more'));
  }
  if (memoryBytes !== 0 && memoryBytes < MEMORY_MIN) {
    const message = `${memoryBytes} bytes are less than the least amount of 4 MiB`;
    faults.push(fault('memory-too-small', [...steps, 'memoryBytes'], message, 'use 4M or more'));
  }
  return faults;
}

function constraintFaults(spec: ServiceSpec): readonly SpecFault[] {
  return (spec.task.placement?.constraints ?? []).flatMap((text, index) => {
    try {
      parseConstraint(text);
      return [];
    } catch (thrown) {
      if (!isSkepError(thrown, 'invalid-argument')) throw thrown;
      const steps = ['task', 'placement', 'constraints', index];
      return [fault('invalid-constraint', steps, thrown.message)];
    }
  });
}

function networkFaults(spec: ServiceSpec): readonly SpecFault[] {
  return (spec.task.networks ?? []).flatMap((network, index) => {
    const steps = ['task', 'networks', index];
    if (network.target === INGRESS) {
      const message = `services cannot be attached to the network ${INGRESS} by name`;
      return [fault('reserved-network', steps, message, 'publish a port instead')];
    }
    const earlier = (spec.task.networks ?? []).findIndex(({ target }) => target === network.target);
    if (earlier === index) return [];
    const message = `the network ${network.target} is given twice`;
    return [fault('duplicate-item', steps, message, 'remove one of the two')];
  });
}

function endpointFaults(endpoint: EndpointSpec | undefined): readonly SpecFault[] {
  const seen = new Set<string>();
  return (endpoint?.ports ?? []).flatMap((port, index) => {
    const steps = ['endpoint', 'ports', index];
    const { protocol = 'tcp', publishMode = 'ingress', publishedPort = 0 } = port;
    const faults: SpecFault[] = [];
    if (endpoint?.mode === 'dnsrr' && publishMode === 'ingress') {
      const message = 'a port in ingress mode does not go with the endpoint mode dnsrr';
      const hint = 'use the endpoint mode vip, or publish the port in host mode';
      faults.push(fault('ingress-with-dnsrr', steps, message, hint));
    }
    const key = `${protocol}/${publishedPort}/${publishMode}`;
    if (publishedPort !== 0 && seen.has(key)) {
      const message = `the port ${publishedPort}/${protocol} is published twice`;
      faults.push(fault('duplicate-port', steps, message, 'publish one of them elsewhere'));
    }
    seen.add(key);
    return faults;
  });
}
