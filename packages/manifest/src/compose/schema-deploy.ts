/**
 * The format of `deploy`, `healthcheck` and the other parts of a service that are mappings.
 * **Source:** docker/cli `cli/compose/schema/data`, Compose file reference 3.0–3.13.
 */
import {
  beyondDocker,
  BOOLEAN,
  closed,
  COMMAND,
  DRIVER_OPTIONS,
  DURATION,
  either,
  INTEGER,
  LIST_OR_MAP,
  listOf,
  NUMBER,
  open,
  since,
  TEXT,
  TEXTS,
  typed,
  type ComposeSchema,
} from './schema-language.js';

const UPDATE_FIELDS: Readonly<Record<string, ComposeSchema>> = {
  parallelism: INTEGER,
  delay: DURATION,
  failure_action: TEXT,
  monitor: DURATION,
  max_failure_ratio: NUMBER,
  order: since(4, { type: 'string', enum: ['start-first', 'stop-first'] }),
};

const CPUS: ComposeSchema = either(TEXT, beyondDocker(NUMBER));
const MEMORY: ComposeSchema = either(TEXT, beyondDocker(INTEGER));

const RESOURCES: ComposeSchema = closed({
  limits: closed({ cpus: CPUS, memory: MEMORY, pids: since(9, INTEGER) }),
  reservations: closed({
    cpus: CPUS,
    memory: MEMORY,
    generic_resources: since(
      5,
      listOf(closed({ discrete_resource_spec: closed({ kind: TEXT, value: NUMBER }) })),
    ),
  }),
});

/** The format of `deploy`. */
export const DEPLOY: ComposeSchema = closed(
  {
    mode: TEXT,
    endpoint_mode: since(2, TEXT),
    replicas: INTEGER,
    labels: LIST_OR_MAP,
    rollback_config: since(7, closed(UPDATE_FIELDS)),
    update_config: closed(UPDATE_FIELDS),
    resources: RESOURCES,
    restart_policy: closed({
      condition: TEXT,
      delay: DURATION,
      max_attempts: INTEGER,
      window: DURATION,
    }),
    placement: closed({
      constraints: listOf(TEXT),
      preferences: since(3, listOf(closed({ spread: TEXT }))),
      max_replicas_per_node: since(8, INTEGER),
    }),
  },
  { type: ['object', 'null'] },
);

/** The format of `healthcheck`. */
export const HEALTHCHECK: ComposeSchema = closed({
  disable: BOOLEAN,
  interval: DURATION,
  retries: NUMBER,
  test: COMMAND,
  timeout: DURATION,
  start_period: since(4, DURATION),
  start_interval: since(12, DURATION),
});

/** The format of `build`, which is not acted on. */
export const BUILD: ComposeSchema = either(
  TEXT,
  open({
    context: TEXT,
    dockerfile: TEXT,
    args: LIST_OR_MAP,
    labels: LIST_OR_MAP,
    cache_from: TEXTS,
    network: TEXT,
    target: TEXT,
    shm_size: typed('integer', 'string'),
    extra_hosts: LIST_OR_MAP,
  }),
);

/** Use of a secret or config. */
export const FILE_REFERENCE: ComposeSchema = either(
  TEXT,
  open({ source: TEXT, target: TEXT, uid: TEXT, gid: TEXT, mode: NUMBER }),
);

/** A published port in long form. */
export const LONG_PORT: ComposeSchema = since(
  2,
  closed({
    mode: TEXT,
    target: INTEGER,
    published: either(INTEGER, beyondDocker(TEXT)),
    protocol: TEXT,
    name: beyondDocker(TEXT),
    app_protocol: beyondDocker(TEXT),
    host_ip: beyondDocker(TEXT),
  }),
);

/** A mount in long form. */
export const LONG_VOLUME: ComposeSchema = since(
  2,
  closed(
    {
      type: TEXT,
      source: TEXT,
      target: TEXT,
      read_only: BOOLEAN,
      consistency: TEXT,
      bind: open({ propagation: TEXT }),
      volume: open({ nocopy: BOOLEAN }),
      tmpfs: since(6, open({ size: { type: 'integer', minimum: 0 } })),
    },
    { required: ['type'] },
  ),
);

/** Attachment of a service to a network. */
export const SERVICE_NETWORK: ComposeSchema = either(
  closed({
    aliases: TEXTS,
    driver_opts: since(13, DRIVER_OPTIONS),
    ipv4_address: TEXT,
    ipv6_address: TEXT,
  }),
  typed('null'),
);

/** A resource limit of the process. */
export const ULIMIT: ComposeSchema = either(
  INTEGER,
  closed({ hard: INTEGER, soft: INTEGER }, { required: ['soft', 'hard'] }),
);
