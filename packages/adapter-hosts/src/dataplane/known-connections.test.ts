import { describe, expect, it } from '@jest/globals';
import { familiesOf, knownConnections } from './known-connections.js';

const forget = (destination: string, source: string, family = 'ipv4'): string =>
  `-D -f ${family} --orig-dst ${destination} --reply-src ${source}`;

/** As `conntrack -L` prints them. */
/** As conntrack(8) prints them: a line each. */
const PRINTED = [
  [
    'udp      17 28 src=10.0.9.8 dst=10.0.9.2 sport=4000 dport=53 [UNREPLIED]',
    'src=10.0.9.3 dst=10.0.9.8 sport=53 dport=4000 mark=0 use=1',
  ],
  [
    'tcp      6 431999 ESTABLISHED src=10.0.9.8 dst=10.0.9.7 sport=4001 dport=80',
    'src=10.0.9.4 dst=10.0.9.8 sport=80 dport=4001 [ASSURED] mark=0 use=1',
  ],
  [
    'tcp      6 300 ESTABLISHED src=fd00::8 dst=fd00::2 sport=4002 dport=80',
    'src=fd00::3 dst=fd00::8 sport=80 dport=4002 mark=0 use=1',
  ],
  [''],
]
  .map((parts) => parts.join(' '))
  .join('\n');

describe('connections to forget', () => {
  it('are those that there are, by the address asked for and who answers', () => {
    const there = [forget('10.0.9.2', '10.0.9.3'), forget('fd00::2', 'fd00::3', 'ipv6')];
    const none = [
      forget('10.0.9.2', '10.0.9.4'),
      forget('10.0.9.7', '10.0.9.3'),
      forget('10.0.9.8', '10.0.9.3'),
      forget('fd00::2', 'fd00::8', 'ipv6'),
    ];
    expect(knownConnections([...none, ...there], PRINTED)).toEqual(there);
    expect(knownConnections(there, '')).toEqual([]);
  });

  it('keeps what it does not understand', () => {
    expect(knownConnections(['-F'], '')).toEqual(['-F']);
  });

  it('names the families to list', () => {
    const lines = [forget('a', 'b', 'ipv6'), forget('10.0.9.2', '10.0.9.3'), forget('c', 'd')];
    expect(familiesOf(lines)).toEqual(['ipv4', 'ipv6']);
  });
});
