/**
 * The schedulers of IPVS. Answers marked as observed are those of Linux 6.1 in user-mode-linux,
 * where random tables are compared besides (test/uml.int.test.ts).
 */
import { describe, expect, it } from '@jest/globals';

import { Balancer } from './balancer.js';
import { executeAll, parseCommands } from './command.js';
import { NamespaceConfig } from './namespace-config.js';
import type { PacketProtocol } from './packet.js';

/** A director that is asked by clients, connection after connection. */
class Director {
  readonly config = new NamespaceConfig();
  readonly balancer = new Balancer();
  now = 0;
  private nextPort = 1;

  run(...lines: readonly string[]): void {
    executeAll(parseCommands('ipvs', lines.join('\n')), this.config);
  }

  /** Adds backends `10.0.9.NUMBER`, so that the last one named stands first. */
  add(service: string, weights: Readonly<Record<number, number>>): void {
    this.run(`-A -f 256 -s ${service}`);
    for (const [number, weight] of Object.entries(weights)) {
      this.run(`-a -f 256 -r 10.0.9.${number}:0 -m -w ${weight}`);
    }
  }

  /** Number of the backend that a client's new connection gets; `-` for none. */
  ask(
    options: {
      readonly client?: string;
      readonly vip?: string;
      readonly protocol?: PacketProtocol;
      readonly isClosed?: boolean;
    } = {},
  ): string {
    const { client = '10.0.9.100', vip = '10.0.9.2', protocol = 'tcp', isClosed = false } = options;
    this.nextPort += 1;
    const packet = {
      protocol,
      source: client,
      sourcePort: this.nextPort,
      destination: vip,
      destinationPort: 80,
      mark: 256,
    };
    const result = this.balancer.request(packet, this.config.balancers, this.now);
    if (result.type !== 'send') return '-';
    if (isClosed) this.balancer.close(result.connection, this.now);
    return result.connection.backend.address.split(/[.:]/).at(-1) ?? '';
  }

  turns(count: number, options: Parameters<Director['ask']>[0] = {}): string {
    return Array.from({ length: count }, () => this.ask(options)).join(' ');
  }
}

function directed(service: string, weights: Readonly<Record<number, number>>): Director {
  const director = new Director();
  director.add(service, weights);
  return director;
}

describe('round robin', () => {
  it('takes backends in turn, the one that came last first', () => {
    expect(directed('rr', { 3: 1, 4: 1, 5: 1 }).turns(6)).toBe('5 4 3 5 4 3');
  });

  it('passes over those that drain, and takes no heed of weights', () => {
    expect(directed('rr', { 3: 9, 4: 0, 5: 1 }).turns(4)).toBe('5 3 5 3');
    expect(directed('rr', { 3: 0, 4: 0 }).turns(1)).toBe('-');
  });

  it('goes on where it was when backends come and go', () => {
    const director = directed('rr', { 3: 1, 4: 1, 5: 1, 6: 1 });
    expect(director.turns(2)).toBe('6 5');
    director.run('-d -f 256 -r 10.0.9.5:0');
    expect(director.turns(2)).toBe('4 3');
    director.run('-a -f 256 -r 10.0.9.7:0 -m -w 1');
    expect(director.turns(4)).toBe('7 6 4 3');
    director.run('-d -f 256 -r 10.0.9.7:0', '-d -f 256 -r 10.0.9.6:0');
    expect(director.turns(2)).toBe('4 3');
  });
});

describe('weighted round robin', () => {
  // The kernel begins with the weight that the first backend brought, and not with the highest.
  it.each([
    [{ 3: 1, 4: 3 }, '4 3 4 4 4 3 4 4'],
    [{ 3: 3, 4: 1 }, '4 3 3 3 4 3 3 3'],
    [{ 3: 2, 4: 4, 5: 2 }, '5 4 3 4 5 4 3 4'],
    [{ 3: 5, 4: 0 }, '3 3 3 3 3 3 3 3'],
    [{ 3: 0 }, '- - - - - - - -'],
  ])('%j: %s', (weights, turns) => {
    expect(directed('wrr', weights).turns(8)).toBe(turns);
  });

  it('starts at the head again after every change, with the weight it had come to', () => {
    const director = directed('wrr', { 3: 1, 4: 3 });
    // One round in which weight 1 is enough, then the highest, 3, is asked for.
    expect(director.turns(3)).toBe('4 3 4');
    director.run('-a -f 256 -r 10.0.9.5:0 -m -w 2');
    expect(director.turns(4)).toBe('4 5 4 5');
    director.run('-e -f 256 -r 10.0.9.4:0 -m -w 0');
    expect(director.turns(3)).toBe('5 3 5');
  });
});

describe('least connections', () => {
  it('counts an open connection as much as 256 that are ending', () => {
    const director = directed('lc', { 3: 1, 4: 1 });
    expect(director.turns(2)).toBe('4 3');
    expect(director.turns(3, { isClosed: true })).toBe('4 3 4');
    // Both have one that is open; 4 has two that are ending, 3 has one.
    expect(director.ask()).toBe('3');
    director.now += 120_001;
    expect(director.turns(2)).toBe('4 4');
  });

  it('takes every connection of udp for one that is ending (observed)', () => {
    const director = directed('lc', { 3: 1, 4: 1 });
    expect(director.turns(4, { protocol: 'udp' })).toBe('4 3 4 3');
    expect(director.turns(1)).toBe('4');
    expect(director.turns(5, { protocol: 'udp' })).toBe('3 3 3 3 3');
  });

  it('by weight', () => {
    expect(directed('wlc', { 3: 1, 4: 3 }).turns(8)).toBe('4 3 4 4 4 3 4 4');
    expect(directed('lc', { 3: 1, 4: 3 }).turns(4)).toBe('4 3 4 3');
  });

  it('has forgotten a backend that was removed and comes again', () => {
    const director = directed('lc', { 3: 1, 4: 1 });
    director.turns(4);
    director.run('-d -f 256 -r 10.0.9.3:0', '-a -f 256 -r 10.0.9.3:0 -m -w 1');
    expect(director.turns(3)).toBe('3 3 3');
  });
});

// Lists as they were in the kernel, newest first; `weight` or `weight now/last weight`.
const OBSERVED: readonly (readonly [string, string, string])[] = [
  ['sh -b sh-fallback', '26=2 25=0 24=0 23=2 22=6 21=2', '3'],
  ['sh -b sh-fallback', '23=0/2 26=3 25=0/6 24=4 22=1', '4'],
  ['sh -b sh-fallback', '24=4 26=0/1 23=2 22=0/3', '3'],
  ['sh -b sh-fallback', '26=2 25=3 23=0 22=1 21=6', '1'],
  ['mh -b mh-fallback', '25=0 24=0 23=4 22=2 21=0', '3'],
  ['mh -b mh-fallback', '25=4 23=0/2', '5'],
];
const OBSERVED_6: readonly (readonly [string, string, string])[] = [
  ['sh -b sh-fallback', '26=2 25=0 24=0 23=2 22=6 21=2', '3'],
  ['sh -b sh-fallback', '23=0/2 26=3 25=0/6 24=4 22=1', '4'],
  ['sh -b sh-fallback', '24=4 26=0/1 23=2 22=0/3', '4'],
  ['sh -b sh-fallback', '26=2 25=3 23=0 22=1 21=6', '6'],
  ['mh -b mh-fallback', '25=0 24=0 23=4 22=2 21=0', '2'],
  ['mh -b mh-fallback', '25=4 23=0/2', '5'],
];

/** Backends of a list as recorded, in either family; task N has the address that ends in 20 + N. */
function recorded(service: string, list: string, isIpv6: boolean): Director {
  const director = new Director();
  const front = isIpv6 ? '-f 256 -6' : '-f 256';
  director.run(`-A ${front} -s ${service}`);
  for (const entry of list.split(' ').reverse()) {
    const [number = '', weights = ''] = entry.split('=');
    const [weight = '', last] = weights.split('/');
    const six = `[fd00:a:0:9::${Number(number).toString(16)}]`;
    const to = `${front} -r ${isIpv6 ? six : `10.0.9.${number}`}:0 -m -w`;
    director.run(`-a ${to} ${last ?? weight}`);
    if (last !== undefined) director.run(`-e ${to} ${weight}`);
  }
  return director;
}

describe('by the client (observed)', () => {
  it.each(OBSERVED)('%s over %s: task %s', (service, list, task) => {
    const director = recorded(service, list, false);
    expect(director.turns(3)).toBe(`2${task} 2${task} 2${task}`);
  });

  it.each(OBSERVED_6)('%s over %s, IPv6: task %s', (service, list, task) => {
    const director = recorded(service, list, true);
    const address = (20 + Number(task)).toString(16);
    const from = { client: 'fd00:a:0:9::64', vip: 'fd00:a:0:9::2' };
    expect(director.turns(2, from)).toBe(`${address} ${address}`);
  });

  it.each(['sh', 'mh'])(
    '%s without a fallback refuses clients of a backend that drains',
    (name) => {
      const clients = Array.from({ length: 40 }, (_, at) => `10.1.0.${at + 1}`);
      const director = directed(name, { 3: 1, 4: 1 });
      const before = clients.map((client) => director.ask({ client }));
      expect(new Set(before)).toEqual(new Set(['3', '4']));
      director.run('-e -f 256 -r 10.0.9.4:0 -m -w 0');
      const after = clients.map((client) => director.ask({ client }));
      expect(after).toEqual(before.map((answer) => (answer === '4' ? '-' : answer)));
      director.run(`-E -f 256 -s ${name} -b ${name}-fallback`);
      expect(new Set(clients.map((client) => director.ask({ client })))).toEqual(new Set(['3']));
    },
  );
});

describe('persistence', () => {
  it('lasts as long as connections hang on it, looked at every minute (observed)', () => {
    const director = directed('rr -p 3', { 3: 1, 4: 1 });
    expect(director.turns(2, { isClosed: true })).toBe('4 4');
    director.now = 10_000;
    expect(director.ask({ isClosed: true })).toBe('4');
    // Closed at 10 s, over at 130 s; looked at when 13, 73, 133 s have passed.
    director.now = 132_000;
    expect(director.ask({ isClosed: true })).toBe('4');
    director.now = 132_000 + 3_000 + 3 * 60_000;
    expect(director.ask()).toBe('3');
  });

  it('is forgotten with its backend', () => {
    const director = directed('rr -p 900', { 3: 1, 4: 1 });
    expect(director.ask()).toBe('4');
    director.run('-d -f 256 -r 10.0.9.4:0', '-a -f 256 -r 10.0.9.4:0 -m -w 1');
    expect(director.turns(2)).toBe('4 4');
    director.run('-d -f 256 -r 10.0.9.4:0');
    expect(director.turns(2)).toBe('3 3');
    director.run('-a -f 256 -r 10.0.9.4:0 -m -w 1');
    expect(director.turns(2)).toBe('3 3');
  });

  it('leads to a backend that drains only when the namespace says so', () => {
    const director = directed('rr -p 900', { 3: 1, 4: 1 });
    expect(director.ask()).toBe('4');
    director.run('-e -f 256 -r 10.0.9.4:0 -m -w 0');
    const packet = {
      protocol: 'tcp' as const,
      source: '10.0.9.100',
      sourcePort: 60_000,
      destination: '10.0.9.2',
      destinationPort: 80,
      mark: 256,
    };
    const { balancers } = director.config;
    expect(
      director.balancer.request(packet, balancers, 0, { expiresQuiescent: false }),
    ).toMatchObject({ connection: { backend: { address: '10.0.9.4' } } });
    expect(director.ask()).toBe('3');
  });
});
