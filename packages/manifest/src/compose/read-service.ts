/**
 * Reads a service of a checked document.
 * **Source:** docker/cli `cli/compose/loader`, LoadService and its transformers.
 */
import type { ComplaintCollector } from '../complaint.js';
import { splitShellWords } from '../text/shell-words.js';
import type { Cursor } from './cursor.js';
import { readEnvironment, type EnvironmentContext } from './environment.js';
import type {
  ComposeAttachment,
  ComposeFileReference,
  ComposeService,
  ComposeUlimit,
} from './model.js';
import { readPorts } from './ports.js';
import { duration, optional, readDeploy, readHealthCheck } from './read-deploy.js';
import { readMounts, type PathContext } from './volumes.js';

/** What reading a service depends on. */
export interface ServiceContext extends EnvironmentContext, PathContext {}

/** The service that the cursor points at. */
export function readService(
  name: string,
  service: Cursor,
  context: ServiceContext,
): ComposeService {
  const { complaints } = context;
  const credentials = service.get('credential_spec');
  const logging = service.get('logging');
  return {
    name,
    image: service.text('image'),
    command: readCommand(service, 'command', complaints),
    entrypoint: readCommand(service, 'entrypoint', complaints),
    environment: readEnvironment(service, context),
    labels: service.textMap('labels'),
    hostname: service.text('hostname'),
    workingDirectory: service.text('working_dir'),
    user: service.text('user'),
    groups: service.texts('group_add'),
    platform: service.text('platform'),
    hasTty: service.flag('tty') ?? false,
    opensStdin: service.flag('stdin_open') ?? false,
    isReadOnly: service.flag('read_only') ?? false,
    ...optional('hasInit', service.flag('init')),
    isolation: service.text('isolation'),
    ...optional('stopGracePeriod', duration(service, 'stop_grace_period')),
    stopSignal: service.text('stop_signal'),
    restart: service.text('restart'),
    oomScoreAdjustment: service.number('oom_score_adj') ?? 0,
    capabilityAdd: service.texts('cap_add'),
    capabilityDrop: service.texts('cap_drop'),
    dns: service.texts('dns'),
    dnsSearch: service.texts('dns_search'),
    extraHosts: readExtraHosts(service, complaints),
    sysctls: service.textMap('sysctls'),
    tmpfs: service.texts('tmpfs'),
    ulimits: readUlimits(service, complaints),
    credentialSpec: {
      config: credentials?.text('config') ?? '',
      file: credentials?.text('file') ?? '',
      registry: credentials?.text('registry') ?? '',
    },
    ...optional('healthCheck', readHealthCheck(service, complaints)),
    ...(logging
      ? { logging: { driver: logging.text('driver'), options: logging.optionMap('options') } }
      : {}),
    networks: readNetworks(service),
    ports: readPorts(service, complaints),
    mounts: readMounts(service, context, complaints),
    secrets: readReferences(service, 'secrets', complaints),
    configs: readReferences(service, 'configs', complaints),
    deploy: readDeploy(service, complaints),
    place: service.place,
  };
}

function readCommand(
  service: Cursor,
  key: string,
  complaints: ComplaintCollector,
): readonly string[] | undefined {
  const field = service.get(key);
  if (field === undefined) return undefined;
  if (field.node.type !== 'scalar') return service.texts(key);
  const split = splitShellWords(field.scalar);
  if ('words' in split) return split.words;
  const hint = 'close the quotation, or write the words as a list';
  complaints.error('invalid-command', field.place, `not a command line: ${split.fault}`, hint);
  return [];
}

/** `host:address` lines. A list keeps its order, a mapping is sorted. */
function readExtraHosts(service: Cursor, complaints: ComplaintCollector): readonly string[] {
  const field = service.get('extra_hosts');
  if (field === undefined) return [];
  const lines =
    field.node.type === 'mapping'
      ? field
          .entries()
          .flatMap(([host, value]) => (value.isNull ? [] : [`${host}:${value.scalar}`]))
      : field.items().flatMap((item) => {
          const line = item.scalar.includes('=') ? item.scalar.replace('=', ':') : item.scalar;
          if (line.includes(':')) return [line];
          const hint = 'write host:address or host=address';
          complaints.warn('ignored-option', item.place, `'${line}' names no address`, hint);
          return [];
        });
  if (field.node.type === 'mapping') lines.sort();
  return lines.map((line) => {
    const colon = line.indexOf(':');
    const address = line.slice(colon + 1).replace(/^\[(.+)\]$/, '$1');
    return `${line.slice(0, colon)}:${address}`;
  });
}

function readUlimits(
  service: Cursor,
  complaints: ComplaintCollector,
): ReadonlyMap<string, ComposeUlimit> {
  const limits = new Map<string, ComposeUlimit>();
  for (const [name, field] of service.get('ulimits')?.entries() ?? []) {
    const soft = field.number('soft');
    const hard = field.number('hard');
    if (field.node.type === 'scalar' && typeof field.node.value === 'number') {
      limits.set(name, { single: field.node.value, soft: 0, hard: 0 });
    } else if (soft !== undefined && hard !== undefined) {
      limits.set(name, { single: 0, soft, hard });
    } else {
      const hint = 'write a number, or soft and hard';
      complaints.error('invalid-type', field.place, `the limit ${name} is not a number`, hint);
    }
  }
  return limits;
}

function readNetworks(service: Cursor): ReadonlyMap<string, ComposeAttachment> {
  const field = service.get('networks');
  const attachments = new Map<string, ComposeAttachment>();
  for (const item of field?.items() ?? []) {
    attachments.set(item.scalar, bareAttachment(item));
  }
  for (const [name, item] of field?.entries() ?? []) {
    attachments.set(name, {
      aliases: item.texts('aliases'),
      driverOptions: item.optionMap('driver_opts'),
      ipv4Address: item.text('ipv4_address'),
      ipv6Address: item.text('ipv6_address'),
      isDetailed: !item.isNull,
      place: item.place,
    });
  }
  return attachments;
}

function bareAttachment(item: Cursor): ComposeAttachment {
  return {
    aliases: [],
    driverOptions: undefined,
    ipv4Address: '',
    ipv6Address: '',
    isDetailed: false,
    place: item.place,
  };
}

function readReferences(
  service: Cursor,
  key: 'secrets' | 'configs',
  complaints: ComplaintCollector,
): readonly ComposeFileReference[] {
  return (service.get(key)?.items() ?? []).map((item) => {
    if (item.node.type !== 'mapping') {
      return { source: item.scalar, target: '', uid: '', gid: '', place: item.place };
    }
    const mode = item.number('mode');
    if (mode !== undefined && mode < 0) {
      complaints.error('invalid-value', item.place, `the mode ${mode} is negative`);
    }
    return {
      source: item.text('source'),
      target: item.text('target'),
      uid: item.text('uid'),
      gid: item.text('gid'),
      ...optional('mode', mode === undefined ? undefined : mode >>> 0),
      place: item.place,
    };
  });
}
