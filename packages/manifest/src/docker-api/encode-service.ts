/**
 * A service of ours as the Docker API wants it.
 */
import type {
  EndpointSpec,
  GenericResource,
  Labels,
  NetworkAttachmentSpec,
  Placement,
  ResourceRequirements,
  ServiceMode,
  ServiceSpec,
  TaskTemplate,
  UpdateConfig,
} from '@skep/api';
import { encodeContainer } from './encode-container.js';
import { compact, defined } from './fields.js';
import { toNanos } from './time.js';
import type {
  DockerAttachment,
  DockerGenericResource,
  DockerPort,
  DockerServiceBody,
  DockerTaskSpec,
  DockerUpdateConfig,
} from './types.js';

/**
 * The body of `POST /services/create`. What Docker has no field for is left out: weights,
 * algorithm,
 * affinity and the like of the endpoint, the progress deadline of updates, static addresses.
 */
export function encodeService(name: string, labels: Labels, spec: ServiceSpec): DockerServiceBody {
  return defined<DockerServiceBody>({
    Name: name,
    Labels: labels,
    TaskTemplate: encodeTask(spec.task),
    Mode: encodeMode(spec.mode),
    UpdateConfig: spec.update && encodeUpdate(spec.update),
    RollbackConfig: spec.rollback && encodeUpdate(spec.rollback),
    EndpointSpec: encodeEndpoint(spec.endpoint),
    Networks: spec.networks?.map(encodeAttachment),
  });
}

function encodeMode(mode: ServiceMode | undefined): DockerServiceBody['Mode'] {
  switch (mode?.type) {
    case 'global':
      return { Global: {} };
    case 'global-job':
      return { GlobalJob: {} };
    case 'replicated-job':
      return {
        ReplicatedJob: defined({
          MaxConcurrent: mode.maxConcurrent,
          TotalCompletions: mode.totalCompletions,
        }),
      };
    default:
      return { Replicated: defined({ Replicas: mode?.replicas }) };
  }
}

function encodeTask(task: TaskTemplate): DockerTaskSpec {
  const { plugin, restartPolicy, logDriver } = task;
  return defined<DockerTaskSpec>({
    ContainerSpec: task.container && encodeContainer(task.container),
    PluginSpec:
      plugin &&
      compact({
        Name: plugin.name,
        Remote: plugin.remote,
        Disabled: plugin.isDisabled,
        PluginPrivilege: plugin.privileges?.map((privilege) =>
          compact({
            Name: privilege.name,
            Description: privilege.description,
            Value: privilege.values,
          }),
        ),
        Env: plugin.env,
      }),
    NetworkAttachmentSpec: task.attachment && { ContainerID: task.attachment.containerId },
    Resources: encodeResources(task.resources),
    RestartPolicy:
      restartPolicy &&
      defined({
        Condition: restartPolicy.condition,
        Delay: toNanos(restartPolicy.delayMs),
        MaxAttempts: restartPolicy.maxAttempts,
        Window: toNanos(restartPolicy.windowMs),
      }),
    Placement: encodePlacement(task.placement),
    Networks: task.networks?.map(encodeAttachment),
    LogDriver: logDriver && compact({ Name: logDriver.name, Options: logDriver.options }),
    ForceUpdate: task.forceUpdate ?? 0,
    Runtime: task.runtime,
  });
}

function encodeAttachment(attachment: NetworkAttachmentSpec): DockerAttachment {
  return compact<DockerAttachment>({
    Target: attachment.target,
    Aliases: attachment.aliases,
    DriverOpts: attachment.driverOptions,
  });
}

function encodeResources(
  resources: ResourceRequirements | undefined,
): NonNullable<DockerTaskSpec['Resources']> {
  const { limits, reservations } = resources ?? {};
  return defined<NonNullable<DockerTaskSpec['Resources']>>({
    Limits:
      limits &&
      compact({ NanoCPUs: limits.cpuNanos, MemoryBytes: limits.memoryBytes, Pids: limits.pids }),
    Reservations:
      reservations &&
      compact({
        NanoCPUs: reservations.cpuNanos,
        MemoryBytes: reservations.memoryBytes,
        GenericResources: reservations.generic?.flatMap(encodeGeneric),
      }),
    SwapBytes: resources?.swapBytes,
    MemorySwappiness: resources?.memorySwappiness,
  });
}

function encodeGeneric(resource: GenericResource): readonly DockerGenericResource[] {
  if ('count' in resource) {
    return [{ DiscreteResourceSpec: compact({ Kind: resource.kind, Value: resource.count }) }];
  }
  return resource.ids.map((id) => ({
    NamedResourceSpec: compact({ Kind: resource.kind, Value: id }),
  }));
}

function encodePlacement(
  placement: Placement | undefined,
): NonNullable<DockerTaskSpec['Placement']> {
  return compact<NonNullable<DockerTaskSpec['Placement']>>({
    Constraints: placement?.constraints,
    Preferences: placement?.preferences?.map(({ spread }) => ({
      Spread: { SpreadDescriptor: spread },
    })),
    MaxReplicas: placement?.maxReplicasPerNode,
    Platforms: placement?.platforms?.map(({ os, architecture }) =>
      compact({ Architecture: architecture, OS: os }),
    ),
  });
}

function encodeUpdate(update: UpdateConfig): DockerUpdateConfig {
  return {
    Parallelism: update.parallelism ?? 1,
    ...compact({
      Delay: toNanos(update.delayMs),
      FailureAction: update.failureAction,
      Monitor: toNanos(update.monitorMs),
    }),
    MaxFailureRatio: update.maxFailureRatio ?? 0,
    Order: update.order ?? '',
  };
}

function encodeEndpoint(
  endpoint: EndpointSpec | undefined,
): NonNullable<DockerServiceBody['EndpointSpec']> {
  return compact<NonNullable<DockerServiceBody['EndpointSpec']>>({
    Mode: endpoint?.mode,
    Ports: endpoint?.ports?.map((port) =>
      compact<DockerPort>({
        Name: port.name,
        Protocol: port.protocol,
        TargetPort: port.targetPort,
        PublishedPort: port.publishedPort,
        PublishMode: port.publishMode,
      }),
    ),
  });
}
