/** Networks of IPv6 alone and of both families, as people see them. */
import { describe, expect, it } from '@jest/globals';

import { port, sixOf, type FixtureCluster, type FixtureFamilies } from '../__fixtures__/cluster.js';
import { VOTE_CLUSTER } from '../__fixtures__/vote.js';
import { tablesOf } from '../__fixtures__/world.js';
import { layoutDrawing } from './drawing-layout.js';
import { renderNodeMap } from './node-map.js';
import { renderTables } from './node-tables-text.js';

const inFamilies = (families: FixtureFamilies): FixtureCluster => ({ ...VOTE_CLUSTER, families });

/** Addresses of the balancer, a task and a virtual address in overlay1, of the sandbox's leg. */
const FOUR = ['10.0.9.6', '10.0.9.4', '10.0.9.2'];
const SIX = FOUR.map(sixOf);

describe.each<[FixtureFamilies, readonly string[], readonly string[]]>([
  ['ipv4', FOUR, SIX],
  ['dual', [...FOUR, ...SIX], []],
  ['ipv6', SIX, FOUR],
])('a cluster of %s', (families, shown, hidden) => {
  const tables = tablesOf(inFamilies(families), 'node1');
  const words = (text: string): readonly string[] => text.split(/[\s()]+/);

  it('has every address on its map', () => {
    const map = renderNodeMap(tables);
    expect(words(map)).toEqual(expect.arrayContaining([...shown]));
    for (const address of hidden) expect(words(map)).not.toContain(address);
    expect(map).toContain('balancer of overlay1');
    expect(map).toMatch(/^ {2}VXLAN id +4096 +4097 +-$/m);
  });

  it('has every address in the text of its tables', () => {
    const text = renderTables(tables);
    expect(words(text)).toEqual(expect.arrayContaining([...shown]));
    expect(text).not.toContain('no address yet');
  });

  it('has every address in its drawing', () => {
    const { nodes, vips } = layoutDrawing({ nodes: [tables] });
    const boxes = nodes.flatMap((node) => node.boxes);
    const texts = boxes.flatMap(({ lines }) => lines.map(({ text }) => text));
    const drawn = [...texts, ...vips.map(({ address }) => address)];
    expect(drawn).toEqual(expect.arrayContaining([...shown]));
    expect(boxes.filter(({ kind }) => kind === 'balancer')).toHaveLength(2);
  });
});

describe('published ports of a gateway bridge with both families', () => {
  const services = VOTE_CLUSTER.services.map((service) =>
    service.id === 'client'
      ? { ...service, ports: [port(9000, 90, { publishMode: 'host' })] }
      : service,
  );

  it('lead to both legs', () => {
    const text = renderTables(tablesOf({ ...inFamilies('dual'), services }, 'node1'));
    const [six2, six3] = ['172.18.0.2', '172.18.0.3'].map(sixOf);
    expect(text).toContain(`8080/tcp  172.18.0.2:8080 [${six2}]:8080  0x101  vote\n`);
    expect(text).toContain(`9000/tcp  172.18.0.3:90 [${six3}]:90`);
  });

  it('and to IPv4 alone where there is no other', () => {
    const text = renderTables(tablesOf({ ...VOTE_CLUSTER, services }, 'node1'));
    expect(text).toContain('8080/tcp  172.18.0.2:8080  0x101  vote\n');
  });
});
