/**
 * Tasks wake the owner of their service.
 */
import { Service, Task, type AnyKind } from '@skep/api';
import type { Watch } from '@skep/controller';

/** For controllers that have to know how the tasks of the services they made are doing. */
export function tasksOfOwnedServices(owner: AnyKind): Watch {
  return {
    kind: Task,
    keys: ({ object }, view) => {
      const { serviceId } = (object as Task).spec;
      const service = serviceId === undefined ? undefined : view.get(Service, serviceId);
      return (service?.meta.owners ?? [])
        .filter(({ kind, isController }) => kind === owner.name && isController === true)
        .map(({ id }) => id);
    },
  };
}
