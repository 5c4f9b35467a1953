/**
 * A compose service as the Docker API wants it.
 * **Source:** docker/cli `cli/compose/convert/service.go`.
 */
import { compareText } from '@skep/api';
import type { Place } from '../complaint.js';
import type { ComposeService } from '../compose/model.js';
import { compact, defined, filledRecord } from '../docker-api/fields.js';
import type {
  DockerConfigReference,
  DockerContainerSpec,
  DockerPort,
  DockerPrivileges,
  DockerServiceBody,
  DockerTaskSpec,
} from '../docker-api/types.js';
import { familiarImage, imageFault } from '../text/image-reference.js';
import { effectiveCapabilities } from './capabilities.js';
import {
  IMAGE_LABEL,
  placeInService,
  scopedName,
  stackLabels,
  type ConversionContext,
} from './context.js';
import { convertConfigs, convertSecrets } from './files.js';
import { convertMounts } from './mounts.js';
import { convertAttachments } from './networks.js';
import {
  convertHealthCheck,
  convertMode,
  convertResources,
  convertRestartPolicy,
  convertUpdate,
} from './resources.js';

/** A converted service, with what the Docker API has no place for. */
export interface ConvertedService {
  readonly body: DockerServiceBody;
  readonly service: ComposeService;
  /** Static addresses by the index of the attachment. */
  readonly addresses: readonly (readonly string[])[];
  /** Where the ports, mounts and attachments come from, by their index. */
  readonly places: {
    readonly ports: readonly Place[];
    readonly mounts: readonly Place[];
    readonly networks: readonly Place[];
  };
}

/** Complains about an image that is missing or malformed. */
export function checkImage(service: ComposeService, context: ConversionContext): void {
  if (service.image === '') {
    const hint = 'add image: name:tag; images are not built here';
    const message = `the service ${service.name} has no image`;
    context.complaints.error('missing-image', service.place, message, hint);
    return;
  }
  const fault = imageFault(service.image);
  if (fault === undefined) return;
  const place = placeInService(context, service.name, 'image');
  const message = `'${service.image}' is not a valid image reference: ${fault}`;
  context.complaints.error('invalid-image', place, message, 'write [registry/]name[:tag]');
}

/** Converts a service. Faults are complaints; what can be converted is. */
export function convertService(
  service: ComposeService,
  context: ConversionContext,
): ConvertedService {
  const mounts = convertMounts(service, context);
  const attachments = convertAttachments(service, context);
  const ports = sortedPorts(service);
  const { deploy } = service;
  const body = defined<DockerServiceBody>({
    Name: scopedName(context, service.name),
    Labels: stackLabels(context, deploy.labels, [[IMAGE_LABEL, service.image]]),
    TaskTemplate: defined<DockerTaskSpec>({
      ContainerSpec: convertContainer(
        service,
        mounts.map(({ mount }) => mount),
        context,
      ),
      Resources: convertResources(service, context),
      RestartPolicy: convertRestartPolicy(service, context),
      Placement: convertPlacement(service),
      Networks: attachments.map(({ attachment }) => attachment),
      LogDriver:
        service.logging &&
        compact({
          Name: service.logging.driver,
          Options: filledRecord(service.logging.options),
        }),
      ForceUpdate: 0,
    }),
    Mode: convertMode(service, context),
    UpdateConfig: convertUpdate(deploy.update),
    RollbackConfig: convertUpdate(deploy.rollback),
    EndpointSpec: compact({
      Mode: deploy.endpointMode.toLowerCase(),
      Ports: ports.map(({ port }) => port),
    }),
  });
  return {
    body,
    service,
    addresses: attachments.map(({ addresses }) => addresses),
    places: {
      ports: ports.map(({ place }) => place),
      mounts: mounts.map(
        ({ source }) => source?.place ?? placeInService(context, service.name, 'tmpfs'),
      ),
      networks: attachments.map(({ key }) => service.networks.get(key)?.place ?? service.place),
    },
  };
}

function sortedPorts(service: ComposeService): readonly { port: DockerPort; place: Place }[] {
  return service.ports
    .map((port) => ({
      port: compact<DockerPort>({
        Name: port.name,
        Protocol: port.protocol,
        TargetPort: port.target,
        PublishedPort: port.published,
        PublishMode: port.mode,
      }),
      place: port.place,
    }))
    .sort((a, b) => (a.port.PublishedPort ?? 0) - (b.port.PublishedPort ?? 0));
}

function convertPlacement(service: ComposeService): NonNullable<DockerTaskSpec['Placement']> {
  const { deploy, platform } = service;
  const [os = '', architecture = ''] = platform.split('/');
  return compact({
    Constraints: deploy.constraints,
    Preferences: deploy.preferences.map((spread) => ({
      Spread: { SpreadDescriptor: spread },
    })),
    MaxReplicas: deploy.maxReplicas,
    Platforms: platform === '' ? [] : [compact({ Architecture: architecture, OS: os })],
  });
}

function convertContainer(
  service: ComposeService,
  mounts: NonNullable<DockerContainerSpec['Mounts']>,
  context: ConversionContext,
): DockerContainerSpec {
  const capabilities = effectiveCapabilities(service.capabilityAdd, service.capabilityDrop);
  const labels = stackLabels(context, service.labels);
  const configs = convertConfigs(service, context);
  const hasDns = service.dns.length > 0 || service.dnsSearch.length > 0;
  const fields = compact<DockerContainerSpec>({
    Image: familiarImage(service.image),
    Labels: Object.keys(labels).length === 0 ? undefined : labels,
    Command: service.entrypoint,
    Args: service.command,
    Hostname: service.hostname,
    Env: convertEnvironment(service.environment),
    Dir: service.workingDirectory,
    User: service.user,
    Groups: service.groups,
    Privileges: convertPrivileges(service, configs, context),
    StopSignal: service.stopSignal,
    TTY: service.hasTty,
    OpenStdin: service.opensStdin,
    ReadOnly: service.isReadOnly,
    Mounts: mounts,
    Healthcheck: convertHealthCheck(service, context),
    Hosts: service.extraHosts.map((line) => {
      const colon = line.indexOf(':');
      return `${line.slice(colon + 1)} ${line.slice(0, colon)}`;
    }),
    DNSConfig: hasDns
      ? compact({ Nameservers: service.dns, Search: service.dnsSearch })
      : undefined,
    Secrets: convertSecrets(service, context),
    Configs: configs,
    Isolation: service.isolation,
    Sysctls: filledRecord(service.sysctls),
    CapabilityAdd: capabilities.add,
    CapabilityDrop: capabilities.drop,
    Ulimits: convertUlimits(service),
    OomScoreAdj: service.oomScoreAdjustment,
  });
  // These two are sent even when they are false or 0.
  const { hasInit, stopGracePeriod } = service;
  return {
    ...fields,
    ...(hasInit === undefined ? {} : { Init: hasInit }),
    ...(stopGracePeriod === undefined ? {} : { StopGracePeriod: stopGracePeriod }),
  };
}

function convertEnvironment(environment: ComposeService['environment']): readonly string[] {
  return [...environment]
    .map(([name, value]) => (value === undefined ? name : `${name}=${value}`))
    .sort(compareText);
}

function convertUlimits(service: ComposeService): NonNullable<DockerContainerSpec['Ulimits']> {
  return [...service.ulimits]
    .sort(([a], [b]) => compareText(a, b))
    .map(([name, limit]) => ({
      Name: name,
      Hard: limit.single !== 0 ? limit.single : limit.hard,
      Soft: limit.single !== 0 ? limit.single : limit.soft,
    }));
}

function convertPrivileges(
  service: ComposeService,
  configs: readonly DockerConfigReference[],
  context: ConversionContext,
): DockerPrivileges {
  const { config, file, registry } = service.credentialSpec;
  const given = [config, file, registry].filter((text) => text !== '');
  const none = { SELinuxContext: null, NoNewPrivileges: false };
  if (given.length === 0) return { CredentialSpec: null, ...none };
  if (given.length > 1) {
    const place = placeInService(context, service.name, 'credential_spec');
    const message = 'config, file and registry exclude each other';
    context.complaints.error('invalid-credential-spec', place, message, 'keep one of them');
  }
  const name = context.config.configs.get(config)?.name || scopedName(context, config);
  const reference =
    configs.find((candidate) => candidate.ConfigName === config) ??
    configs.find((candidate) => candidate.ConfigName === name);
  return {
    CredentialSpec: {
      Config: config === '' ? '' : (reference?.ConfigID ?? ''),
      File: file,
      Registry: registry,
    },
    ...none,
  };
}
