/**
 * The compose format as data: one description for all versions 3.0 to 3.13.
 * **Source:** docker/cli `cli/compose/schema/data`, Compose file reference 3.0–3.13.
 */
import { NAME_PATTERN, SERVICE } from './schema-service.js';
import {
  beyondDocker,
  BOOLEAN,
  closed,
  DRIVER_OPTIONS,
  EXTENSIONS,
  LIST_OR_MAP,
  listOf,
  open,
  since,
  TEXT,
  mapOf,
  type ComposeSchema,
} from './schema-language.js';

/** The newest 3.x, which a file without a version, or with version "3", is read as. */
export const NEWEST_MINOR = 13;

const EXTERNAL: ComposeSchema = closed({ name: TEXT }, { type: ['boolean', 'object'] });
const OPEN_EXTERNAL: ComposeSchema = { type: ['boolean', 'object'], properties: { name: TEXT } };

const NETWORK: ComposeSchema = closed(
  {
    name: since(5, TEXT),
    driver: TEXT,
    driver_opts: DRIVER_OPTIONS,
    enable_ipv6: beyondDocker(BOOLEAN),
    ipam: closed({
      driver: TEXT,
      options: beyondDocker(DRIVER_OPTIONS),
      config: listOf(
        closed({
          subnet: TEXT,
          gateway: beyondDocker(TEXT),
          ip_range: beyondDocker(TEXT),
          aux_addresses: beyondDocker(mapOf(TEXT)),
        }),
      ),
    }),
    external: EXTERNAL,
    internal: BOOLEAN,
    attachable: since(2, BOOLEAN),
    labels: LIST_OR_MAP,
  },
  { type: ['object', 'null'], patternProperties: EXTENSIONS },
);

const TOPOLOGIES: ComposeSchema = listOf(open({ segments: LIST_OR_MAP }));

/** Settings of a cluster volume (CSI). */
const CLUSTER_VOLUME: ComposeSchema = open({
  group: TEXT,
  access_mode: open({
    scope: TEXT,
    sharing: TEXT,
    block_volume: open({}),
    mount_volume: open({ fs_type: TEXT, mount_flags: listOf(TEXT) }),
  }),
  accessibility_requirements: open({ requisite: TOPOLOGIES, preferred: TOPOLOGIES }),
  capacity_range: open({ required_bytes: TEXT, limit_bytes: TEXT }),
  secrets: listOf(open({ key: TEXT, secret: TEXT })),
  availability: TEXT,
});

const VOLUME: ComposeSchema = closed(
  {
    name: since(4, TEXT),
    driver: TEXT,
    driver_opts: DRIVER_OPTIONS,
    external: EXTERNAL,
    labels: LIST_OR_MAP,
    'x-cluster-spec': since(11, CLUSTER_VOLUME),
  },
  { type: ['object', 'null'], patternProperties: EXTENSIONS },
);

const SECRET: ComposeSchema = closed(
  {
    name: since(5, TEXT),
    file: TEXT,
    environment: beyondDocker(TEXT),
    external: OPEN_EXTERNAL,
    labels: LIST_OR_MAP,
    driver: since(8, TEXT),
    driver_opts: since(8, DRIVER_OPTIONS),
    template_driver: since(8, TEXT),
  },
  { patternProperties: EXTENSIONS },
);

const CONFIG: ComposeSchema = closed(
  {
    name: since(5, TEXT),
    file: TEXT,
    content: beyondDocker(TEXT),
    environment: beyondDocker(TEXT),
    external: OPEN_EXTERNAL,
    labels: LIST_OR_MAP,
    template_driver: since(8, TEXT),
  },
  { patternProperties: EXTENSIONS },
);

function section(schema: ComposeSchema): ComposeSchema {
  return {
    type: 'object',
    patternProperties: { [NAME_PATTERN]: schema },
    additionalProperties: false,
  };
}

/** The format of a compose file. */
export const COMPOSE: ComposeSchema = closed(
  {
    version: TEXT,
    name: beyondDocker(TEXT),
    services: section(SERVICE),
    // The client lets any name of a network pass.
    networks: { type: 'object', patternProperties: { '': NETWORK } },
    volumes: section(VOLUME),
    secrets: since(1, section(SECRET)),
    configs: since(3, section(CONFIG)),
  },
  { patternProperties: { '^x-': { since: 4, isFree: true } } },
);
