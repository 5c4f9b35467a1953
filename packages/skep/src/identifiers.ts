/**
 * The service identifiers of skep's composition root: what a plugin may replace or add to.
 *
 * They are made by `Symbol.for`, so that the ES module and the CommonJS copy of the package agree.
 */
import type { AnyKind, Clock, IdSource, Logger, Metrics, Random } from '@skep/api';
import type { BehaviourOf, Simulator } from '@skep/adapter-simulator';
import type { ControllerDefinition } from '@skep/controller';
import type { Manager } from '@skep/orchestrator';
import type { Policy } from '@skep/scheduler';
import type { Store } from '@skep/store';
import type { ServiceIdentifier } from 'inversify';
import type { ClusterOptions } from './options.js';

/** Identifier of something of type `T`. */
function identifier<T>(name: string): ServiceIdentifier<T> {
  return Symbol.for(`@skep/${name}`);
}

/** Everything that can be bound. `kinds` and `controllers` are lists: bind as many as you like. */
export const identifiers = Object.freeze({
  options: identifier<ClusterOptions>('Options'),
  clock: identifier<Clock>('Clock'),
  random: identifier<Random>('Random'),
  ids: identifier<IdSource>('IdSource'),
  logger: identifier<Logger>('Logger'),
  metrics: identifier<Metrics>('Metrics'),
  kinds: identifier<AnyKind>('Kind'),
  controllers: identifier<ControllerDefinition>('Controller'),
  policy: identifier<Policy>('Policy'),
  store: identifier<Store>('Store'),
  manager: identifier<Manager>('Manager'),
  behaviour: identifier<BehaviourOf>('Behaviour'),
  simulator: identifier<Simulator>('Simulator'),
});
