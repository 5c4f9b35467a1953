/**
 * Mounts of a compose service as the Docker API wants them.
 * **Source:** docker/cli `cli/compose/convert/volume.go`.
 */
import type { ComposeMount, ComposeService } from '../compose/model.js';
import { compact, filledRecord } from '../docker-api/fields.js';
import type { DockerMount } from '../docker-api/types.js';
import { parseSize } from '../text/amount.js';
import { placeInService, scopedName, stackLabels, type ConversionContext } from './context.js';

/** A mount and the place it comes from. */
export interface PlacedMount {
  readonly mount: DockerMount;
  readonly source: ComposeMount | undefined;
}

/** All mounts of the service, those of the short `tmpfs` last where they are passed on. */
export function convertMounts(
  service: ComposeService,
  context: ConversionContext,
): readonly PlacedMount[] {
  const mounts = service.mounts.flatMap((source) => {
    const mount = convertMount(source, context);
    return mount === undefined ? [] : [{ mount, source }];
  });
  if (service.tmpfs.length === 0) return mounts;
  if (!context.isComplete) {
    context.complaints.warn(
      'ignored-option',
      placeInService(context, service.name, 'tmpfs'),
      'tmpfs is not passed on by docker stack',
      'write it under volumes with type: tmpfs',
    );
    return mounts;
  }
  const added = service.tmpfs.map((text) => ({ mount: convertTmpfs(text), source: undefined }));
  return [...mounts, ...added];
}

function convertMount(source: ComposeMount, context: ConversionContext): DockerMount | undefined {
  const fault = faultOf(source, context);
  if (fault !== undefined) {
    const [code, message, hint] = fault;
    context.complaints.error(code, source.place, message, hint);
    return undefined;
  }
  const base = {
    Type: source.type,
    Source: source.source,
    Target: source.target,
    ReadOnly: source.isReadOnly,
    Consistency: source.consistency,
  };
  switch (source.type) {
    case 'bind':
    case 'npipe':
      return compact<DockerMount>({ ...base, BindOptions: bindOptions(source) });
    case 'tmpfs':
      return compact<DockerMount>({ ...base, TmpfsOptions: tmpfsOptions(source, context) });
    case 'cluster':
      return compact<DockerMount>({
        ...base,
        Source: clusterSource(source.source, context),
        ClusterOptions: {},
      });
    default:
      return convertVolume(base, source, context);
  }
}

type Fault = readonly [
  code: 'invalid-mount' | 'undefined-volume',
  message: string,
  hint: string | undefined,
];

const OPTIONS_OF: Readonly<Record<string, string>> = {
  '': 'volume',
  volume: 'volume',
  bind: 'bind',
  npipe: 'bind',
  tmpfs: 'tmpfs',
  cluster: 'cluster',
};

function faultOf(source: ComposeMount, context: ConversionContext): Fault | undefined {
  const type = source.type === '' ? 'volume' : source.type;
  const allowed = OPTIONS_OF[source.type];
  if (allowed === undefined) {
    const hint = 'use volume, bind, tmpfs, npipe or cluster';
    return ['invalid-mount', `'${source.type}' is not a type of mount`, hint];
  }
  if (type === 'tmpfs' && source.source !== '') {
    return ['invalid-mount', 'a tmpfs has no source', 'remove source'];
  }
  if (type !== 'tmpfs' && type !== 'volume' && source.source === '') {
    return ['invalid-mount', `a mount of type ${type} needs a source`, 'add source'];
  }
  const given = [
    ...(source.bind ? ['bind'] : []),
    ...(source.volume ? ['volume'] : []),
    ...(source.tmpfs ? ['tmpfs'] : []),
    ...(source.hasClusterOptions ? ['cluster'] : []),
  ].filter((options) => options !== allowed && !(type === 'npipe' && options === 'cluster'));
  if (given.length > 0) {
    const message = `${given[0]} options do not go with the type ${type}`;
    return ['invalid-mount', message, `remove ${given.join(' and ')}`];
  }
  const isNamed =
    (type === 'volume' && source.source !== '') ||
    (type === 'cluster' && !source.source.startsWith('group:'));
  if (!isNamed || context.config.volumes.has(source.source)) return undefined;
  const hint = `add ${source.source} to the top-level volumes`;
  return ['undefined-volume', `undefined volume '${source.source}'`, hint];
}

function bindOptions(source: ComposeMount): DockerMount['BindOptions'] {
  return source.bind && compact({ Propagation: source.bind.propagation });
}

function tmpfsOptions(
  source: ComposeMount,
  context: ConversionContext,
): DockerMount['TmpfsOptions'] {
  if (!source.tmpfs) return undefined;
  const mode = context.isComplete ? source.tmpfs.mode : undefined;
  return compact({ SizeBytes: source.tmpfs.sizeBytes, Mode: mode });
}

function clusterSource(source: string, context: ConversionContext): string {
  if (source.startsWith('group:')) return source;
  return context.config.volumes.get(source)?.name || scopedName(context, source);
}

function convertVolume(
  base: DockerMount,
  source: ComposeMount,
  context: ConversionContext,
): DockerMount {
  const volume = context.config.volumes.get(source.source);
  // An anonymous volume: nothing is known about it.
  if (volume === undefined) return compact<DockerMount>(base);
  const subpath = context.isComplete ? source.volume?.subpath : undefined;
  const isConfigured = volume.driver !== '' || volume.driverOptions !== undefined;
  const driver = isConfigured
    ? compact({ Name: volume.driver, Options: filledRecord(volume.driverOptions) })
    : undefined;
  return compact<DockerMount>({
    ...base,
    Source: volume.name || scopedName(context, source.source),
    // An external volume is used as it is.
    VolumeOptions: compact<NonNullable<DockerMount['VolumeOptions']>>({
      NoCopy: source.volume?.hasNoCopy,
      Subpath: subpath,
      Labels: volume.isExternal ? undefined : labelsOf(stackLabels(context, volume.labels)),
      DriverConfig: volume.isExternal ? undefined : driver,
    }),
  });
}

function labelsOf(labels: Readonly<Record<string, string>>) {
  return Object.keys(labels).length === 0 ? undefined : labels;
}

/** `/run:size=64m,mode=1777` as a mount. Options besides these two are passed on as they are. */
function convertTmpfs(text: string): DockerMount {
  const [target = '', options = ''] = text.split(':', 2);
  let sizeBytes: number | undefined;
  let mode: number | undefined;
  let isReadOnly = false;
  const others: string[][] = [];
  for (const option of options.split(',').filter((part) => part !== '')) {
    const [key = '', value] = option.split('=', 2);
    if (key === 'size' && value !== undefined) sizeBytes = parseSize(value);
    else if (key === 'mode' && /^[0-7]+$/.test(value ?? '')) mode = Number(`0o${value}`);
    else if (key === 'ro' || key === 'rw') isReadOnly = key === 'ro';
    else others.push(value === undefined ? [key] : [key, value]);
  }
  return compact<DockerMount>({
    Type: 'tmpfs',
    Target: target,
    ReadOnly: isReadOnly,
    TmpfsOptions: compact({ SizeBytes: sizeBytes, Mode: mode, Options: others }),
  });
}
