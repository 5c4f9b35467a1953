/**
 * Simulated hosts.
 */
import type { BehaviourOf } from '@skep/adapter-simulator';
import { Simulator } from '@skep/adapter-simulator';
import { ContainerModule } from 'inversify';
import { identifiers } from '../identifiers.js';
import type { ClusterOptions } from '../options.js';

/** Binds the simulator and what its containers do. */
export function simulatorModule(): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(identifiers.behaviour).toResolvedValue(behaviourOf, [identifiers.options]);
    bind(identifiers.simulator).toResolvedValue(
      (clock, random, manager, behaviour, logger) =>
        new Simulator({
          clock,
          random: random.fork('simulator'),
          link: manager.link,
          behaviour,
          logger,
        }),
      [
        identifiers.clock,
        identifiers.random,
        identifiers.manager,
        identifiers.behaviour,
        identifiers.logger,
      ],
    );
  });
}

/** The behaviour that the options ask for: a function as it is, a record by image name. */
function behaviourOf({ behaviour }: ClusterOptions): BehaviourOf {
  if (typeof behaviour === 'function') return behaviour;
  const byImage = behaviour ?? {};
  return (task) => {
    const image = task.template.container?.image ?? '';
    return byImage[image] ?? byImage[withoutTag(image)] ?? {};
  };
}

/** `registry:5000/web:1@sha256:…` → `registry:5000/web`. */
function withoutTag(image: string): string {
  const [name = ''] = image.split('@');
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name;
}
