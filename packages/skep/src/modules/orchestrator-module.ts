/**
 * The control plane: the scheduling policy, the controllers, the manager.
 */
import type { Clock, Logger, Metrics, Random } from '@skep/api';
import { ReconcileTrace, type ControllerDefinition } from '@skep/controller';
import { createManager } from '@skep/orchestrator';
import { swarmPolicy, type Policy } from '@skep/scheduler';
import type { Store } from '@skep/store';
import { ContainerModule } from 'inversify';
import { identifiers } from '../identifiers.js';
import { wantedSettings, type ClusterOptions } from '../options.js';

type Dependencies = [
  Store,
  Clock,
  Random,
  Logger,
  Metrics,
  Policy,
  ControllerDefinition[] | undefined,
  ClusterOptions,
];

/**
 * Binds the manager, and the controllers that the options add. They and those bound by plugins run
 * with the built-in ones, or replace them.
 */
export function orchestratorModule({
  controllers: own = [],
}: ClusterOptions = {}): ContainerModule {
  return new ContainerModule(({ bind }) => {
    for (const controller of own) bind(identifiers.controllers).toConstantValue(controller);
    bind(identifiers.policy).toResolvedValue(() => swarmPolicy(), []);
    bind(identifiers.manager).toResolvedValue<Dependencies>(
      (store, clock, random, logger, metrics, policy, controllers, options) =>
        createManager({
          store,
          clock,
          random: random.fork('manager'),
          logger,
          metrics,
          policy,
          controllers: controllers ?? [],
          cluster: wantedSettings(options),
          ...traceOf(options),
        }),
      [
        identifiers.store,
        identifiers.clock,
        identifiers.random,
        identifiers.logger,
        identifiers.metrics,
        identifiers.policy,
        { isMultiple: true, optional: true, serviceIdentifier: identifiers.controllers },
        identifiers.options,
      ],
    );
  });
}

function traceOf({ trace = false }: ClusterOptions): { readonly trace?: ReconcileTrace } {
  if (trace === false) return {};
  return { trace: new ReconcileTrace(trace === true ? {} : trace) };
}
