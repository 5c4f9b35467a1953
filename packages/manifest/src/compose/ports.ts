/**
 * Published ports: `80`, `8080:80`, `8000-8010:9000-9010/udp`, `127.0.0.1:80:80`, `[::1]:80:80`.
 * **Source:** docker/go-connections `nat.ParsePortSpec`, docker/cli `opts.ConvertPortToPortConfig`.
 */
import { compareText, parseAddress } from '@skep/api';
import type { ComplaintCollector, Place } from '../complaint.js';
import type { Cursor } from './cursor.js';
import type { ComposePort } from './model.js';

/** A pair of ports, as the short form says it. `published` is 0 where none was given. */
export interface PortPair {
  readonly protocol: string;
  readonly target: number;
  readonly published: number;
}

/** The ports that a short form stands for, or what is wrong with it. */
export type ShortPort =
  | { readonly ports: readonly PortPair[]; readonly hostAddress: string }
  | { readonly fault: string; readonly hint: string };

const FORM = 'write [published:]target[/protocol], such as 8080:80 or 53:53/udp';

/** Reads the short form of a port. */
export function parseShortPort(text: string): ShortPort {
  const parts = text.split(':');
  const containerPart = parts.at(-1) ?? '';
  const hostPart = parts.length > 1 ? (parts.at(-2) ?? '') : '';
  const address = stripBrackets(parts.slice(0, -2).join(':'));
  const [targetText = '', protocolText = ''] = containerPart.split('/');
  if (targetText === '') return { fault: `no target port in '${text}'`, hint: FORM };
  const protocol = (protocolText || 'tcp').toLowerCase();
  if (address === undefined || (address !== '' && parseAddress(address) === undefined)) {
    return { fault: `'${parts.slice(0, -2).join(':')}' is not an IP address`, hint: FORM };
  }
  const target = parseRange(targetText);
  if (target === undefined) return { fault: `'${targetText}' is not a port`, hint: FORM };
  const host = hostPart === '' ? { first: 0, last: 0 } : parseRange(hostPart);
  if (host === undefined) return { fault: `'${hostPart}' is not a port`, hint: FORM };
  const count = target.last - target.first;
  if (hostPart !== '' && host.last - host.first !== count && count > 0) {
    return {
      fault: `the ranges '${hostPart}' and '${targetText}' have different lengths`,
      hint: 'give as many published as target ports',
    };
  }
  if (!['tcp', 'udp', 'sctp'].includes(protocol)) {
    return { fault: `'${protocolText}' is not a protocol`, hint: 'use tcp, udp or sctp' };
  }
  const hasHost = hostPart !== '';
  return { ports: pairsOf(protocol, target, host, hasHost), hostAddress: address };
}

interface PortRange {
  readonly first: number;
  readonly last: number;
}

function pairsOf(
  protocol: string,
  target: PortRange,
  host: PortRange,
  hasHost: boolean,
): readonly PortPair[] {
  const pairs: PortPair[] = [];
  if (target.first === target.last) {
    // A range of host ports for one target publishes the target at each of them.
    for (let published = host.first; published <= host.last; published += 1) {
      pairs.push({ protocol, target: target.first, published });
    }
    return pairs;
  }
  for (let offset = 0; offset <= target.last - target.first; offset += 1) {
    const published = hasHost ? host.first + offset : 0;
    pairs.push({ protocol, target: target.first + offset, published });
  }
  // The client walks the ports in the order of their texts.
  return pairs.sort((a, b) => compareText(`${a.target}/`, `${b.target}/`));
}

function parseRange(text: string): PortRange | undefined {
  const [firstText = '', lastText] = text.split('-');
  const first = parsePort(firstText);
  const last = lastText === undefined ? first : parsePort(lastText);
  return first === undefined || last === undefined || last < first ? undefined : { first, last };
}

function parsePort(text: string): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

function stripBrackets(address: string): string | undefined {
  if (!address.startsWith('[')) return address;
  return /^\[([^[\]]*)\]$/.exec(address)?.[1];
}

/** All ports of a service, short and long forms, in the order of writing. */
export function readPorts(service: Cursor, complaints: ComplaintCollector): readonly ComposePort[] {
  return (service.get('ports')?.items() ?? []).flatMap((item) =>
    item.node.type === 'mapping' ? readLongPort(item, complaints) : readShort(item, complaints),
  );
}

function readShort(item: Cursor, complaints: ComplaintCollector): readonly ComposePort[] {
  const { place } = item;
  const text = item.scalar;
  const result = parseShortPort(text);
  if ('fault' in result) {
    complaints.error('invalid-port', place, result.fault, result.hint);
    return [];
  }
  warnAboutAddress(result.hostAddress, place, complaints);
  return result.ports.map((port) => ({ name: '', mode: 'ingress', ...port, place }));
}

function warnAboutAddress(address: string, place: Place, complaints: ComplaintCollector): void {
  const value = parseAddress(address)?.value;
  if (value === undefined || value === 0n) return;
  complaints.warn(
    'ignored-address',
    place,
    `the address ${address} is not used: the port is published on every address`,
    'limit access with a firewall, or leave the port unpublished',
  );
}

function readLongPort(item: Cursor, complaints: ComplaintCollector): readonly ComposePort[] {
  const published = item.get('published');
  const publishedPort =
    published?.node.type === 'scalar' && typeof published.node.value === 'string'
      ? parsePort(published.node.value)
      : (item.number('published') ?? 0);
  const target = item.number('target') ?? 0;
  for (const [name, port] of [
    ['published', publishedPort],
    ['target', target],
  ] as const) {
    if (port !== undefined && port >= 0) continue;
    const at = item.get(name) ?? item;
    complaints.error('invalid-port', at.place, `'${at.scalar}' is not a port`, 'from 0 to 65535');
  }
  warnAboutAddress(item.text('host_ip'), item.get('host_ip')?.place ?? item.place, complaints);
  const protocolHint = item.get('app_protocol');
  if (protocolHint) {
    complaints.warn('ignored-option', protocolHint.place, 'app_protocol is not acted on');
  }
  return [
    {
      name: item.text('name'),
      mode: item.text('mode'),
      target: target >>> 0,
      published: (publishedPort ?? 0) >>> 0,
      protocol: item.text('protocol'),
      place: item.place,
    },
  ];
}
