/**
 * DNS messages: from bytes to what is asked, and from an answer to bytes.
 *
 * Records are coded by dns-packet. Names of answers are written as pointers to the question, which
 * it does not do: half as many bytes, so that twice as many addresses fit into a small datagram.
 *
 * **Source:** RFC 1035 §4, RFC 6891 (EDNS), RFC 2308 (negative answers).
 */
import { SkepError, messageOf } from '@skep/api';
import { decode, encode } from 'dns-packet';
import type { Answer, DecodedPacket, OptAnswer } from 'dns-packet';
import type { AnswerRecord } from '../names/resolve.js';

/** Header flags that a response takes over or sets. */
const FLAGS = Object.freeze({
  response: 0x8000,
  opcode: 0x7800,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  checkingDisabled: 0x0010,
});

/** Response codes that the resolver uses. Those above 15 need EDNS. */
export const RCODES = Object.freeze({
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
});

/** A response code by name. */
export type ResponseCode = keyof typeof RCODES;

/** Bytes of the header. */
const HEADER_BYTES = 12;
/** Most bytes of a datagram without EDNS. */
const UDP_BYTES = 512;
/** Bytes that the resolver takes, and gives at most, in a datagram: no fragments on any path. */
export const UDP_BYTES_MAX = 1232;
/** Most bytes of a message over TCP. */
const TCP_BYTES = 65_535;
/** A pointer to the name of the question, which follows the header. */
const TO_QUESTION = Buffer.from([0xc0, HEADER_BYTES]);
/** The resolver, where a zone names its server and its keeper; never asked for. */
const SERVER_NAME = 'resolver.skep.internal';
const KEEPER_NAME = 'hostmaster.skep.internal';

/** What a client asked. */
export interface DnsQuery {
  readonly id: number;
  readonly flags: number;
  /** 0: an ordinary query. */
  readonly opcode: number;
  /** As it was spelled. '' is the root. */
  readonly name: string;
  /** `A`, `AAAA`, …; `UNKNOWN_65280` for types that have no name. */
  readonly type: string;
  /** `IN`, `CH`, …. */
  readonly class: string;
  /** The question as it came, to be sent back. */
  readonly questionBytes: Uint8Array;
  /** What the client says of itself in EDNS; undefined: it does not speak it. */
  readonly edns: { readonly udpBytes: number; readonly version: number } | undefined;
}

/** How a query came in. */
export type DnsTransport = 'udp' | 'tcp';

/**
 * Reads a query. Cost: O(bytes).
 * @throws invalid-argument for anything but a well-formed query with one question. No other error,
 * whatever the bytes are.
 */
export function decodeQuery(bytes: Uint8Array): DnsQuery {
  const decoded = packetOf(bytes);
  const [question] = decoded.questions ?? [];
  if (question === undefined || decoded.questions?.length !== 1) {
    throw formatError(`a query has one question, not ${decoded.questions?.length ?? 0}`);
  }
  if ((decoded.answers?.length ?? 0) + (decoded.authorities?.length ?? 0) > 0) {
    throw formatError('a query has no answers');
  }
  const options = (decoded.additionals ?? []).filter(({ type }) => type === 'OPT');
  if (options.length > 1) throw formatError('a query has at most one OPT record');
  const [option] = options as OptAnswer[];
  const buffer = asBuffer(bytes);
  const name = questionName(buffer);
  return {
    id: buffer.readUInt16BE(0),
    flags: buffer.readUInt16BE(2),
    opcode: (buffer.readUInt16BE(2) & FLAGS.opcode) >> 11,
    name: name.text,
    type: question.type,
    class: question.class ?? 'IN',
    questionBytes: buffer.subarray(HEADER_BYTES, name.end + 4),
    edns: option && { udpBytes: option.udpPayloadSize, version: option.ednsVersion },
  };
}

/** Whether the bytes are a response; one that arrives as a query is dropped, never answered. */
export function isResponse(bytes: Uint8Array): boolean {
  return bytes.length > 2 && ((bytes[2] ?? 0) & 0x80) !== 0;
}

/** A response to a query that could be read. */
export interface DnsResponse {
  readonly rcode: ResponseCode;
  readonly isAuthoritative: boolean;
  readonly records: readonly AnswerRecord[];
  /** How long it may be remembered that there is no such record. */
  readonly negativeTtlSeconds: number;
}

/**
 * Writes a response. Over UDP as many records as fit into what the client takes, with the bit that
 * sends it to TCP when some are missing. Cost: O(records).
 */
export function encodeResponse(
  query: DnsQuery,
  response: DnsResponse,
  transport: DnsTransport,
): Uint8Array {
  const bytesMax = transport === 'tcp' ? TCP_BYTES : udpBytesOf(query);
  const tail = query.edns === undefined ? [] : [optionRecord(response.rcode)];
  const isNegative = response.isAuthoritative && response.records.length === 0;
  const authority = isNegative ? [zoneRecord(response.negativeTtlSeconds)] : [];
  let size = HEADER_BYTES + query.questionBytes.length + bytesOf(tail) + bytesOf(authority);
  const answers: Buffer[] = [];
  let isTruncated = false;
  for (const record of response.records) {
    const encoded = answerRecord(record);
    size += encoded.length;
    isTruncated = size > bytesMax;
    if (isTruncated) break;
    answers.push(encoded);
  }
  const header = headerOf(query, { ...response, isTruncated });
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers.length, 6);
  header.writeUInt16BE(authority.length, 8);
  header.writeUInt16BE(tail.length, 10);
  return Buffer.concat([header, query.questionBytes, ...answers, ...authority, ...tail]);
}

/**
 * Writes a response without a question: to what could not be read.
 * Undefined when not even the id is there.
 */
export function encodeFormatError(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < HEADER_BYTES || isResponse(bytes)) return undefined;
  const buffer = asBuffer(bytes);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(buffer.readUInt16BE(0), 0);
  const kept = buffer.readUInt16BE(2) & (FLAGS.opcode | FLAGS.recursionDesired);
  header.writeUInt16BE(FLAGS.response | FLAGS.recursionAvailable | kept | RCODES.FORMERR, 2);
  return header;
}

/** Rcode of a response of an upstream server. @throws invalid-argument when it is none. */
export function responseCodeOf(bytes: Uint8Array): number {
  if (bytes.length < HEADER_BYTES || !isResponse(bytes)) throw formatError('it is no response');
  return (bytes[3] ?? 0) & 0x0f;
}

function headerOf(
  query: DnsQuery,
  response: {
    readonly rcode: ResponseCode;
    readonly isAuthoritative: boolean;
    readonly isTruncated: boolean;
  },
): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  const kept = FLAGS.opcode | FLAGS.recursionDesired | FLAGS.checkingDisabled;
  const flags =
    FLAGS.response |
    FLAGS.recursionAvailable |
    (query.flags & kept) |
    (response.isAuthoritative ? FLAGS.authoritative : 0) |
    (response.isTruncated ? FLAGS.truncated : 0) |
    (RCODES[response.rcode] & 0x0f);
  header.writeUInt16BE(query.id, 0);
  header.writeUInt16BE(flags, 2);
  return header;
}

function udpBytesOf({ edns }: DnsQuery): number {
  if (edns === undefined) return UDP_BYTES;
  return Math.min(Math.max(edns.udpBytes, UDP_BYTES), UDP_BYTES_MAX);
}

function answerRecord(record: AnswerRecord): Buffer {
  const { ttlSeconds: ttl } = record;
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return underQuestion({ name: '.', type: record.type, ttl, data: record.address });
    case 'PTR':
      return underQuestion({ name: '.', type: 'PTR', ttl, data: record.target });
    case 'SRV': {
      const { port, priority, weight, target } = record;
      return underQuestion({
        name: '.',
        type: 'SRV',
        ttl,
        data: { port, priority, weight, target },
      });
    }
  }
}

/** The zone that denies: the name asked for itself, so that nothing else is denied with it. */
function zoneRecord(ttl: number): Buffer {
  const data = { mname: SERVER_NAME, rname: KEEPER_NAME, serial: 1, refresh: 3600, retry: 600 };
  const expire = 86_400;
  return underQuestion({ name: '.', type: 'SOA', ttl, data: { ...data, expire, minimum: ttl } });
}

/** What the resolver says of itself in EDNS, with the upper bits of the code. */
function optionRecord(rcode: ResponseCode): Buffer {
  return encoded({
    name: '.',
    type: 'OPT',
    udpPayloadSize: UDP_BYTES_MAX,
    extendedRcode: RCODES[rcode] >> 4,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  });
}

/** A record whose owner, written as the root, becomes the name of the question. */
function underQuestion(record: Answer): Buffer {
  return Buffer.concat([TO_QUESTION, encoded(record).subarray(1)]);
}

function encoded(record: Answer): Buffer {
  return encode({ type: 'response', answers: [record] }).subarray(HEADER_BYTES);
}

function bytesOf(records: readonly Buffer[]): number {
  return records.reduce((sum, { length }) => sum + length, 0);
}

/**
 * The name of the question, and where it ends. A dot inside a label, or a byte that is no ASCII, is
 * written as `\DDD`, so that two names are one text only if they are one name.
 */
function questionName(buffer: Buffer): { readonly text: string; readonly end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const length = buffer[at] ?? 0;
    at += 1;
    if (length === 0) return { text: labels.join('.'), end: at };
    if (length > 63) throw formatError('the name of a question is written out');
    labels.push(labelText(buffer.subarray(at, at + length)));
    at += length;
  }
}

const DOT = 0x2e;
const BACKSLASH = 0x5c;

function labelText(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const isPlain = byte > 0x20 && byte < 0x7f && byte !== DOT && byte !== BACKSLASH;
    text += isPlain ? String.fromCharCode(byte) : `\\${String(byte).padStart(3, '0')}`;
  }
  return text;
}

function packetOf(bytes: Uint8Array): DecodedPacket {
  if (bytes.length < HEADER_BYTES) throw formatError(`${bytes.length} bytes are no message`);
  if (isResponse(bytes)) throw formatError('a response is no query');
  try {
    return decode(asBuffer(bytes));
  } catch (thrown) {
    throw formatError(messageOf(thrown), thrown);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function formatError(why: string, cause?: unknown): SkepError {
  return new SkepError('invalid-argument', `not a DNS query: ${why}`, { cause });
}
