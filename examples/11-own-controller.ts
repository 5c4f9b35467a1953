/**
 * How do I add a kind of object, and a controller that acts on it?
 *
 * A controller is a name, what wakes it, and a pure `plan`: the view, the key of an object and the
 * time go in, changes come out. This one lets a service run fewer replicas at night. First alone on
 * a memory store, as a test would run it; then as a plugin of a cluster, declared in a file.
 *
 * Prints:
 *   00:00 web wants { type: 'replicated', replicas: 2 }
 *   06:00 web wants { type: 'replicated', replicas: 6 }
 *   22:00 web wants { type: 'replicated', replicas: 2 }
 *   01:00 tasks of shop: 1
 *   07:00 tasks of shop: 4
 */
import { ACTORS, defineKind, newObject, Service, wantedReplicas, withSpec } from '@skep/api';
import { seededRandom, VirtualClock } from '@skep/api/virtual';
import { ControllerGroup, create, defineController, noChanges, update } from '@skep/controller';
import { memoryStore } from '@skep/store';
import { ContainerModule } from 'inversify';
import { createCluster, identifiers } from 'skep';

type NightRestSpec = { service: string; day: number; night: number };
const NightRest = defineKind<NightRestSpec, object>({ name: 'NightRest', initialStatus: {} });

const HOUR_MS = 3_600_000;
const hourOf = (time: number): number => Math.floor(time / HOUR_MS) % 24;
const timeOf = (clock: VirtualClock): string => `${hourOf(clock.now())}:00`.padStart(5, '0');

const nightRest = defineController({
  name: 'night-rest',
  // It does what a person could do: the store checks who may write which field.
  actor: ACTORS.user,
  for: NightRest,
  watches: [{ kind: Service, keys: (_, view) => view.list(NightRest).map(({ meta }) => meta.id) }],
  plan: (view, key, now) => {
    const rest = view.get(NightRest, key);
    const service = view.getByName(Service, rest?.spec.service ?? '');
    if (rest === undefined || service === undefined) return noChanges;
    const isDay = hourOf(now) >= 6 && hourOf(now) < 22;
    const replicas = isDay ? rest.spec.day : rest.spec.night;
    const requeueAt = (Math.floor(now / HOUR_MS) + 1) * HOUR_MS;
    if (wantedReplicas(service.spec) === replicas) return { changes: [], requeueAt };
    const spec = { ...service.spec, mode: { type: 'replicated', replicas } as const };
    return { changes: [update(withSpec(service, spec))], requeueAt };
  },
});

// Alone: a store, a clock, the controller. Virtual time starts at midnight.
const clock = new VirtualClock();
const store = memoryStore({ clock, kinds: [Service, NightRest] });
const group = new ControllerGroup({ store, clock, random: seededRandom(1) }).add(nightRest);
await group.start();
const web = newObject(Service, { id: 'web', name: 'web', spec: { task: {} } });
const rest = newObject(NightRest, { id: 'rest', spec: { service: 'web', day: 6, night: 2 } });
await store.commit({ actor: ACTORS.user, changes: [create(web), create(rest)] });
for (const hours of [0, 6, 16]) {
  await clock.advance(hours * HOUR_MS);
  console.log(`${timeOf(clock)} web wants`, store.view().get(Service, 'web')?.spec.mode);
}
await group.stop();

// The same in a cluster.
const plugin = new ContainerModule(({ bind }) => {
  bind(identifiers.kinds).toConstantValue(NightRest);
  bind(identifiers.controllers).toConstantValue(nightRest);
});
const cluster = await createCluster({ plugins: [plugin] });
await cluster.apply('services: { shop: { image: example/shop:1 } }');
await cluster.apply(`
apiVersion: skep/v1
kind: NightRest
metadata: { name: shop }
spec: { service: shop, day: 4, night: 1 }
`);
for (const hours of [1, 6]) {
  await cluster.advance(hours * HOUR_MS);
  console.log(`${timeOf(cluster.clock)} tasks of shop: ${cluster.tasks('shop').length}`);
}
await cluster.stop();
