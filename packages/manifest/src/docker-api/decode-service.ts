/**
 * A service of the Docker API as ours.
 */
import type {
  EndpointSpec,
  GenericResource,
  Labels,
  NetworkAttachmentSpec,
  Placement,
  PortSpec,
  ResourceRequirements,
  RestartPolicy,
  ServiceMode,
  ServiceSpec,
  TaskTemplate,
  UpdateConfig,
} from '@skep/api';
import { decodeContainer } from './decode-container.js';
import { defined } from './fields.js';
import { toMs } from './time.js';
import type {
  DockerAttachment,
  DockerGenericResource,
  DockerServiceBody,
  DockerTaskSpec,
  DockerUpdateConfig,
} from './types.js';

/** A service with its name and labels. */
export interface DecodedService {
  readonly name: string;
  readonly labels: Labels;
  readonly spec: ServiceSpec;
}

/** Reads the body of `POST /services/create`. What the manager judges is not judged here. */
export function decodeService(body: DockerServiceBody): DecodedService {
  const spec = defined<ServiceSpec>({
    mode: decodeMode(body.Mode),
    task: decodeTask(body.TaskTemplate),
    update: decodeUpdate(body.UpdateConfig),
    rollback: decodeUpdate(body.RollbackConfig),
    endpoint: decodeEndpoint(body.EndpointSpec),
    networks: body.Networks?.map(decodeAttachment),
  });
  return { name: body.Name, labels: body.Labels ?? {}, spec };
}

function decodeMode(mode: DockerServiceBody['Mode'] | undefined): ServiceMode | undefined {
  if (mode?.Global) return { type: 'global' };
  if (mode?.GlobalJob) return { type: 'global-job' };
  if (mode?.ReplicatedJob) {
    const { MaxConcurrent, TotalCompletions } = mode.ReplicatedJob;
    return {
      type: 'replicated-job',
      ...defined({ maxConcurrent: MaxConcurrent, totalCompletions: TotalCompletions }),
    };
  }
  if (!mode?.Replicated) return undefined;
  return { type: 'replicated', ...defined({ replicas: mode.Replicated.Replicas }) };
}

const RUNTIMES: ReadonlySet<string> = new Set(['container', 'plugin', 'attachment']);

function decodeTask(task: DockerTaskSpec): TaskTemplate {
  const driver = task.LogDriver;
  const plugin = task.PluginSpec;
  const runtime = task.Runtime ?? '';
  return defined<TaskTemplate>({
    runtime: RUNTIMES.has(runtime) ? (runtime as TaskTemplate['runtime']) : undefined,
    container: task.ContainerSpec && decodeContainer(task.ContainerSpec),
    plugin:
      plugin &&
      defined({
        name: plugin.Name,
        remote: plugin.Remote,
        isDisabled: plugin.Disabled,
        privileges: plugin.PluginPrivilege?.map((privilege) =>
          defined({
            name: privilege.Name,
            description: privilege.Description,
            values: privilege.Value,
          }),
        ),
        env: plugin.Env,
      }),
    attachment: task.NetworkAttachmentSpec && {
      containerId: task.NetworkAttachmentSpec.ContainerID ?? '',
    },
    resources: decodeResources(task.Resources),
    restartPolicy: decodeRestartPolicy(task.RestartPolicy),
    placement: decodePlacement(task.Placement),
    networks: task.Networks?.map(decodeAttachment),
    logDriver: driver && { name: driver.Name ?? '', ...defined({ options: driver.Options }) },
    forceUpdate: task.ForceUpdate === 0 ? undefined : task.ForceUpdate,
  });
}

function decodeAttachment(attachment: DockerAttachment): NetworkAttachmentSpec {
  return defined<NetworkAttachmentSpec>({
    target: attachment.Target ?? '',
    aliases: attachment.Aliases,
    driverOptions: attachment.DriverOpts,
  });
}

function decodeResources(resources: DockerTaskSpec['Resources']): ResourceRequirements | undefined {
  if (resources === undefined || Object.keys(resources).length === 0) return undefined;
  const { Limits: limits, Reservations: reservations } = resources;
  return defined<ResourceRequirements>({
    limits:
      limits &&
      defined({ cpuNanos: limits.NanoCPUs, memoryBytes: limits.MemoryBytes, pids: limits.Pids }),
    reservations:
      reservations &&
      defined({
        cpuNanos: reservations.NanoCPUs,
        memoryBytes: reservations.MemoryBytes,
        generic: reservations.GenericResources?.map(decodeGeneric),
      }),
    swapBytes: resources.SwapBytes,
    memorySwappiness: resources.MemorySwappiness,
  });
}

function decodeGeneric(resource: DockerGenericResource): GenericResource {
  const named = resource.NamedResourceSpec;
  if (named) return { kind: named.Kind ?? '', ids: [named.Value ?? ''] };
  const discrete = resource.DiscreteResourceSpec;
  return { kind: discrete?.Kind ?? '', count: discrete?.Value ?? 0 };
}

function decodeRestartPolicy(policy: DockerTaskSpec['RestartPolicy']): RestartPolicy | undefined {
  return (
    policy &&
    defined<RestartPolicy>({
      condition: policy.Condition as RestartPolicy['condition'],
      delayMs: toMs(policy.Delay),
      maxAttempts: policy.MaxAttempts,
      windowMs: toMs(policy.Window),
    })
  );
}

function decodePlacement(placement: DockerTaskSpec['Placement']): Placement | undefined {
  if (placement === undefined || Object.keys(placement).length === 0) return undefined;
  return defined<Placement>({
    constraints: placement.Constraints,
    preferences: placement.Preferences?.map((preference) => ({
      spread: preference.Spread?.SpreadDescriptor ?? '',
    })),
    maxReplicasPerNode: placement.MaxReplicas,
    platforms: placement.Platforms?.map((platform) => ({
      os: platform.OS ?? '',
      architecture: platform.Architecture ?? '',
    })),
  });
}

function decodeUpdate(update: DockerUpdateConfig | undefined): UpdateConfig | undefined {
  return (
    update &&
    defined<UpdateConfig>({
      parallelism: update.Parallelism,
      delayMs: toMs(update.Delay),
      failureAction: update.FailureAction as UpdateConfig['failureAction'],
      monitorMs: toMs(update.Monitor),
      maxFailureRatio: update.MaxFailureRatio === 0 ? undefined : update.MaxFailureRatio,
      order: update.Order === '' ? undefined : (update.Order as UpdateConfig['order']),
    })
  );
}

function decodeEndpoint(endpoint: DockerServiceBody['EndpointSpec']): EndpointSpec | undefined {
  if (endpoint === undefined || Object.keys(endpoint).length === 0) return undefined;
  return defined<EndpointSpec>({
    mode: endpoint.Mode as EndpointSpec['mode'],
    ports: endpoint.Ports?.map((port) =>
      defined<PortSpec>({
        name: port.Name,
        protocol: port.Protocol as PortSpec['protocol'],
        targetPort: port.TargetPort ?? 0,
        publishedPort: port.PublishedPort,
        publishMode: port.PublishMode as PortSpec['publishMode'],
      }),
    ),
  });
}
