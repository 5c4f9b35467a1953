/**
 * Time, randomness, ids, logs and metrics of a simulated cluster: all from one seed.
 */
import { idSource, silentLogger, silentMetrics } from '@skep/api';
import { seededRandom, VirtualClock } from '@skep/api/virtual';
import { ContainerModule } from 'inversify';
import { identifiers } from '../identifiers.js';
import type { ClusterOptions } from '../options.js';

/** Binds the seams that everything else stands on. */
export function coreModule(options: ClusterOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(identifiers.options).toConstantValue(options);
    bind(identifiers.clock).toConstantValue(new VirtualClock());
    bind(identifiers.random).toConstantValue(seededRandom(options.seed ?? 1));
    bind(identifiers.ids).toResolvedValue(
      (random) => idSource(random.fork('ids')),
      [identifiers.random],
    );
    bind(identifiers.logger).toConstantValue(silentLogger);
    bind(identifiers.metrics).toConstantValue(silentMetrics);
  });
}
