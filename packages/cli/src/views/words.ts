/**
 * Times, sizes, ports and names as people write them.
 */
import type { AllocatedPort, Labels, Resources, Task, Timestamp } from '@skep/api';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Letters of an id that tell it from others in a table. */
const ID_LETTERS = 12;
/** Letters of an id behind the name of a task. */
const SHORT_ID_LETTERS = 5;

/**
 * How long something took or is ago: `12s`, `3m20s`, `4h5m`, `3d2h`, `40d`.
 * **Source:** Kubernetes apimachinery pkg/util/duration (HumanDuration), for the steps.
 */
export function durationText(ms: number): string {
  const whole = Math.max(0, ms);
  if (whole < 2 * MINUTE) return `${Math.floor(whole / SECOND)}s`;
  if (whole < 10 * MINUTE) return twoParts(whole, [MINUTE, 'm'], [SECOND, 's']);
  if (whole < 3 * HOUR) return `${Math.floor(whole / MINUTE)}m`;
  if (whole < 8 * HOUR) return twoParts(whole, [HOUR, 'h'], [MINUTE, 'm']);
  if (whole < 2 * DAY) return `${Math.floor(whole / HOUR)}h`;
  if (whole < 8 * DAY) return twoParts(whole, [DAY, 'd'], [HOUR, 'h']);
  return `${Math.floor(whole / DAY)}d`;
}

type Unit = readonly [ms: number, letter: string];

function twoParts(ms: number, [large, first]: Unit, [small, second]: Unit): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)}${first}${rest === 0 ? '' : `${rest}${second}`}`;
}

/** How long ago a time is; `-` for what has not happened. */
export function ageText(at: Timestamp | undefined, now: Timestamp): string {
  return at === undefined || at === 0 ? '-' : durationText(now - at);
}

/** `2026-01-02T03:04:05.678Z`; `-` for what has not happened. */
export function timeText(at: Timestamp | undefined): string {
  return at === undefined || at === 0 ? '-' : new Date(at).toISOString();
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `512 MiB`, `1.5 GiB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1_024 && unit < BYTE_UNITS.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  return `${Number(value.toFixed(1))} ${BYTE_UNITS[unit] ?? ''}`;
}

/** `0.5`, `4`: cores. */
export function cpusText(cpuNanos: number): string {
  return String(Number((cpuNanos / 1e9).toFixed(3)));
}

/** `0.5 CPUs, 64 MiB`; `-` for nothing. */
export function resourcesText(resources: Resources | undefined): string {
  const { cpuNanos, memoryBytes, generic = [] } = resources ?? {};
  const parts = [
    ...(cpuNanos === undefined ? [] : [`${cpusText(cpuNanos)} CPUs`]),
    ...(memoryBytes === undefined ? [] : [bytesText(memoryBytes)]),
    ...generic.map((item) => `${'count' in item ? item.count : item.ids.length} ${item.kind}`),
  ];
  return parts.length === 0 ? '-' : parts.join(', ');
}

/** `a=1,b=2`, sorted by key; `-` for none. */
export function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? '-' : pairs.sort().join(',');
}

/** `8080->80/tcp`; host mode is said. */
export function portText(port: AllocatedPort): string {
  const { publishedPort, targetPort, protocol, publishMode } = port;
  const published = publishedPort === 0 ? '*' : String(publishedPort);
  return `${published}->${targetPort}/${protocol}${publishMode === 'host' ? ' (host)' : ''}`;
}

/** Ports after each other; `-` for none. */
export function portsText(ports: readonly AllocatedPort[] | undefined): string {
  return (ports ?? []).map(portText).join(' ') || '-';
}

/** The beginning of an id. */
export function shortId(id: string): string {
  return id.slice(0, ID_LETTERS);
}

/** `vote.1.x9k2q`: a name that is short and yet only this task's. */
export function shortName(task: Task): string {
  const { serviceName, slot, nodeId } = task.spec;
  const id = task.meta.id.slice(0, SHORT_ID_LETTERS);
  return nodeId === undefined ? `${serviceName}.${slot}.${id}` : `${serviceName}.${id}`;
}

/** The name of a task with the first letters of its id: `vote.1.x9k2q` of `vote.1.x9k2q…`. */
export function shortTaskLabel(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot < 0 ? name : name.slice(0, dot + 1 + SHORT_ID_LETTERS);
}

/** An address without its prefix length. */
export function plainAddress(address: string): string {
  return address.split('/', 1)[0] ?? address;
}

/** `-` for what is empty. */
export function orDash(text: string | undefined): string {
  return text === undefined || text === '' ? '-' : text;
}

/** The text within so many columns, its end cut off visibly. */
export function shortened(text: string, columns: number): string {
  const line = text.replaceAll(/\s*\n\s*/g, ' ');
  return line.length <= columns ? line : `${line.slice(0, Math.max(0, columns - 1))}…`;
}
