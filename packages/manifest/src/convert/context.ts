/**
 * What every part of the conversion from a compose file to the Docker API shares.
 */
import type { ComplaintCollector, PathStep, Place } from '../complaint.js';
import type { ComposeConfig } from '../compose/model.js';
import type { DockerMap } from '../docker-api/types.js';

/** How objects are named and labelled, and what the conversion may ask. */
export interface ConversionContext {
  readonly config: ComposeConfig;
  /** Name of the stack; undefined leaves names bare and sets no labels. */
  readonly stack: string | undefined;
  /** Whether to pass on what the Docker client reads and drops (`tmpfs`, static addresses, …). */
  readonly isComplete: boolean;
  /** Id of an existing secret by its full name; undefined when there is none. */
  readonly secretId: (name: string) => string | undefined;
  /** Id of an existing config by its full name; undefined when there is none. */
  readonly configId: (name: string) => string | undefined;
  readonly readBytes: (path: string) => Uint8Array | undefined;
  readonly complaints: ComplaintCollector;
}

/** Label that every object of a stack carries. */
export const STACK_LABEL = 'com.docker.stack.namespace';
/** Label that holds the image as it was written. */
export const IMAGE_LABEL = 'com.docker.stack.image';

/** The name within the stack: `STACK_name`, or the bare name where there is no stack. */
export function scopedName(context: ConversionContext, name: string): string {
  return context.stack === undefined ? name : `${context.stack}_${name}`;
}

/** Labels with that of the stack, and with `more`. */
export function stackLabels(
  context: ConversionContext,
  labels: ReadonlyMap<string, string>,
  more: readonly (readonly [string, string])[] = [],
): DockerMap {
  const stack = context.stack === undefined ? [] : [[STACK_LABEL, context.stack] as const, ...more];
  const pairs = [...new Map([...labels, ...stack])];
  return Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** Where a field of a service was written. */
export function placeInService(
  context: ConversionContext,
  service: string,
  ...steps: readonly PathStep[]
): Place {
  return context.config.locate(['services', service, ...steps]);
}
