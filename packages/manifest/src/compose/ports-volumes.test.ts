import { describe, expect, it } from '@jest/globals';
import { parseShortPort } from './ports.js';
import { parseShortVolume } from './volumes.js';

function pairs(text: string): string {
  const result = parseShortPort(text);
  if ('fault' in result) return `fault: ${result.fault}`;
  const ports = result.ports.map((p) => `${p.published}:${p.target}/${p.protocol}`).join(' ');
  return result.hostAddress === '' ? ports : `${result.hostAddress} ${ports}`;
}

describe('parseShortPort', () => {
  it.each([
    ['80', '0:80/tcp'],
    ['8080:80', '8080:80/tcp'],
    ['53:53/UDP', '53:53/udp'],
    ['80/', '0:80/tcp'],
    ['3000-3002', '0:3000/tcp 0:3001/tcp 0:3002/tcp'],
    ['9-11:99-101', '10:100/tcp 11:101/tcp 9:99/tcp'],
    ['8000-8002:80', '8000:80/tcp 8001:80/tcp 8002:80/tcp'],
    ['127.0.0.1:80:81', '127.0.0.1 80:81/tcp'],
    ['127.0.0.1::81', '127.0.0.1 0:81/tcp'],
    ['[::1]:80:81/sctp', '::1 80:81/sctp'],
    ['::1:80:81', '::1 80:81/tcp'],
    [':80', '0:80/tcp'],
    ['0', '0:0/tcp'],
  ])('%s is %s', (text, expected) => {
    expect(pairs(text)).toBe(expected);
  });

  it.each([
    ['', "no target port in ''"],
    ['80:', "no target port in '80:'"],
    ['x', "'x' is not a port"],
    ['70000', "'70000' is not a port"],
    ['80:70000', "'70000' is not a port"],
    ['5-3', "'5-3' is not a port"],
    ['1-2:1-3', "the ranges '1-2' and '1-3' have different lengths"],
    ['1-3:1-2', "the ranges '1-3' and '1-2' have different lengths"],
    ['80/icmp', "'icmp' is not a protocol"],
    ['1.2.3:80:80', "'1.2.3' is not an IP address"],
    ['[::1:80:80', "'[::1' is not an IP address"],
    ['8080: 80', "' 80' is not a port"],
  ])('refuses %j', (text, fault) => {
    expect(pairs(text)).toBe(`fault: ${fault}`);
  });
});

describe('parseShortVolume', () => {
  it.each([
    ['/data', { type: 'volume', source: '', target: '/data' }],
    ['a', { type: 'volume', source: '', target: 'a' }],
    ['data:/x', { type: 'volume', source: 'data', target: '/x' }],
    ['./x:/y:ro', { type: 'bind', source: './x', target: '/y', isReadOnly: true }],
    ['~/x:/y:rw', { type: 'bind', source: '~/x', isReadOnly: false }],
    ['/x:/y:ro,rshared', { type: 'bind', isReadOnly: true, propagation: 'rshared' }],
    ['data:/x:nocopy', { type: 'volume', hasNoCopy: true }],
    ['data:/x:z,cached', { type: 'volume', unknown: ['z', 'cached'] }],
    ['C:\\x:D:\\y', { type: 'bind', source: 'C:\\x', target: 'D:\\y' }],
    ['\\\\.\\pipe\\d:\\\\.\\pipe\\d', { type: 'bind' }],
    // A name of one letter looks like a drive.
    ['v:/data', { type: 'volume', source: '', target: 'v:/data' }],
  ])('reads %s', (text, expected) => {
    expect(parseShortVolume(text)).toMatchObject(expected);
  });

  it.each([
    ['', 'an empty text is not a mount'],
    [':/media/', "empty section between colons in ':/media/'"],
    ['abc:', "empty section between colons in 'abc:'"],
    ['a1:/b:ro:x', "too many colons in 'a1:/b:ro:x'"],
  ])('refuses %j', (text, fault) => {
    expect(parseShortVolume(text)).toEqual({ fault });
  });
});
