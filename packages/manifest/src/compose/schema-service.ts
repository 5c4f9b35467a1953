/**
 * The format of a service.
 * **Source:** docker/cli `cli/compose/schema/data`, Compose file reference 3.0–3.13; for fields
 * beyond
 * Docker the Compose specification.
 */
import {
  BUILD,
  DEPLOY,
  FILE_REFERENCE,
  HEALTHCHECK,
  LONG_PORT,
  LONG_VOLUME,
  SERVICE_NETWORK,
  ULIMIT,
} from './schema-deploy.js';
import {
  beyondDocker,
  BOOLEAN,
  closed,
  COMMAND,
  DURATION,
  either,
  EXTENSIONS,
  INTEGER,
  LIST_OR_MAP,
  listOf,
  mapOf,
  open,
  since,
  TEXT,
  TEXT_OR_TEXTS,
  TEXTS,
  typed,
  type ComposeSchema,
} from './schema-language.js';

/** Names of services, networks, volumes, secrets and configs. */
export const NAME_PATTERN = '^[a-zA-Z0-9._-]+$';

const NETWORKS: ComposeSchema = either(TEXTS, {
  type: 'object',
  patternProperties: { [NAME_PATTERN]: SERVICE_NETWORK },
  additionalProperties: false,
});

const DEPENDS_ON: ComposeSchema = either(
  TEXTS,
  beyondDocker({
    type: 'object',
    patternProperties: {
      [NAME_PATTERN]: closed({ condition: TEXT, restart: BOOLEAN, required: BOOLEAN }),
    },
    additionalProperties: false,
  }),
);

const ENV_FILE: ComposeSchema = either(
  TEXT,
  listOf(
    either(
      TEXT,
      beyondDocker(closed({ path: TEXT, required: BOOLEAN, format: TEXT }, { required: ['path'] })),
    ),
    true,
  ),
);

/** What decides how and where a container runs. */
const RUN_FIELDS: Readonly<Record<string, ComposeSchema>> = {
  command: COMMAND,
  deploy: DEPLOY,
  entrypoint: COMMAND,
  env_file: ENV_FILE,
  environment: LIST_OR_MAP,
  group_add: beyondDocker(listOf(typed('string', 'number'), true)),
  healthcheck: HEALTHCHECK,
  hostname: TEXT,
  image: TEXT,
  init: since(7, BOOLEAN),
  isolation: since(5, TEXT),
  labels: LIST_OR_MAP,
  logging: closed({ driver: TEXT, options: mapOf(typed('string', 'number', 'null')) }),
  platform: beyondDocker(TEXT),
  profiles: beyondDocker(TEXTS),
  read_only: BOOLEAN,
  stdin_open: BOOLEAN,
  stop_grace_period: DURATION,
  stop_signal: TEXT,
  tty: BOOLEAN,
  user: TEXT,
  working_dir: TEXT,
};

/** What a container is given and allowed. */
const RESOURCE_FIELDS: Readonly<Record<string, ComposeSchema>> = {
  cap_add: TEXTS,
  cap_drop: TEXTS,
  configs: since(3, listOf(FILE_REFERENCE)),
  credential_spec: since(3, closed({ config: since(8, TEXT), file: TEXT, registry: TEXT })),
  dns: TEXT_OR_TEXTS,
  dns_search: TEXT_OR_TEXTS,
  extra_hosts: LIST_OR_MAP,
  networks: NETWORKS,
  oom_score_adj: since(13, INTEGER),
  ports: listOf(either(typed('number'), TEXT, LONG_PORT), true),
  secrets: since(1, listOf(FILE_REFERENCE)),
  sysctls: LIST_OR_MAP,
  tmpfs: TEXT_OR_TEXTS,
  ulimits: { type: 'object', patternProperties: { '^[a-z]+$': ULIMIT } },
  volumes: listOf(either(TEXT, LONG_VOLUME)),
};

/** What is read and then left aside, as `docker stack` does. */
const IGNORED_FIELDS: Readonly<Record<string, ComposeSchema>> = {
  build: BUILD,
  cgroup_parent: TEXT,
  cgroupns_mode: since(9, TEXT),
  container_name: TEXT,
  depends_on: DEPENDS_ON,
  develop: beyondDocker(open({})),
  devices: TEXTS,
  domainname: TEXT,
  expose: listOf(typed('string', 'number'), true),
  external_links: TEXTS,
  ipc: TEXT,
  links: TEXTS,
  mac_address: TEXT,
  network_mode: TEXT,
  pid: typed('string', 'null'),
  privileged: BOOLEAN,
  pull_policy: beyondDocker(TEXT),
  restart: TEXT,
  security_opt: TEXTS,
  shm_size: typed('number', 'string'),
  userns_mode: TEXT,
};

/** The format of a service. */
export const SERVICE: ComposeSchema = closed(
  { ...RUN_FIELDS, ...RESOURCE_FIELDS, ...IGNORED_FIELDS },
  { patternProperties: EXTENSIONS },
);
