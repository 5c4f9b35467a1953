/**
 * `skep tables`, `dns`, `trace packet` and `map`: what they show of a simulated cluster.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { EXIT } from '../src/surroundings.js';
import { skep, type Outcome } from './shell.js';

const VOTE = `
services:
  vote:
    image: example/vote:1
    networks: [overlay1]
    ports: ["8080:80", "5300:53/udp"]
    deploy: { replicas: 2 }
  client: { image: example/client:1, networks: [overlay1] }
networks: { overlay1: {} }
`;

/** Published, and nobody can run it. */
const STUCK = `
services:
  vote:
    image: example/vote:1
    ports: ["8080:80"]
    deploy: { placement: { constraints: [node.labels.disk == ssd] } }
`;

const on = (command: string, stack = VOTE): Promise<Outcome> =>
  skep([...command.split(' '), '-f', 's.yml'], { 's.yml': stack });

async function shown(command: string): Promise<string> {
  const { code, out, err } = await on(command);
  expect({ code, err }).toEqual({ code: EXIT.ok, err: '' });
  return out;
}

describe('skep tables', () => {
  it('shows ports, virtual addresses and backends', async () => {
    const out = await shown('tables node1');
    expect(out).toMatch(/8080\/tcp +172\.18\.0\.2:8080 +0x1\d\d +vote/);
    expect(out).toMatch(/5300->53\/udp/);
    expect(out).toMatch(/10\.0\.1\.\d+ +0x1\d\d +vote +all +rr +10\.0\.1\.\d+ +1 +vote\.1\./);
  });

  it('of one network, in the form of the tools', async () => {
    const ipvsadm = await shown('tables node2 --network ingress --format ipvsadm');
    expect(ipvsadm).toMatch(/^# ipvs in namespace ingress_sbox\n-A -f \d+ -s rr\n/);
    expect(ipvsadm.match(/^# /gm)).toHaveLength(1);
    const nft = await shown('tables node2 --network ingress --format nft');
    expect(nft).toMatch(/^# nft in namespace ingress_sbox\n/);
    expect(nft).toMatch(/tcp \. 8080/);
    const iptables = await shown('tables node1 --format iptables');
    expect(iptables).toContain('# iptables in namespace host\n');
    expect(iptables).toContain('-A DOCKER-INGRESS -p tcp -m tcp --dport 8080 -j DNAT');
    expect(iptables).toMatch(/# iptables in namespace task_/);
  });

  it('for programs', async () => {
    const { networks } = JSON.parse(await shown('tables node1 --format json')) as {
      readonly networks: Record<string, { readonly name: string; readonly vips: object }>;
    };
    const names = Object.values(networks).map(({ name }) => name);
    expect(names.sort()).toEqual(['ingress', 'overlay1']);
  });

  it.each([
    ['tables node9', /no host 'node9'/],
    ['tables node1 --network nope', /no network 'nope' on node node1 \(there are: .*ingress/],
    ['tables node1 --format xml', /Allowed choices are table, ipvsadm, nft, iptables, json/],
  ])('says what is wrong: %s', async (command, message) => {
    const { code, out, err } = await on(command);
    expect({ code, out }).toEqual({ code: EXIT.badInput, out: '' });
    expect(err).toMatch(message);
  });
});

describe('skep dns', () => {
  it.each([
    ['vote', 'A', /^NOERROR: known\n {2}10\.0\.1\.\d+\nto be kept for 5 s$/m],
    ['tasks.vote', 'A', /^ {2}10\.0\.1\.\d+\n {2}10\.0\.1\.\d+$/m],
    ['vote', 'AAAA', /^NOERROR: known\n {2}no AAAA record$/m],
  ])('%s %s', async (name, type, expected) => {
    expect(await shown(`dns ${name} --type ${type} --from client`)).toMatch(expected);
  });

  it.each([
    ['tasks.nobody', /^NXDOMAIN: no such name in the cluster$/m],
    ['example.com', /^forwarded: not a name of the cluster/m],
  ])('exits with 1 for what the cluster does not know: %s', async (name, expected) => {
    const { code, out } = await on(`dns ${name} --from client`);
    expect(code).toBe(EXIT.unsettled);
    expect(out).toMatch(expected);
  });

  it('answers programs, and refuses an asker that is not there', async () => {
    const json = JSON.parse(await shown('dns vote --json --from client')) as unknown;
    expect(json).toMatchObject({ name: 'vote', type: 'A', outcome: 'NOERROR', ttlSeconds: 5 });
    const { code, err } = await on('dns vote --from nobody');
    expect(code).toBe(EXIT.badInput);
    expect(err).toMatch(/no running task is meant by 'nobody'/);
  });
});

describe('skep trace packet', () => {
  it('tells each step, and who answered', async () => {
    const out = await shown('trace packet --to node2:8080 --count 2');
    expect(out).toMatch(/^1 {2}somebody outside → node2:8080 \(tcp\)$/m);
    expect(out).toMatch(/node2 host +prerouting +DNAT/);
    expect(out).toMatch(/ingress_sbox +balance +backend/);
    const answered = [...out.matchAll(/^ {2}by (vote\.\d)\./gm)].map(([, task]) => task);
    expect(answered.sort()).toEqual(['vote.1', 'vote.2']);
  });

  it('from a task, over udp', async () => {
    const out = await shown('trace packet --to node1:5300 --protocol udp');
    expect(out).toMatch(/REDIRECT --to-ports 53/);
    const inside = await shown('trace packet --to http://vote/ --from client --json');
    expect(JSON.parse(inside)).toMatchObject([{ outcome: 'answered', status: 200 }]);
  });

  it.each([
    ['trace packet --to node1:9', /refused/],
    [
      'trace packet --to http://nobody/ --from client',
      /unresolved: the name 'nobody' is not known/,
    ],
  ])('exits with 1 when nobody answers: %s', async (command, expected) => {
    const { code, out } = await on(command);
    expect(code).toBe(EXIT.unsettled);
    expect(out).toMatch(expected);
  });

  it('says so when the cluster is not as declared', async () => {
    const { code, err } = await on('trace packet --to node1:8080', STUCK);
    expect(code).toBe(EXIT.unsettled);
    expect(err).toMatch(/^not as declared\n/);
    expect((await on('tables node1', STUCK)).code).toBe(EXIT.unsettled);
  });
});

describe('the dataplane', () => {
  const NFTABLES = `
apiVersion: skep/v1
kind: Cluster
metadata: { name: default }
spec: { dataplane: nftables, dnsTtlMs: 1000 }
`;

  it('is chosen by an option: requests pass its rules, and clients keep their addresses', async () => {
    const out = await shown('trace packet --to node2:8080 --count 2 --dataplane nftables');
    const answered = [...out.matchAll(/^ {2}by (vote\.\d).*\(it saw 192\.168\.50\.1\)$/gm)];
    expect(answered.map(([, task]) => task).sort()).toEqual(['vote.1', 'vote.2']);
    expect(await shown('simulate --dataplane nftables')).toMatch(/^settled as declared/m);
  });

  it('or by the settings of the cluster, which give way to the option', async () => {
    const files = { 's.yml': VOTE, 'c.yml': NFTABLES };
    const trace = (...more: readonly string[]): Promise<Outcome> =>
      skep('trace packet --to node1:8080 -f s.yml -f c.yml'.split(' ').concat(more), files);
    const declared = await trace();
    expect(declared).toMatchObject({ code: EXIT.ok, err: '' });
    expect(declared.out).toContain('(it saw 192.168.50.1)');
    expect(await trace('--dataplane', 'nftables')).toMatchObject({ code: EXIT.ok });
  });

  it('refuses what it cannot do, with the reason', async () => {
    const manifest = `
apiVersion: skep/v1
kind: Service
metadata: { name: busy }
spec:
  task: { container: { image: example/busy:1 } }
  endpoint: { algorithm: least-connections }
`;
    expect((await on('simulate', manifest)).code).toBe(EXIT.ok);
    const { code, err } = await on('simulate --dataplane nftables', manifest);
    expect(code).toBe(EXIT.badInput);
    expect(err).toMatch(/spec\.endpoint\.algorithm: .*nftables cannot compare .*use round-robin/);
  });
});

describe('skep map', () => {
  it('in text', async () => {
    const out = await shown('map');
    expect(out).toMatch(/^node1 {2}192\.168\.50\.11$/m);
    expect(out).toMatch(/VIP of vote/);
  });

  it('as one SVG, with the way of a request', async () => {
    const svg = await shown('map --format svg --to node1:8080');
    expect(svg).toMatch(/^<svg /);
    expect(svg).toContain('client outside');
    expect(svg).toMatch(/class="path"/);
    expect(await shown('map --format svg --to node1:8080')).toBe(svg);
  });

  it.each(['ipvs', 'nftables'])('begins at the task that asks: %s', async (dataplane) => {
    const svg = await shown(
      `map --format svg --from client --to http://vote/ --dataplane ${dataplane}`,
    );
    const way = /The request: ([^<]*)/.exec(svg)?.[1];
    expect(way).toMatch(/^client\.1\.\w+, balancer of overlay1, vote\.\d\.\w+\.$/);
  });

  /** Ids follow from how often the manager draws them, which is nothing to draw anew for. */
  const withoutIds = (svg: string): string =>
    svg.replace(/[a-z0-9]{25}/g, 'id').replace(/(\.\d)\.[a-z0-9]{8}/g, '$1');

  it.each(['ipvs', 'nftables'])(
    'docs/images/request-%s.svg is what it draws',
    async (dataplane) => {
      const stack = readFileSync('examples/vote/stack.yml', 'utf8');
      const command = `map --format svg --to node1:8080 --dataplane ${dataplane}`;
      const { code, out } = await on(command, stack);
      expect(code).toBe(EXIT.ok);
      const drawn = readFileSync(`docs/images/request-${dataplane}.svg`, 'utf8');
      expect(withoutIds(drawn)).toBe(withoutIds(out));
    },
  );

  it('draws requests only there', async () => {
    const { code, err } = await on('map --to node1:8080');
    expect(code).toBe(EXIT.badInput);
    expect(err).toMatch(/add --format svg/);
  });
});
