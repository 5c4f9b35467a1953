import { describe, expect, it } from '@jest/globals';

import { Balancer } from './balancer.js';
import { ConnectionTable, stateOf } from './connection-table.js';
import type { BalancerConfig } from './namespace-config.js';
import { inverse, packetText, tupleOf, type Packet } from './packet.js';

function packet(sourcePort: number, fields: Partial<Packet> = {}): Packet {
  return {
    protocol: 'tcp',
    source: '10.0.0.9',
    sourcePort,
    destination: '10.0.9.2',
    destinationPort: 80,
    mark: 256,
    ...fields,
  };
}

describe('ConnectionTable', () => {
  it('remembers a bounded number of connections, the newest', () => {
    const table = new ConnectionTable(3);
    for (let port = 1; port <= 5; port += 1) table.confirm(table.track(packet(port)));
    expect(table.size).toBe(3);
    expect(table.track(packet(1)).connection.isConfirmed).toBe(false);
    expect(table.track(packet(5)).connection.isConfirmed).toBe(true);
  });

  it('is new until an answer was seen', () => {
    const table = new ConnectionTable();
    const flow = table.track(packet(1));
    expect(stateOf(flow)).toBe('NEW');
    table.confirm(flow);
    expect(stateOf(table.track(packet(1)))).toBe('NEW');
    const back = inverse(tupleOf(packet(1)));
    expect(stateOf(table.track({ ...back, mark: 0 }))).toBe('ESTABLISHED');
    expect(stateOf(table.track(packet(1)))).toBe('ESTABLISHED');
    expect(stateOf(undefined)).toBe('UNTRACKED');
  });

  it('keeps connections of one client port in two zones apart', () => {
    const table = new ConnectionTable();
    const flows = [2, 3].map((zone) => {
      const flow = table.track(packet(40_000, { zone }));
      table.keepApart(flow);
      table.confirm(flow);
      return flow;
    });
    const replies = flows.map(({ connection }) => connection.reply);
    expect(replies.map(({ destinationPort }) => destinationPort)).toEqual([40_000, 40_001]);
    for (const [at, reply] of replies.entries()) {
      const flow = table.track({ ...reply, mark: 0 });
      expect([flow.isReply, flow.connection]).toEqual([true, flows[at]?.connection]);
    }
    const again = table.track(packet(40_000, { zone: 3 }));
    expect(again.connection).toBe(flows[1]?.connection);
    for (const { connection } of flows) table.close(connection);
    expect(table.size).toBe(0);
  });

  it('changes the port of a translated source only when it is taken', () => {
    const table = new ConnectionTable();
    const ports = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((source) => {
      const flow = table.track(packet(65_535, { source }));
      table.translateSource(flow, '10.0.0.254');
      table.confirm(flow);
      return flow.connection.reply.destinationPort;
    });
    expect(ports).toEqual([65_535, 1024, 1025]);
  });
});

describe('Balancer', () => {
  const services = (persistence = 0): Map<number, BalancerConfig> =>
    new Map([
      [
        256,
        {
          scheduler: 'rr',
          flags: [],
          persistence,
          destinations: [{ address: '10.0.9.3', port: 8080, weight: 1, lastWeight: 1 }],
          position: { last: undefined, threshold: 1 },
          removed: new Set(),
        },
      ],
    ]);

  it('remembers a bounded number of connections and clients', () => {
    const balancer = new Balancer(2);
    const held = services(60);
    for (let port = 1; port <= 4; port += 1) {
      balancer.request(packet(port, { source: `10.0.1.${port}` }), held, 0);
    }
    expect(balancer.activeConnections(256, '10.0.9.3')).toBe(2);
  });

  it('gives a backend its own port when it has one', () => {
    const result = new Balancer().request(packet(1), services(), 0);
    expect(result).toMatchObject({ type: 'send', connection: { backend: { port: 8080 } } });
  });

  it('passes what has no mark, and icmp', () => {
    const balancer = new Balancer();
    expect(balancer.request(packet(1, { mark: 0 }), services(), 0).type).toBe('pass');
    const ping = packet(0, { protocol: 'icmp' });
    expect(balancer.request(ping, services(), 0).type).toBe('pass');
    expect(packetText(ping)).toBe('icmp 10.0.0.9 -> 10.0.9.2');
  });

  it('forgets a connection that is closed', () => {
    const balancer = new Balancer();
    const result = balancer.request(packet(1), services(), 0);
    if (result.type !== 'send') throw new Error('sent');
    expect(balancer.find(tupleOf(packet(1)))).toBe(result.connection);
    balancer.close(result.connection);
    expect(balancer.find(tupleOf(packet(1)))).toBeUndefined();
    expect(balancer.activeConnections(256, '10.0.9.3')).toBe(0);
  });
});
