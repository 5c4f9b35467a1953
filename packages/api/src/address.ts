/**
 * Just enough about IP addresses for constraints; the real work is done in `network`.
 */

/** An address range: the value of its prefix, and how many bits of it count. */
export interface CidrRange {
  readonly bits: 32 | 128;
  readonly value: bigint;
  readonly prefix: number;
}

/** Reads `10.0.0.0/8`, `10.0.0.1`, `2001:db8::/32`. Undefined when it is none of these. */
export function parseCidr(text: string): CidrRange | undefined {
  const [addressText = '', prefixText, ...rest] = text.split('/');
  const address = parseAddress(addressText);
  if (address === undefined || rest.length > 0) return undefined;
  if (prefixText === undefined) return { ...address, prefix: address.bits };
  if (!/^\d{1,3}$/.test(prefixText)) return undefined;
  const prefix = Number(prefixText);
  return prefix > address.bits ? undefined : { ...address, prefix };
}

/** Whether the address lies in the range. False for a malformed address or another family. */
export function isInCidr(address: string, range: CidrRange): boolean {
  const parsed = parseAddress(address);
  if (parsed === undefined || parsed.bits !== range.bits) return false;
  const shift = BigInt(range.bits - range.prefix);
  return parsed.value >> shift === range.value >> shift;
}

/** Reads an IPv4 or IPv6 address. */
export function parseAddress(
  text: string,
): { readonly bits: 32 | 128; readonly value: bigint } | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): { bits: 32; value: bigint } | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = (value << 8n) | BigInt(part);
  }
  return { bits: 32, value };
}

function parseIpv6(text: string): { bits: 128; value: bigint } | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const isShort = halves.length === 2;
  // The dotted form may only stand for the last two groups of the whole address.
  const head = groupsOf(halves[0] ?? '', { mayEndInIpv4: !isShort });
  const tail = isShort ? groupsOf(halves[1] ?? '', { mayEndInIpv4: true }) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (isShort ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return { bits: 128, value: groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n) };
}

function groupsOf(text: string, options: { readonly mayEndInIpv4: boolean }): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    const isLast = options.mayEndInIpv4 && index === parts.length - 1;
    const ipv4 = isLast && part.includes('.') ? parseIpv4(part) : undefined;
    if (ipv4 !== undefined) {
      groups.push(Number(ipv4.value >> 16n), Number(ipv4.value & 0xffffn));
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}
