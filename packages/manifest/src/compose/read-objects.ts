/**
 * Reads the top-level networks, volumes, secrets and configs of a checked document.
 * **Source:** docker/cli `cli/compose/loader`, LoadNetworks and its siblings.
 */
import type { ComplaintCollector } from '../complaint.js';
import { resolvePath } from '../text/file-path.js';
import type { Cursor } from './cursor.js';
import type {
  ComposeClusterVolume,
  ComposeFileObject,
  ComposeNetwork,
  ComposeObject,
  ComposeVolume,
} from './model.js';
import { optional, size } from './read-deploy.js';
import type { VariableLookup } from './template.js';

/** What reading the objects depends on. */
export interface ObjectContext {
  readonly minor: number;
  readonly workingDirectory: string;
  readonly lookup: VariableLookup;
  readonly complaints: ComplaintCollector;
}

/** Name and externality; complains when both forms of the name are used. */
function readObject(
  what: 'network' | 'volume' | 'secret' | 'config',
  key: string,
  object: Cursor,
  context: ObjectContext,
): ComposeObject {
  const external = object.get('external');
  const isLongForm = external?.node.type === 'mapping';
  const isExternal = isLongForm || (object.flag('external') ?? false);
  const externalName = isLongForm ? (external?.text('name') ?? '') : '';
  const written = object.text('name');
  if (external && externalName !== '') {
    const hint = 'keep name and write external: true';
    if (written !== '') {
      const message = `external.name and name of the ${what} ${key} conflict`;
      context.complaints.error('external-conflict', external.place, message, hint);
    } else if (context.minor >= (what === 'volume' ? 4 : 5)) {
      const message = `external.name of the ${what} ${key} is deprecated in favour of name`;
      const advice = `write external: true and name: ${externalName}`;
      context.complaints.warn('deprecated-external-name', external.place, message, advice);
    }
  }
  return {
    name: isExternal ? externalName || written || key : written,
    isExternal,
    labels: object.textMap('labels'),
    driver: object.text('driver'),
    driverOptions: object.optionMap('driver_opts'),
    place: object.place,
  };
}

/** The networks of a file. */
export function readNetworks(
  section: Cursor | undefined,
  context: ObjectContext,
): ReadonlyMap<string, ComposeNetwork> {
  const networks = new Map<string, ComposeNetwork>();
  for (const [key, network] of section?.entries() ?? []) {
    const ipam = network.get('ipam');
    networks.set(key, {
      ...readObject('network', key, network, context),
      isInternal: network.flag('internal') ?? false,
      isAttachable: network.flag('attachable') ?? false,
      ...optional('enablesIpv6', network.flag('enable_ipv6')),
      ipamDriver: ipam?.text('driver') ?? '',
      ipamOptions: ipam?.optionMap('options'),
      ipam: (ipam?.get('config')?.items() ?? []).map((pool) => ({
        subnet: pool.text('subnet'),
        gateway: pool.text('gateway'),
        ipRange: pool.text('ip_range'),
        auxiliaryAddresses: pool.optionMap('aux_addresses'),
      })),
    });
  }
  return networks;
}

/** The volumes of a file. */
export function readVolumes(
  section: Cursor | undefined,
  context: ObjectContext,
): ReadonlyMap<string, ComposeVolume> {
  const volumes = new Map<string, ComposeVolume>();
  for (const [key, volume] of section?.entries() ?? []) {
    const object = readObject('volume', key, volume, context);
    const conflicting = [
      ...(object.driver === '' ? [] : ['driver']),
      ...(object.driverOptions?.size ? ['driver_opts'] : []),
      ...(object.labels.size > 0 ? ['labels'] : []),
    ];
    for (const field of object.isExternal ? conflicting : []) {
      const place = volume.get(field)?.place ?? volume.place;
      const message = `external and ${field} of the volume ${key} conflict`;
      context.complaints.error('external-conflict', place, message, `remove ${field}`);
    }
    const cluster = readClusterVolume(volume.get('x-cluster-spec'), context);
    volumes.set(key, { ...object, ...optional('cluster', cluster) });
  }
  return volumes;
}

function readClusterVolume(
  spec: Cursor | undefined,
  context: ObjectContext,
): ComposeClusterVolume | undefined {
  if (spec?.node.type !== 'mapping') return undefined;
  const access = spec.get('access_mode');
  const mount = access?.get('mount_volume');
  const capacity = spec.get('capacity_range');
  const topologies = (key: string): ComposeClusterVolume['requisite'] =>
    (spec.get('accessibility_requirements')?.get(key)?.items() ?? []).map((item) =>
      item.textMap('segments'),
    );
  return {
    group: spec.text('group'),
    scope: access?.text('scope') ?? '',
    sharing: access?.text('sharing') ?? '',
    isBlock: access?.get('block_volume') !== undefined,
    fsType: mount?.text('fs_type') ?? '',
    mountFlags: mount?.texts('mount_flags') ?? [],
    requisite: topologies('requisite'),
    preferred: topologies('preferred'),
    requiredBytes: capacity ? size(capacity, 'required_bytes', context.complaints) : 0,
    limitBytes: capacity ? size(capacity, 'limit_bytes', context.complaints) : 0,
    secrets: (spec.get('secrets')?.items() ?? []).map((item) => ({
      key: item.text('key'),
      secret: item.text('secret'),
    })),
    availability: spec.text('availability'),
  };
}

/** The secrets or configs of a file. */
export function readFileObjects(
  what: 'secret' | 'config',
  section: Cursor | undefined,
  context: ObjectContext,
): ReadonlyMap<string, ComposeFileObject> {
  const objects = new Map<string, ComposeFileObject>();
  for (const [key, item] of section?.entries() ?? []) {
    const object = readObject(what, key, item, context);
    const file = item.text('file');
    if (!object.isExternal && object.driver !== '' && file !== '') {
      const place = item.get('file')?.place ?? item.place;
      const message = `driver and file of the ${what} ${key} conflict`;
      context.complaints.error('external-conflict', place, message, 'keep one of the two');
    }
    const content = readContent(item, context);
    const isFromFile = !object.isExternal && object.driver === '' && file !== '';
    objects.set(key, {
      ...object,
      file: isFromFile ? resolvePath(context.workingDirectory, file) : '',
      ...optional('content', content),
      templateDriver: item.text('template_driver'),
    });
  }
  return objects;
}

function readContent(item: Cursor, context: ObjectContext): string | undefined {
  const content = item.get('content');
  if (content !== undefined) return content.scalar;
  const variable = item.get('environment');
  if (variable === undefined) return undefined;
  const value = context.lookup(variable.scalar);
  if (value === undefined) {
    const message = `the variable ${variable.scalar} is not set`;
    context.complaints.error('missing-variable', variable.place, message, 'set it');
  }
  return value ?? '';
}
