/** Stack files and skep manifests become specs, with a place for every complaint. */
export {
  COMPLAINTS_MAX,
  COMPLAINT_CODES,
  compareComplaints,
  formatComplaint,
  isAcceptable,
} from './complaint.js';
export type { Complaint, ComplaintCode, PathStep, Place } from './complaint.js';
export { loadCompose } from './compose/loader.js';
export type { ComposeOptions, LoadedCompose } from './compose/loader.js';
export type {
  ComposeAttachment,
  ComposeClusterVolume,
  ComposeConfig,
  ComposeDeploy,
  ComposeFileObject,
  ComposeFileReference,
  ComposeHealthCheck,
  ComposeMount,
  ComposeNetwork,
  ComposeObject,
  ComposePort,
  ComposeResources,
  ComposeRestartPolicy,
  ComposeService,
  ComposeUlimit,
  ComposeUpdate,
  ComposeVolume,
  TextMap,
} from './compose/model.js';
export type { FileSource, MissingFiles } from './compose/read-file.js';
export { IMAGE_LABEL, STACK_LABEL } from './convert/context.js';
export { convertCompose } from './convert/convert.js';
export type {
  Conversion,
  ConversionOptions,
  ExternalObjects,
  PlacedRequest,
} from './convert/convert.js';
export type { ConvertedService } from './convert/service.js';
export { toSpecs } from './convert/to-specs.js';
export type { SpecOptions, StackSpecs } from './convert/to-specs.js';
export { fromDockerApi, toDockerApi } from './docker-api/codec.js';
export type { DeclaredObject, DockerObject } from './docker-api/codec.js';
export type {
  DockerAttachment,
  DockerConfigReference,
  DockerContainerSpec,
  DockerDriver,
  DockerFileBody,
  DockerFileTarget,
  DockerGenericResource,
  DockerHealthCheck,
  DockerMap,
  DockerMount,
  DockerNetworkBody,
  DockerPort,
  DockerPrivileges,
  DockerRequest,
  DockerRequestOf,
  DockerSecretReference,
  DockerServiceBody,
  DockerTaskSpec,
  DockerTopology,
  DockerUpdateConfig,
  DockerVolumeBody,
} from './docker-api/types.js';
export { MANIFEST_KINDS } from './kinds/built-in.js';
export { API_VERSION } from './manifest/envelope.js';
export { toJsonSchema } from './manifest/json-schema.js';
export type { JsonSchema } from './manifest/json-schema.js';
export { loadManifests } from './manifest/load.js';
export type { LoadedManifests, ManifestOptions } from './manifest/load.js';
export type { LoadedObject } from './manifest/objects.js';
export { composeToDockerApi } from './stack.js';
export type { StackRequestOptions, StackRequests } from './stack.js';
export { familiarImage, imageFault } from './text/image-reference.js';
export { nearestName } from './text/nearest-name.js';
export { readYaml } from './yaml/read.js';
export type { PlainFile } from './yaml/read.js';
export { READ_LIMITS } from './yaml/source.js';
export type { ReadLimits, SourceFile } from './yaml/source.js';
export { writeYaml } from './yaml/write.js';
