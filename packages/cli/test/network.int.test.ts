/**
 * `skep tables`, `dns`, `trace packet` and `map`: what they show of a simulated cluster.
 */
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
    ['tables node1 --format xml', /Allowed choices are table, ipvsadm, iptables/],
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

  it('draws requests only there', async () => {
    const { code, err } = await on('map --to node1:8080');
    expect(code).toBe(EXIT.badInput);
    expect(err).toMatch(/add --format svg/);
  });
});
