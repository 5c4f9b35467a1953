/**
 * Time, randomness, ids, logs, metrics, kinds and policy of a live cluster.
 */
import { idSource, silentLogger, silentMetrics } from '@skep/api';
import { systemClock, systemRandom } from '@skep/api/system';
import { ContainerModule } from 'inversify';
import { identifiers } from '../identifiers.js';
import type { LiveOptions } from '../live-options.js';
import { BUILT_IN_KINDS } from './store-module.js';

/** Binds the seams that a live cluster stands on: the machine's, unless the options say others. */
export function liveModule(options: LiveOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    const { cluster, dataplane, trace } = options;
    bind(identifiers.options).toConstantValue({
      ...(cluster === undefined ? {} : { cluster }),
      ...(dataplane === undefined ? {} : { dataplane }),
      ...(trace === undefined ? {} : { trace }),
    });
    bind(identifiers.clock).toConstantValue(options.clock ?? systemClock());
    bind(identifiers.random).toConstantValue(options.random ?? systemRandom());
    bind(identifiers.ids).toResolvedValue(
      (random) => idSource(random.fork('ids')),
      [identifiers.random],
    );
    bind(identifiers.logger).toConstantValue(options.logger ?? silentLogger);
    bind(identifiers.metrics).toConstantValue(options.metrics ?? silentMetrics);
    const kinds = options.store?.kinds ?? [...BUILT_IN_KINDS, ...(options.kinds ?? [])];
    for (const kind of kinds) bind(identifiers.kinds).toConstantValue(kind);
  });
}
