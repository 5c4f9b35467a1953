/**
 * The store, and the kinds that it keeps.
 */
import {
  Cluster,
  Config,
  EndpointSlice,
  Event,
  Lease,
  Network,
  Node,
  Secret,
  Service,
  Task,
  Volume,
  type AnyKind,
  type Clock,
} from '@skep/api';
import { memoryStore } from '@skep/store';
import { ContainerModule } from 'inversify';
import { identifiers } from '../identifiers.js';
import type { ClusterOptions } from '../options.js';

/** Kinds that are always there. A plugin adds its own by binding `identifiers.kinds`. */
export const BUILT_IN_KINDS: readonly AnyKind[] = Object.freeze([
  Cluster,
  Node,
  Network,
  Service,
  Task,
  EndpointSlice,
  Secret,
  Config,
  Volume,
  Lease,
  Event,
]);

/** Binds the memory store, and the kinds that the options add. */
export function storeModule({ kinds: own = [] }: ClusterOptions = {}): ContainerModule {
  return new ContainerModule(({ bind }) => {
    for (const kind of [...BUILT_IN_KINDS, ...own]) bind(identifiers.kinds).toConstantValue(kind);
    bind(identifiers.store).toResolvedValue<[Clock, AnyKind[], ClusterOptions]>(
      (clock, kinds, options) => {
        const isChecked = options.checks ?? true;
        return memoryStore({
          clock,
          kinds,
          checks: {
            ownership: isChecked,
            freeze: isChecked,
            ...(options.ownership === undefined ? {} : { tables: options.ownership }),
          },
        });
      },
      [
        identifiers.clock,
        { isMultiple: true, serviceIdentifier: identifiers.kinds },
        identifiers.options,
      ],
    );
  });
}
