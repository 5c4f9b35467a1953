import { describe, expect, it } from '@jest/globals';

import { nodeState, port, type FixtureCluster } from '../__fixtures__/cluster.js';
import { VOTE_CLUSTER } from '../__fixtures__/vote.js';
import { buildNameView } from './name-view.js';
import { resolveName, type NameAnswer, type NameQuery } from './resolve.js';
import { reverseAddress, reverseName } from './reverse-name.js';

const CLUSTER: FixtureCluster = {
  ...VOTE_CLUSTER,
  networks: [
    ...VOTE_CLUSTER.networks,
    {
      id: 'n2',
      name: 'back.Net',
      subnet: '10.0.10.0/24',
      gateway: '10.0.10.1',
      vxlanId: 4098,
      isInternal: true,
      balancers: { node1: '10.0.10.2' },
    },
  ],
  services: [
    {
      id: 'web',
      name: 'Web',
      order: 1,
      vips: { ingress: '10.0.0.9', overlay1: '10.0.9.2' },
      aliases: ['www'],
      ports: [port(8080, 80, { name: 'http' }), port(5353, 53, { name: 'dns', protocol: 'udp' })],
    },
    { id: 'rr', order: 2, vips: { overlay1: '' }, aliases: ['round'] },
    { id: 'idle', order: 3, vips: { overlay1: '10.0.9.50' } },
    { id: 'db', order: 4, vips: { n2: '10.0.10.9' }, aliases: ['web'] },
    { id: 'a.b', order: 5, vips: { n2: '10.0.10.19' } },
  ],
  tasks: [
    task(
      't1',
      'web',
      1,
      { ingress: '10.0.0.21', overlay1: '10.0.9.21' },
      { aliases: ['t1', 'h1'] },
    ),
    task('t2', 'web', 2, { ingress: '10.0.0.22', overlay1: '10.0.9.22' }),
    task('t3', 'web', 3, { ingress: '10.0.0.23', overlay1: '10.0.9.23' }),
    task('r1', 'rr', 1, { overlay1: '10.0.9.31' }),
    task('r2', 'rr', 2, { overlay1: '10.0.9.32' }, { weight: 0 }),
    task('r3', 'rr', 3, { overlay1: '10.0.9.33' }, { state: 'draining' }),
    task('d1', 'db', 1, { n2: '10.0.10.21', overlay1: '10.0.9.61' }),
    task('i1', 'a.b', 1, { n2: '10.0.10.31' }, { dnsOptions: ['ndots:1', 'rotate'] }),
  ],
};

function task(
  id: string,
  service: string,
  slot: number,
  addresses: Record<string, string>,
  rest: Partial<FixtureCluster['tasks'][number]> = {},
): FixtureCluster['tasks'][number] {
  return { id, service, slot, addresses, node: 'node1', ...rest };
}

const VIEW = buildNameView(nodeState(CLUSTER, 'node1'));

function ask(name: string, type: NameQuery['type'], taskId = 'r1', seed = 0): NameAnswer {
  return resolveName({ name, type }, { taskId }, VIEW, seed);
}

/** `NOERROR 10.0.9.2`, sorted; `forward host`. */
function short(answer: NameAnswer): string {
  if (answer.type === 'forward') return `forward ${answer.via}`;
  const records = answer.records.map((record) =>
    record.type === 'PTR'
      ? record.target
      : record.type === 'SRV'
        ? `${record.target}:${record.port}`
        : record.address,
  );
  return [answer.rcode, ...records.sort()].join(' ');
}

describe('resolveName', () => {
  it.each([
    // 12.9
    ['web', 'A', 'NOERROR 10.0.9.2'],
    ['tasks.web', 'A', 'NOERROR 10.0.9.21 10.0.9.22 10.0.9.23'],
    ['web.overlay1', 'A', 'NOERROR 10.0.9.2'],
    ['web', 'AAAA', 'NOERROR'],
    ['web', 'MX', 'NOERROR'],
    ['21.9.0.10.in-addr.arpa', 'PTR', 'NOERROR Web.1.t1.overlay1'],
    ['2.9.0.10.in-addr.arpa', 'PTR', 'forward host'],
    ['99.9.0.10.in-addr.arpa', 'PTR', 'forward host'],
    ['example.com', 'A', 'forward host'],
    ['unknown', 'A', 'forward host'],
    ['unknown', 'MX', 'forward host'],
    // Names are compared without case, and may end in a dot.
    ['WEB', 'A', 'NOERROR 10.0.9.2'],
    ['Tasks.Web.Overlay1.', 'A', 'NOERROR 10.0.9.21 10.0.9.22 10.0.9.23'],
    // Aliases and names of single tasks.
    ['www', 'A', 'NOERROR 10.0.9.2'],
    ['tasks.www', 'A', 'NOERROR 10.0.9.21 10.0.9.22 10.0.9.23'],
    ['web.1.t1', 'A', 'NOERROR 10.0.9.21'],
    ['web.1.t1.overlay1', 'A', 'NOERROR 10.0.9.21'],
    ['h1', 'A', 'NOERROR 10.0.9.21'],
    ['h1', 'AAAA', 'NOERROR'],
    // dnsrr: all enabled tasks; weight 0 gets no new connections, draining ones are gone.
    ['rr', 'A', 'NOERROR 10.0.9.31'],
    ['round', 'A', 'NOERROR 10.0.9.31'],
    ['tasks.rr', 'A', 'NOERROR 10.0.9.31 10.0.9.32'],
    ['rr.3.r3', 'A', 'forward host'],
    ['33.9.0.10.in-addr.arpa', 'PTR', 'forward host'],
    // A service without tasks is known and has no address.
    ['idle', 'A', 'NOERROR'],
    ['tasks.idle', 'A', 'NOERROR'],
    // What can only be ours and is not there does not exist.
    ['tasks.nobody', 'A', 'NXDOMAIN'],
    ['nobody.overlay1', 'A', 'NXDOMAIN'],
    ['nobody.overlay1', 'MX', 'NXDOMAIN'],
    ['a.b.nobody.overlay1', 'AAAA', 'NXDOMAIN'],
    // Names of networks that the client is not in mean nothing to it.
    ['db', 'A', 'forward host'],
    ['db.back.net', 'A', 'forward host'],
    // Types that have no answer: ours are empty, others are asked upstream.
    ['web', 'TXT', 'NOERROR'],
    ['example.com', 'TXT', 'forward host'],
    ['', 'NS', 'forward host'],
    // Malformed.
    ['a..b', 'A', 'FORMERR'],
    ['x'.repeat(64), 'A', 'FORMERR'],
    [`${'x.'.repeat(127)}xx`, 'A', 'FORMERR'],
    ['not.an.address.in-addr.arpa', 'PTR', 'forward host'],
    ['1.2.ip6.arpa', 'PTR', 'forward host'],
  ])('%s %s: %s', (name, type, expected) => {
    expect(short(ask(name, type))).toBe(expected);
  });

  it('searches the networks of the client in its order, and the first hit wins', () => {
    // `web` is an alias in the second network.
    expect(short(ask('web', 'A', 'd1'))).toBe('NOERROR 10.0.10.9');
    const other = { networks: ['overlay1', 'n2'] };
    expect(short(resolveName({ name: 'web', type: 'A' }, other, VIEW))).toBe('NOERROR 10.0.9.2');
    expect(short(ask('web.back.net', 'A', 'd1'))).toBe('NOERROR 10.0.10.9');
    expect(short(ask('web.overlay1', 'A', 'd1'))).toBe('NOERROR 10.0.9.2');
  });

  it('takes a name as a whole before its end is taken for a network', () => {
    expect(short(ask('a.b', 'A', 'd1'))).toBe('NOERROR 10.0.10.19');
    expect(short(ask('a.b.back.net', 'A', 'd1'))).toBe('NOERROR 10.0.10.19');
  });

  it('forwards from the task itself when all its networks are internal', () => {
    expect(short(ask('example.com', 'A', 'i1'))).toBe('forward task');
    expect(short(ask('example.com', 'A', 'd1'))).toBe('forward host');
  });

  it('answers a name without a dot empty when the user set ndots', () => {
    expect(short(ask('unknown', 'A', 'i1'))).toBe('NOERROR');
    expect(short(ask('un.known', 'A', 'i1'))).toBe('forward task');
  });

  it('has no names in the ingress network', () => {
    expect(short(ask('web.ingress', 'A', 't1'))).toBe('NXDOMAIN');
    expect(short(ask('21.0.0.10.in-addr.arpa', 'PTR', 't1'))).toBe('forward host');
  });

  it('knows nothing for a client that is not there', () => {
    expect(short(ask('web', 'A', 'gone'))).toBe('forward host');
    expect(short(ask('tasks.web', 'A', 'gone'))).toBe('forward host');
  });

  it.each([
    ['_http._tcp.web', 'Web.1.t1.overlay1:80 Web.2.t2.overlay1:80 Web.3.t3.overlay1:80'],
    ['http.tcp.web.overlay1', 'Web.1.t1.overlay1:80 Web.2.t2.overlay1:80 Web.3.t3.overlay1:80'],
    ['_dns._udp.www', 'Web.1.t1.overlay1:53 Web.2.t2.overlay1:53 Web.3.t3.overlay1:53'],
  ])('SRV %s', (name, expected) => {
    expect(short(ask(name, 'SRV'))).toBe(`NOERROR ${expected}`);
  });

  it('defect 25: answers to SRV are of type SRV', () => {
    const answer = ask('_http._tcp.web', 'SRV');
    expect(answer.type === 'answer' && answer.records.map(({ type }) => type)).toEqual([
      'SRV',
      'SRV',
      'SRV',
    ]);
    expect(short(ask('_ftp._tcp.web', 'SRV'))).toBe('NXDOMAIN');
    expect(short(ask('_http._udp.web', 'SRV'))).toBe('NXDOMAIN');
    expect(short(ask('_http._tcp.example.com', 'SRV'))).toBe('forward host');
    expect(short(ask('web', 'SRV'))).toBe('NOERROR');
  });

  it('gives answers, and that there is none, the short time to live of the cluster', () => {
    const positive = ask('web', 'A');
    const negative = ask('tasks.nobody', 'A');
    expect(positive).toMatchObject({
      ttlSeconds: 5,
      isAuthoritative: true,
      records: [{ ttlSeconds: 5 }],
    });
    expect(negative).toMatchObject({ ttlSeconds: 5, isAuthoritative: true });
  });

  it('shuffles by seed: the same for the same, and no order preferred', () => {
    const order = (seed: number): string => {
      const answer = ask('tasks.web', 'A', 'r1', seed);
      return answer.type === 'answer'
        ? answer.records.map((record) => ('address' in record ? record.address : '')).join(' ')
        : '';
    };
    expect(order(7)).toBe(order(7));
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 3000; seed += 1) {
      counts.set(order(seed), (counts.get(order(seed)) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 500)).toBeLessThan(100);
  });

  it('12.9: a task that drains disappears from tasks.web at once, the VIP stays', () => {
    const drained = (ids: readonly string[]): ReturnType<typeof buildNameView> =>
      buildNameView(
        nodeState(
          {
            ...CLUSTER,
            tasks: CLUSTER.tasks.map((one) =>
              ids.includes(one.id) ? { ...one, state: 'draining' as const } : one,
            ),
          },
          'node1',
        ),
      );
    const from = { taskId: 'r1' };
    const one = drained(['t2']);
    expect(short(resolveName({ name: 'tasks.web', type: 'A' }, from, one))).toBe(
      'NOERROR 10.0.9.21 10.0.9.23',
    );
    const all = drained(['t1', 't2', 't3']);
    expect(short(resolveName({ name: 'tasks.web', type: 'A' }, from, all))).toBe('NOERROR');
    expect(short(resolveName({ name: 'web', type: 'A' }, from, all))).toBe('NOERROR 10.0.9.2');
  });

  it('merges what two services say about one alias in a network', () => {
    const shared = {
      ...CLUSTER,
      services: CLUSTER.services.map((service) => ({ ...service, aliases: ['shared'] })),
    };
    const view = buildNameView(nodeState(shared, 'node1'));
    const answer = resolveName({ name: 'shared', type: 'A' }, { taskId: 'r1' }, view);
    expect(short(answer)).toBe('NOERROR 10.0.9.2 10.0.9.31');
  });
});

describe('reverse names', () => {
  it.each([
    ['10.0.9.21', '21.9.0.10.in-addr.arpa'],
    ['2001:db8::1', '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa'],
  ])('%s is %s', (address, name) => {
    expect(reverseName(address)).toBe(name);
    expect(reverseAddress(name)).toBe(address);
  });

  it('is nothing for anything else', () => {
    expect(reverseName('x')).toBeUndefined();
    expect(reverseAddress('1.2.3.in-addr.arpa')).toBeUndefined();
    expect(reverseAddress('example.com')).toBeUndefined();
  });
});
