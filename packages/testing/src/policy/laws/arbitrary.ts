/**
 * Random clusters: small, tight, and with everything in them that makes placing hard.
 */
import fc from 'fast-check';
import { requirementsOf } from '@skep/scheduler';
import type { NodeOptions, ServiceOptions } from '../build/options.js';
import { node } from '../build/node.js';
import { service } from '../build/service.js';
import type { LawDraft, Named } from './draft.js';

/** What random clusters are made of. */
export interface DraftOptions {
  /** Most nodes. Default: 5. */
  readonly nodesMax?: number;
  /** Most services that wait. Default: 4. */
  readonly servicesMax?: number;
  /** What nodes are like, for a policy that is about something special. */
  readonly node?: fc.Arbitrary<NodeOptions>;
  /** What services are like. */
  readonly service?: fc.Arbitrary<ServiceOptions>;
  /** What they are called, for a policy that knows some by name. Default: web, db, api, … */
  readonly serviceNames?: readonly string[];
}

/** An option that is there in so many of a hundred cases; a smaller case has fewer of them. */
function sometimes<T>(percent: number, value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof(
    { withCrossShrink: true },
    { arbitrary: fc.constant(undefined), weight: 100 - percent },
    { arbitrary: value, weight: percent },
  );
}

function present<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}

const ZONES = fc.constantFrom('a', 'b', 'c');
const cores = fc.integer({ min: 1, max: 4 });
const gibibytes = fc.integer({ min: 1, max: 4 }).map((count) => `${count}GiB`);

/** Nodes by default: little of everything, sometimes drained or down. */
const anyNode = fc
  .record({
    cpus: sometimes(60, cores),
    memory: sometimes(30, gibibytes),
    labels: sometimes(
      70,
      ZONES.map((zone) => ({ zone })),
    ),
    gpus: sometimes(30, fc.integer({ min: 1, max: 3 })),
    generic: sometimes(30, fc.constantFrom({ fpga: 2 }, { fpga: ['x', 'y', 'z'] })),
    availability: sometimes(8, fc.constantFrom('drain', 'pause')),
    state: sometimes(8, fc.constantFrom('down', 'disconnected')),
  })
  .map((options) => present(options) as NodeOptions);

/** Services by default: several tasks, and one or two demands. */
const anyService = fc
  .record({
    replicas: sometimes(70, fc.integer({ min: 2, max: 5 })),
    cpus: sometimes(45, fc.constantFrom(1, 0.5, 2, 3)),
    memory: sometimes(20, gibibytes),
    gpus: sometimes(12, fc.constantFrom(1, 2, 0.5, 0.3)),
    generic: sometimes(12, fc.constantFrom({ fpga: 1 }, { fpga: 2 })),
    constraints: sometimes(
      15,
      ZONES.chain((zone) =>
        fc.constantFrom(`node.labels.zone == ${zone}`, `node.labels.zone != ${zone}`),
      ),
    ),
    spread: sometimes(30, fc.constant('zone')),
    maxPerNode: sometimes(15, fc.integer({ min: 1, max: 2 })),
    hostPorts: sometimes(12, fc.constant([8080])),
  })
  .map((options) => present(options) as ServiceOptions);

const SERVICE_NAMES = ['web', 'db', 'api', 'cache', 'queue', 'batch', 'mail', 'auth'] as const;

/** Random clusters, from which a failing one is shrunk to its least. */
export function lawDrafts(options: DraftOptions = {}): fc.Arbitrary<LawDraft> {
  const { nodesMax = 5, servicesMax = 4, serviceNames = SERVICE_NAMES } = options;
  const { node: aNode = anyNode, service: aService = anyService } = options;
  const busy = fc.tuple(
    fc.nat(nodesMax - 1),
    fc.nat(servicesMax - 1),
    fc.integer({ min: 1, max: 2 }),
  );
  return fc
    .record({
      // Often all alike: many laws only bite where nodes are equal.
      nodes: fc.oneof(
        fc.array(aNode, { maxLength: nodesMax, size: 'max' }),
        fc
          .tuple(aNode, fc.integer({ min: 1, max: nodesMax }))
          .map(([one, count]) => Array.from({ length: count }, () => one)),
      ),
      services: fc.array(aService, { maxLength: servicesMax, size: 'max' }),
      busy: fc.array(busy, { maxLength: 3, size: 'max' }),
      extra: aNode,
    })
    .map(({ nodes, services, busy: places, extra }): LawDraft => {
      const named = nodes.map((one, at) => ({ name: `n${at + 1}`, options: one }));
      const wanted = services.map((one, at) => ({
        name: serviceName(serviceNames, at),
        options: one,
      }));
      return {
        nodes: named,
        services: wanted,
        running: runningOn(named, wanted, places),
        extra: { name: 'extra', options: extra },
      };
    });
}

function serviceName(names: readonly string[], at: number): string {
  const name = names[at % names.length] ?? 'service';
  return at < names.length ? name : `${name}${Math.floor(at / names.length) + 1}`;
}

type Places = readonly (readonly [node: number, service: number, count: number])[];

/** Some tasks of the services run already, where they fit. */
function runningOn(
  nodes: readonly Named<NodeOptions>[],
  services: readonly Named<ServiceOptions>[],
  places: Places,
): LawDraft['running'] {
  const running: Record<string, Named<ServiceOptions>[]> = {};
  for (const [nodeAt, serviceAt, count] of places) {
    const where = nodes[nodeAt];
    const which = services[serviceAt];
    if (where === undefined || which === undefined) continue;
    const list = running[where.name] ?? [];
    // Only cpu and memory: of other things it would have to be said which it was given.
    const { cpus, memory } = which.options;
    const options: ServiceOptions = {
      ...(count === 1 ? {} : { replicas: count }),
      ...(cpus === undefined ? {} : { cpus }),
      ...(memory === undefined ? {} : { memory }),
    };
    const isThere = list.some(({ name }) => name === which.name);
    if (isThere || !isFit(where, [...list, { name: which.name, options }])) continue;
    running[where.name] = [...list, { name: which.name, options }];
  }
  return running;
}

function isFit(where: Named<NodeOptions>, list: readonly Named<ServiceOptions>[]): boolean {
  const has = node(where.name, where.options).status.description?.resources;
  let cpuNanos = has?.cpuNanos ?? 0;
  let memoryBytes = has?.memoryBytes ?? 0;
  for (const { name, options } of list) {
    const needs = requirementsOf({ template: service(name, options).spec.task });
    cpuNanos -= needs.cpuNanos * (options.replicas ?? 1);
    memoryBytes -= needs.memoryBytes * (options.replicas ?? 1);
  }
  return cpuNanos >= 0 && memoryBytes >= 0;
}
