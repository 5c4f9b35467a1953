/**
 * The kinds that can be written in a manifest without further ado.
 */
import { Cluster, Config, Network, Node, Secret, Service, Volume, type AnyKind } from '@skep/api';
import {
  clusterSchema,
  configSchema,
  networkSchema,
  nodeSchema,
  secretSchema,
  volumeSchema,
} from './others.js';
import { serviceSchema } from './service.js';

/** The built-in kinds with their validators. Add custom kinds to this list, or leave some out. */
export const MANIFEST_KINDS: readonly AnyKind[] = Object.freeze([
  Object.freeze({ ...Cluster, schema: clusterSchema }),
  Object.freeze({ ...Config, schema: configSchema }),
  Object.freeze({ ...Network, schema: networkSchema }),
  Object.freeze({ ...Node, schema: nodeSchema }),
  Object.freeze({ ...Secret, schema: secretSchema }),
  Object.freeze({ ...Service, schema: serviceSchema }),
  Object.freeze({ ...Volume, schema: volumeSchema }),
]);
