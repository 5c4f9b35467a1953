import { describe, expect, it } from '@jest/globals';
import { ipvsRepair, listingDifference, readListing, type RuleTool } from './rule-listing.js';

const nft = (...objects: readonly unknown[]): string =>
  JSON.stringify({ nftables: [{ metainfo: { version: '1.0.6' } }, ...objects] });
const table = { table: { family: 'inet', name: 'skep', handle: 1 } };
const slots = (handle: number, ...elem: readonly unknown[]): unknown => ({
  map: { family: 'inet', table: 'skep', name: 'slots4', handle, type: 'ipv4_addr', elem },
});
const slot = (number: number, backend: string): unknown => [
  { concat: ['10.0.9.2', number] },
  backend,
];
const rule = (handle: number, mark: number): unknown => ({
  rule: { family: 'inet', table: 'skep', chain: 'draw', handle, expr: [{ mangle: mark }] },
});

function difference(tool: RuleTool, wanted: string, actual: string): readonly string[] {
  return listingDifference(tool, readListing(tool, wanted), readListing(tool, actual));
}

describe('listings of nft', () => {
  const wanted = nft(table, slots(2, slot(0, 'a'), slot(1, 'b')), rule(3, 1), rule(4, 2));

  it('are equal whatever the handles and the order of elements', () => {
    const actual = nft(table, rule(8, 1), rule(9, 2), slots(7, slot(1, 'b'), slot(0, 'a')));
    expect(difference('nft', wanted, actual)).toEqual([]);
  });

  it('tell each element', () => {
    const actual = nft(table, slots(2, slot(0, 'x'), slot(2, 'c')), rule(3, 1), rule(4, 2));
    expect(difference('nft', wanted, actual)).toEqual([
      'map inet skep slots4 element 10.0.9.2 . 0 is another',
      'map inet skep slots4 element 10.0.9.2 . 1 is missing',
      'map inet skep slots4 element 10.0.9.2 . 2 should not be there',
    ]);
  });

  it('tell a chain whose rules differ, also in their order alone', () => {
    const actual = nft(table, slots(2, slot(0, 'a'), slot(1, 'b')), rule(3, 2), rule(4, 1));
    expect(difference('nft', wanted, actual)).toEqual(['rules inet skep draw is another']);
  });

  it('say of a missing table no more than that; tables of others do not matter', () => {
    const other = { table: { family: 'ip', name: 'filter', handle: 5 } };
    expect(difference('nft', wanted, nft(other))).toEqual(['table inet skep is missing']);
  });
});

describe('listings of iptables', () => {
  const wanted =
    '*nat\n:OUTPUT ACCEPT [0:0]\n:OWN - [0:0]\n-A OUTPUT -j OWN\n-A OUTPUT -j X\nCOMMIT\n';

  it('are equal whatever the counters and comments', () => {
    const actual = `# Generated\n${wanted.replaceAll('[0:0]', '[7:420]')}# Completed\n`;
    expect(difference('iptables', wanted, actual)).toEqual([]);
  });

  it('tell chains and policies', () => {
    const actual = '*nat\n:OUTPUT DROP [0:0]\n-A OUTPUT -j X\n-A OUTPUT -j OWN\nCOMMIT\n';
    expect(difference('iptables', wanted, actual)).toEqual([
      'chain nat OWN is missing',
      'rules nat OUTPUT is another',
      'policy nat OUTPUT should not be there',
    ]);
  });
});

describe('services of IPVS', () => {
  const wanted =
    '-A -f 256 -s rr\n-a -f 256 -r 10.0.9.3:0 -m -w 1\n-a -f 256 -r 10.0.9.4:0 -m -w 1\n' +
    '-A -f 257 -6 -s rr\n-a -f 257 -6 -r [fd00::3]:0 -m -w 1\n';

  it.each<[string, string, readonly string[]]>([
    ['nothing to do', wanted, []],
    [
      'everything is missing',
      '',
      [
        '-A -f 256 -s rr',
        '-A -f 257 -6 -s rr',
        '-a -f 256 -r 10.0.9.3:0 -m -w 1',
        '-a -f 256 -r 10.0.9.4:0 -m -w 1',
        '-a -f 257 -6 -r [fd00::3]:0 -m -w 1',
      ],
    ],
    [
      'weight, scheduler, a backend and a service too many',
      wanted.replace('3:0 -m -w 1', '3:0 -m -w 0').replace('-s rr', '-s wrr') +
        '-a -f 256 -r 10.0.9.9:0 -m -w 1\n-A -f 300 -s rr\n-a -f 300 -r 10.0.9.8:0 -m -w 1\n',
      [
        '-d -f 256 -r 10.0.9.9:0',
        '-D -f 300',
        '-E -f 256 -s rr',
        '-e -f 256 -r 10.0.9.3:0 -m -w 1',
      ],
    ],
  ])('%s', (_, actual, commands) => {
    expect(ipvsRepair(readListing('ipvs', wanted), readListing('ipvs', actual))).toEqual(commands);
  });
});
