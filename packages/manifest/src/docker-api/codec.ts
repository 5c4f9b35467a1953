/**
 * Whole objects between the Docker API and ours.
 */
import {
  compareBy,
  compareText,
  type ConfigSpec,
  type Labels,
  type NetworkSpec,
  type SecretSpec,
  type ServiceSpec,
  type VolumeSpec,
} from '@skep/api';
import { decodeService } from './decode-service.js';
import { encodeService } from './encode-service.js';
import {
  decodeConfig,
  decodeNetwork,
  decodeSecret,
  decodeVolume,
  encodeFileObject,
  encodeNetwork,
  encodeVolume,
} from './objects.js';
import type { DockerRequest } from './types.js';

/** An object as its writer declares it: no id, no status. */
export interface DeclaredObject<Kind extends string = string, Spec = unknown> {
  readonly kind: Kind;
  readonly name: string;
  readonly labels: Labels;
  readonly annotations?: Labels;
  readonly spec: Spec;
}

/** The kinds that the Docker API can create. */
export type DockerObject =
  | DeclaredObject<'Service', ServiceSpec>
  | DeclaredObject<'Network', NetworkSpec>
  | DeclaredObject<'Volume', VolumeSpec>
  | DeclaredObject<'Secret', SecretSpec>
  | DeclaredObject<'Config', ConfigSpec>;

/**
 * The object that a request creates. `toDockerApi` of it gives the request back, for every request
 * that the Docker client sends; exceptions: a mount without a type comes back as a volume, and
 * times below a nanosecond are rounded.
 */
export function fromDockerApi(request: DockerRequest): DockerObject {
  switch (request.path) {
    case '/services/create':
      return { kind: 'Service', ...decodeService(request.body) };
    case '/networks/create':
      return objectOf('Network', request.body, decodeNetwork(request.body));
    case '/secrets/create':
      return objectOf('Secret', request.body, decodeSecret(request.body));
    case '/configs/create':
      return objectOf('Config', request.body, decodeConfig(request.body));
    case '/volumes/create':
      return objectOf('Volume', request.body, decodeVolume(request.body));
  }
}

function objectOf<Kind extends string, Spec>(
  kind: Kind,
  body: { readonly Name: string; readonly Labels?: Labels | null },
  spec: Spec,
): DeclaredObject<Kind, Spec> {
  return { kind, name: body.Name, labels: body.Labels ?? {}, spec };
}

const compareRequests = compareBy<DockerRequest>(
  (a, b) => compareText(a.path, b.path),
  (a, b) => compareText(a.body.Name, b.body.Name),
);

/** The requests that create the objects, sorted by path, then name. Annotations are left out. */
export function toDockerApi(objects: readonly DockerObject[]): readonly DockerRequest[] {
  return objects.map(requestOf).sort(compareRequests);
}

function requestOf(object: DockerObject): DockerRequest {
  const { name, labels } = object;
  const method = 'POST' as const;
  switch (object.kind) {
    case 'Service':
      return { method, path: '/services/create', body: encodeService(name, labels, object.spec) };
    case 'Network':
      return { method, path: '/networks/create', body: encodeNetwork(name, labels, object.spec) };
    case 'Volume':
      return { method, path: '/volumes/create', body: encodeVolume(name, labels, object.spec) };
    case 'Secret':
      return { method, path: '/secrets/create', body: encodeFileObject(name, labels, object.spec) };
    case 'Config':
      return { method, path: '/configs/create', body: encodeFileObject(name, labels, object.spec) };
  }
}
