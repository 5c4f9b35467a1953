/**
 * What to say about fields that people expect in a service and that are not there.
 */

/** Advice for fields of a service that the format does not have. */
export const UNKNOWN_FIELD_HINTS: ReadonlyMap<string, string> = new Map([
  ['scale', 'use deploy.replicas'],
  ['cpus', 'use deploy.resources.limits.cpus'],
  ['cpu_count', 'use deploy.resources.limits.cpus'],
  ['mem_reservation', 'use deploy.resources.reservations.memory'],
  ['pids_limit', 'use deploy.resources.limits.pids'],
  ['gpus', 'use deploy.resources.reservations.generic_resources'],
  ['runtime', 'services of a cluster run with the runtime of their node'],
  ['post_start', 'hooks of a container are not run in a cluster; use its entrypoint'],
  ['pre_stop', 'hooks of a container are not run in a cluster; use stop_signal and a handler'],
  ['models', 'models are not provided by a cluster'],
  ['provider', 'providers are not run by a cluster'],
  ['replicas', 'put it under deploy'],
  ['resources', 'put it under deploy'],
  ['placement', 'put it under deploy'],
  ['constraints', 'put it under deploy.placement'],
  ['restart_policy', 'put it under deploy'],
  ['update_config', 'put it under deploy'],
  ['env', 'did you mean environment?'],
  ['network', 'did you mean networks?'],
  ['log_driver', 'use logging.driver'],
  ['log_opt', 'use logging.options'],
  ['net', 'use networks'],
]);

/**
 * Fields that make the Docker client refuse the whole file, with what to do in their place.
 * **Source:** docker/cli `compose/types`, forbidden properties.
 */
export const FORBIDDEN_FIELDS: ReadonlyMap<string, string> = new Map([
  ['extends', 'write the fields out, or use a YAML anchor and a merge key'],
  ['volume_driver', 'define the volume under volumes and give the driver there'],
  ['volumes_from', 'define a volume under volumes and mount it in each service'],
  ['cpu_quota', 'use deploy.resources.limits.cpus'],
  ['cpu_shares', 'use deploy.resources'],
  ['cpuset', 'use deploy.resources'],
  ['mem_limit', 'use deploy.resources.limits.memory'],
  ['memswap_limit', 'use deploy.resources.limits.memory'],
]);

/**
 * Fields that are read and left aside, with what is so.
 * **Source:** docker/cli `compose/types`, unsupported properties; the list is the client's.
 */
export const UNSUPPORTED_FIELDS: ReadonlyMap<string, string> = new Map([
  ['build', 'images are not built; push the image and name it with image'],
  ['cgroupns_mode', 'containers get the namespace that their node gives'],
  ['cgroup_parent', 'containers get the parent that their node gives'],
  ['devices', 'devices are not passed to services; use generic_resources'],
  ['domainname', 'give the whole name with hostname'],
  ['external_links', 'attach both services to one network'],
  ['ipc', 'services have an IPC namespace of their own'],
  ['links', 'services of one network find each other by name'],
  ['mac_address', 'addresses are given by the cluster'],
  ['network_mode', 'attach the service to an external network named host, bridge or none'],
  ['pid', 'services have a process namespace of their own'],
  ['privileged', 'use cap_add'],
  ['restart', 'use deploy.restart_policy; without it, restart is taken as its default'],
  ['security_opt', 'security options are not passed to services'],
  ['shm_size', 'mount a tmpfs on /dev/shm with the size wanted'],
  ['userns_mode', 'containers get the namespace that their node gives'],
]);

/**
 * Fields that mean nothing any more.
 * **Source:** docker/cli `compose/types`, deprecated properties.
 */
export const DEPRECATED_FIELDS: ReadonlyMap<string, string> = new Map([
  ['container_name', 'tasks get names of their own'],
  ['expose', 'services of one network reach each other at any port'],
]);

/** Fields that the Docker client accepts and drops without a word; we say so. */
export const DROPPED_FIELDS: ReadonlyMap<string, string> = new Map([
  ['depends_on', 'services start in any order; wait for others in the entrypoint'],
  ['develop', 'only docker compose watches files'],
  ['pull_policy', 'images are pulled when they are missing'],
]);
