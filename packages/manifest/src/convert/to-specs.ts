/**
 * A compose stack as our objects.
 */
import type { ServiceSpec } from '@skep/api';
import type { Complaint } from '../complaint.js';
import type { ComposeConfig } from '../compose/model.js';
import { fromDockerApi } from '../docker-api/codec.js';
import type { LoadedObject } from '../manifest/objects.js';
import {
  convertCompose,
  type ConversionOptions,
  type ExternalObjects,
  type PlacedRequest,
} from './convert.js';
import { placeOfNetworkField, placeOfServiceField } from './spec-places.js';

/** How a stack becomes objects: as it is converted for Docker, but complete, and without ids. */
export type SpecOptions = Omit<ConversionOptions, 'isComplete' | 'secretId' | 'configId'>;

/** Our objects of a stack. */
export interface StackSpecs {
  /** Networks, secrets, configs, volumes and services; empty when a complaint is an error. */
  readonly objects: readonly LoadedObject[];
  readonly externals: ExternalObjects;
  readonly complaints: readonly Complaint[];
}

/**
 * Converts a stack to services, networks, secrets, configs and cluster volumes. References between
 * them are by name; ids are left empty. What the manager judges is not judged here.
 */
export function toSpecs(config: ComposeConfig, options: SpecOptions = {}): StackSpecs {
  const conversion = convertCompose(config, { ...options, isComplete: true });
  return {
    objects: conversion.requests.map((placed) => loadedObject(placed, config)),
    externals: conversion.externals,
    complaints: conversion.complaints,
  };
}

function loadedObject(placed: PlacedRequest, config: ComposeConfig): LoadedObject {
  const { request, place, key, service } = placed;
  const object = fromDockerApi(request);
  if (object.kind === 'Service' && service) {
    return {
      ...object,
      spec: withAddresses(object.spec, service.addresses),
      place,
      locate: (steps) => placeOfServiceField(service, config, steps),
    };
  }
  if (object.kind === 'Network') {
    return { ...object, place, locate: (steps) => placeOfNetworkField(key, config, steps) };
  }
  return { ...object, place, locate: () => place };
}

/** Static addresses have no field in the Docker API, but one in our specs. */
function withAddresses(spec: ServiceSpec, addresses: readonly (readonly string[])[]): ServiceSpec {
  if (addresses.every((list) => list.length === 0)) return spec;
  const networks = (spec.task.networks ?? []).map((network, index) => {
    const own = addresses[index] ?? [];
    return own.length === 0 ? network : { ...network, addresses: own };
  });
  return { ...spec, task: { ...spec.task, networks } };
}
