/**
 * From compose files to Docker requests in one step.
 */
import type { Complaint } from './complaint.js';
import { loadCompose, type ComposeOptions } from './compose/loader.js';
import { convertCompose, type ConversionOptions, type ExternalObjects } from './convert/convert.js';
import type { DockerRequest } from './docker-api/types.js';
import type { SourceFile } from './yaml/source.js';

/** How compose files become requests. */
export interface StackRequestOptions extends ComposeOptions, ConversionOptions {}

/** What `docker stack deploy` would send. */
export interface StackRequests {
  /** Sorted by path, then name; empty when a complaint is an error. */
  readonly requests: readonly DockerRequest[];
  readonly externals: ExternalObjects;
  readonly complaints: readonly Complaint[];
}

/** Loads compose files and converts them to the requests that `docker stack deploy` would send. */
export function composeToDockerApi(
  files: readonly SourceFile[],
  options: StackRequestOptions = {},
): StackRequests {
  const loaded = loadCompose(files, options);
  if (loaded.config === undefined) {
    const externals = { networks: [], volumes: [], secrets: [], configs: [] };
    return { requests: [], externals, complaints: loaded.complaints };
  }
  const conversion = convertCompose(loaded.config, options);
  return {
    requests: conversion.requests.map(({ request }) => request),
    externals: conversion.externals,
    complaints: [...loaded.complaints, ...conversion.complaints],
  };
}
