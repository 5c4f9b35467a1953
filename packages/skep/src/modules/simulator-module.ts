/**
 * Simulated hosts.
 */
import { clusterSettings, Cluster as ClusterKind, type DataplaneName } from '@skep/api';
import type { BehaviourOf } from '@skep/adapter-simulator';
import { Simulator } from '@skep/adapter-simulator';
import type { Store } from '@skep/store';
import { ContainerModule } from 'inversify';
import { identifiers } from '../identifiers.js';
import { wantedSettings, type ClusterOptions } from '../options.js';

/** Binds the simulator and what its containers do. */
export function simulatorModule(): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(identifiers.behaviour).toResolvedValue(behaviourOf, [identifiers.options]);
    bind(identifiers.simulator).toResolvedValue(
      (clock, random, manager, behaviour, logger, store, options) =>
        new Simulator({
          clock,
          random: random.fork('simulator'),
          link: manager.link,
          behaviour,
          logger,
          renderer: dataplaneOf(store, options),
        }),
      [
        identifiers.clock,
        identifiers.random,
        identifiers.manager,
        identifiers.behaviour,
        identifiers.logger,
        identifiers.store,
        identifiers.options,
      ],
    );
  });
}

/** A cluster that is stored already keeps its dataplane. */
function dataplaneOf(store: Store, options: ClusterOptions): DataplaneName {
  const [stored] = store.view().list(ClusterKind);
  return clusterSettings(stored?.spec ?? wantedSettings(options)).dataplane;
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
