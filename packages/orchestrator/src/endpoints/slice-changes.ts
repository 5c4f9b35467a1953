/**
 * From the backends that a service should have in a network to changes of its slices.
 */
import {
  EndpointSlice,
  compareText,
  deriveId,
  newObject,
  withSpec,
  type Backend,
  type NetworkId,
  type ServiceId,
} from '@skep/api';
import type { Change } from '@skep/store';
import type { SliceIndex } from './slice-index.js';
import { layOutSlices } from './slice-layout.js';

/** What a network's slices should say. */
export interface WantedBackends {
  readonly serviceId: ServiceId;
  readonly serviceName: string;
  readonly networkId: NetworkId;
  /** In any order. Those that are listed as they should be are the very objects of their slices. */
  readonly backends: readonly Backend[];
  /** More tasks will come: an empty first slice stays rather than being made again. */
  readonly expectsMore: boolean;
}

/**
 * Changes that make the slices say what is wanted, those first that add backends: should the rest
 * have to wait for the next commit, a backend may be listed twice meanwhile, but never not at all.
 * An empty slice is deleted once its emptiness is in force.
 */
export function sliceChanges(wanted: WantedBackends, slices: SliceIndex): readonly Change[] {
  const present = slices.inNetwork(wanted.networkId);
  const byIndex = new Map(present.map((slice) => [slice.spec.index, slice]));
  const inUse = present.filter(({ spec }) => spec.backends.length > 0);
  const layout = layOutSlices(
    wanted.backends,
    inUse.map(({ spec }) => spec.index),
  );
  const indexes = [...new Set([...byIndex.keys(), ...layout.keys()])].sort((a, b) => a - b);
  const ranked = indexes.flatMap((index) => {
    const slice = byIndex.get(index);
    const backends = layout.get(index) ?? [];
    const change = changeOf({ slice, index, backends, wanted, slices });
    if (change === undefined) return [];
    return [{ change, rank: gains(slice, backends) ? 0 : 1 }];
  });
  return ranked.sort((a, b) => a.rank - b.rank).map(({ change }) => change);
}

function changeOf(input: {
  readonly slice: EndpointSlice | undefined;
  readonly index: number;
  readonly backends: readonly Backend[];
  readonly wanted: WantedBackends;
  readonly slices: SliceIndex;
}): Change | undefined {
  const { slice, index, backends, wanted, slices } = input;
  const { serviceId, serviceName, networkId } = wanted;
  if (slice !== undefined && isSame(slice, backends, slices)) {
    if (backends.length > 0 || (index === 0 && wanted.expectsMore)) return undefined;
    if (!slices.isInForce(networkId, slice.meta.version)) return undefined;
    const { id, version } = slice.meta;
    return { type: 'delete', kind: EndpointSlice.name, id, version };
  }
  const written = backends
    .map((backend) => stamp(backend, networkId, slices))
    .sort((a, b) => compareText(a.taskId, b.taskId));
  const spec = { serviceId, networkId, index, backends: written };
  if (slice !== undefined) return { type: 'update', object: withSpec(slice, spec) };
  const object = newObject(EndpointSlice, {
    id: deriveId('slice', serviceId, networkId, index),
    name: serviceName,
    owners: [{ kind: 'Service', id: serviceId }],
    spec,
  });
  return { type: 'create', object };
}

/** Remembers from which version on the tables knew that the backend drains. */
function stamp(backend: Backend, networkId: NetworkId, slices: SliceIndex): Backend {
  if (backend.state !== 'draining') return backend;
  const before = slices.listing(networkId, backend.taskId);
  if (before?.backend.state !== 'draining') return backend;
  const drainingSince = before.backend.drainingSince ?? before.slice.meta.version;
  return { ...backend, drainingSince };
}

/** Whether the slice lists exactly these. */
function isSame(slice: EndpointSlice, wanted: readonly Backend[], slices: SliceIndex): boolean {
  const { backends, networkId } = slice.spec;
  return (
    backends.length === wanted.length &&
    wanted.every((backend) => {
      const listing = slices.listing(networkId, backend.taskId);
      return listing?.backend === backend && listing.slice === slice;
    })
  );
}

function gains(slice: EndpointSlice | undefined, wanted: readonly Backend[]): boolean {
  if (slice === undefined) return true;
  const present = new Set(slice.spec.backends.map(({ taskId }) => taskId));
  return wanted.some(({ taskId }) => !present.has(taskId));
}
