import { describe, expect, it } from '@jest/globals';

import { voteNode } from '../__fixtures__/vote.js';
import { renderNode } from '../ipvs/render.js';
import { renderNftables } from '../nft/render.js';
import { buildTables } from '../table/build.js';

const { state, local } = voteNode('node1');
const TABLES = buildTables(state, local);

describe.each([
  ['ipvs', renderNode],
  ['nftables', renderNftables],
])('the gateway bridge of a node under %s', (_, render) => {
  const lines = render(TABLES)
    .flatMap(({ texts }) => texts.ip.split('\n'))
    .filter((line) => line !== '');

  // Without one it has that of a port, and another one when that goes: answers were lost then.
  it('has a MAC address of its own, and not that of one of its ports', () => {
    const { name, address } = TABLES.host.gatewayBridge;
    expect([name, address]).toEqual(['docker_gwbridge', '172.18.0.1/16']);
    expect(lines).toContain('link set docker_gwbridge address 02:42:ac:12:00:01');
  });

  it('has legs whose MAC addresses follow from their addresses', () => {
    const legs = lines.flatMap((line) => {
      const match = /^link add gw([0-9a-f]{8}) .* address (\S+) netns/.exec(line);
      return match === null ? [] : [match.slice(1)];
    });
    expect(legs.length).toBeGreaterThan(0);
    for (const [address = '', mac = ''] of legs) {
      expect(mac).toBe(`02:42:${address.replace(/..(?!$)/g, '$&:')}`);
    }
    const all = lines.filter((line) => line.startsWith('link add gw'));
    expect(legs).toHaveLength(all.length);
  });
});
