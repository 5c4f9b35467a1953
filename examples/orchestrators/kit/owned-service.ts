/**
 * How a controller makes a service of its own: as the front door would, and with an owner.
 */
import { ACTORS, newObject, Service } from '@skep/api';
import type { Labels, ObjectId, ServiceSpec, StoredObject } from '@skep/api';
import { create } from '@skep/controller';
import { admit } from '@skep/orchestrator';
import type { Change, View } from '@skep/store';

/** What a controller says about a service; the id should follow from its cause. */
export interface OwnedServiceInput {
  readonly id: ObjectId;
  readonly name: string;
  readonly labels?: Labels;
  readonly spec: ServiceSpec;
}

/**
 * The change that creates the service, or why the front door would not let it in (a bad image name,
 * a name that is taken).
 */
export function createOwnedService(
  view: View,
  owner: StoredObject,
  input: OwnedServiceInput,
): { readonly change: Change } | { readonly fault: string } {
  const service = newObject(Service, {
    ...input,
    owners: [{ kind: owner.kind, id: owner.meta.id, isController: true }],
    // Without them the service would vanish while its tasks still run and hold addresses.
    finalizers: [ACTORS.orchestrator, ACTORS.allocator],
  });
  const change = create(service);
  const [complaint] = admit(view, change);
  if (complaint === undefined) return { change };
  return { fault: `${complaint.field}: ${complaint.message}; ${complaint.hint}` };
}
