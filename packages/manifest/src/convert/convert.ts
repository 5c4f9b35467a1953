/**
 * A compose stack as the requests that `docker stack deploy` sends.
 * **Source:** docker/cli `cli/command/stack/swarm/deploy_composefile.go`, `cli/compose/convert`.
 */
import { compareBy, compareText } from '@skep/api';
import type { Complaint } from '../complaint.js';
import { ComplaintCollector, type Place } from '../complaint.js';
import type { ComposeConfig, ComposeObject } from '../compose/model.js';
import { byteReader, type FileSource, type MissingFiles } from '../compose/read-file.js';
import type { DockerRequest, DockerVolumeBody } from '../docker-api/types.js';
import { convertClusterVolume } from './cluster-volume.js';
import { scopedName, type ConversionContext } from './context.js';
import { convertFileObject } from './files.js';
import { convertNetwork, usedNetworks } from './networks.js';
import { checkImage, convertService, type ConvertedService } from './service.js';

/** How a stack is converted. */
export interface ConversionOptions {
  /** Name of the stack, put before every name and into a label. Default: none. */
  readonly stack?: string;
  /** Gives the files of secrets and configs. Default: none exists. */
  readonly readFile?: FileSource;
  /** What becomes of files that cannot be read. Default: `error`. */
  readonly missingFiles?: MissingFiles;
  /** Ids of secrets by full name; undefined: it does not exist. Default: '' for all. */
  readonly secretId?: (name: string) => string | undefined;
  /** Ids of configs by full name; undefined: it does not exist. Default: '' for all. */
  readonly configId?: (name: string) => string | undefined;
  /**
   * Pass on what the Docker client reads and drops: the short `tmpfs`, the mode of a tmpfs, the
   * subpath of a volume, cluster volumes. Default: false.
   */
  readonly isComplete?: boolean;
}

/** Objects that a stack uses and does not make. Full names, sorted. */
export interface ExternalObjects {
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  readonly secrets: readonly string[];
  readonly configs: readonly string[];
}

/** A request with the place of the object in the file. */
export interface PlacedRequest {
  readonly request: DockerRequest;
  readonly place: Place;
  /** Key of the object in its section of the file. */
  readonly key: string;
  /** For services: more about where their parts come from. */
  readonly service?: ConvertedService;
}

/** The outcome of a conversion. */
export interface Conversion {
  /** Sorted by path, then name; empty when a complaint is an error. */
  readonly requests: readonly PlacedRequest[];
  readonly externals: ExternalObjects;
  readonly complaints: readonly Complaint[];
}

const comparePlaced = compareBy<PlacedRequest>(
  (a, b) => compareText(a.request.path, b.request.path),
  (a, b) => compareText(a.request.body.Name, b.request.body.Name),
);

/**
 * Converts a stack. What the manager judges (constraints, conflicts of ports, …) is not judged
 * here;
 * what the Docker client refuses is refused.
 */
export function convertCompose(config: ComposeConfig, options: ConversionOptions = {}): Conversion {
  const complaints = new ComplaintCollector();
  const context: ConversionContext = {
    config,
    stack: options.stack,
    isComplete: options.isComplete ?? false,
    secretId: options.secretId ?? (() => ''),
    configId: options.configId ?? (() => ''),
    readBytes: byteReader({ ...options, workingDirectory: config.workingDirectory }),
    complaints,
  };
  for (const service of config.services) checkImage(service, context);
  const requests = [
    ...networkRequests(context),
    ...fileRequests('secret', context),
    ...fileRequests('config', context),
    ...volumeRequests(context),
    ...serviceRequests(context),
  ];
  return {
    requests: complaints.errorCount > 0 ? [] : requests.sort(comparePlaced),
    externals: externalsOf(context),
    complaints: complaints.list(),
  };
}

function networkRequests(context: ConversionContext): readonly PlacedRequest[] {
  return usedNetworks(context.config.services).flatMap((key) => {
    const network = context.config.networks.get(key);
    if (network?.isExternal) return [];
    const body = convertNetwork(key, network, context);
    const place = network?.place ?? context.config.locate(['services']);
    return [{ request: { method: 'POST', path: '/networks/create', body }, place, key }];
  });
}

function fileRequests(
  what: 'secret' | 'config',
  context: ConversionContext,
): readonly PlacedRequest[] {
  const objects = what === 'secret' ? context.config.secrets : context.config.configs;
  return [...objects].flatMap(([key, object]) => {
    if (object.isExternal) return [];
    const body = convertFileObject(what, key, object, context);
    if (body === undefined) return [];
    const path = what === 'secret' ? '/secrets/create' : '/configs/create';
    return [{ request: { method: 'POST', path, body }, place: object.place, key }];
  });
}

function volumeRequests(context: ConversionContext): readonly PlacedRequest[] {
  return [...context.config.volumes].flatMap(([key, volume]) => {
    if (volume.cluster === undefined || volume.isExternal) return [];
    if (!context.isComplete) {
      const hint = 'create it with docker volume create';
      const message = `the cluster volume ${key} is not created by docker stack`;
      context.complaints.warn('ignored-option', volume.place, message, hint);
      return [];
    }
    const body: DockerVolumeBody = convertClusterVolume(key, volume, volume.cluster, context);
    return [
      { request: { method: 'POST', path: '/volumes/create', body }, place: volume.place, key },
    ];
  });
}

function serviceRequests(context: ConversionContext): readonly PlacedRequest[] {
  return context.config.services.map((service) => {
    const converted = convertService(service, context);
    return {
      request: { method: 'POST', path: '/services/create', body: converted.body },
      place: service.place,
      key: service.name,
      service: converted,
    };
  });
}

function externalsOf(context: ConversionContext): ExternalObjects {
  const { config } = context;
  const used = new Set(usedNetworks(config.services));
  const names = (objects: ReadonlyMap<string, ComposeObject>): readonly string[] =>
    [...objects]
      .filter(([, object]) => object.isExternal)
      .map(([key, object]) => object.name || scopedName(context, key))
      .sort(compareText);
  return {
    networks: names(new Map([...config.networks].filter(([key]) => used.has(key)))),
    volumes: names(config.volumes),
    secrets: names(config.secrets),
    configs: names(config.configs),
  };
}
