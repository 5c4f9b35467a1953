import { beforeAll, describe, expect, it } from '@jest/globals';
import { defineKind, newObject, type StoredObject } from '@skep/api';
import type { View } from '@skep/store';
import { NOW, OBJECTS, smallView, stored, taskOf } from '../../__fixtures__/objects.js';
import { describeKinds, describeObject } from './describe.js';

let view: View;
beforeAll(async () => {
  view = await smallView();
});

const PROBLEM = {
  kind: 'Task',
  name: 'db.1.db1abcdefghij',
  code: 'no-suitable-node',
  message: 'no suitable node',
  shortfalls: [{ nodes: ['node1'], lacks: ['constraint needs disk'] }],
};

function described(object: StoredObject | undefined): string {
  if (object === undefined) throw new Error('no such object');
  return describeObject(object, { view, now: NOW, problems: [PROBLEM] });
}

const byName = (kind: string, name: string): StoredObject | undefined =>
  OBJECTS.find((object) => object.kind === kind && object.meta.name === name);

describe('describeObject', () => {
  it('a service: what is wanted, what is, its tasks, events', () => {
    const text = described(byName('Service', 'web'));
    for (const line of [
      /^Name: +web$/m,
      /^Created: +2026-01-02T02:59:05\.000Z \(5m ago\)$/m,
      /^Status: +waiting$/m,
      /^Replicas: +1\/2$/m,
      /^Networks: +front 10\.0\.1\.2\/24$/m,
      /^Ports: +8080->80\/tcp$/m,
      /^Endpoint: +vip, round-robin$/m,
      /^Update: +1 at a time, stop-first, pause when more than 0% fail within 5s$/m,
      /^Template:\n {2}Image: +web:1\n {2}Restart: +any, after 5s$/m,
      /^ {2}web\.1\.web1a +node1 +running/m,
      /^Events:\n {2}LAST .*\n {2}30s +warning +TaskFailed +web +it failed \(3 times\)$/m,
    ]) {
      expect(text).toMatch(line);
    }
    expect(text).not.toContain('Problems:');
  });

  it('a service has the problems of its tasks', () => {
    expect(described(byName('Service', 'db'))).toMatch(
      /^Problems:\n {2}Task db\.1\.db1abcdefghij: no suitable node \[.*\]\n {4}node1:/m,
    );
  });

  it('a task that waits: why, and which nodes refuse it', () => {
    const text = described(
      taskOf('db', 1, {}, view.get({ name: 'Task' } as never, 'db1abcdefghij')?.status as never),
    );
    expect(text).toMatch(
      /^Why it waits: +no suitable node \(1 of 2\) \[.*\]\n +constraint refuses 2 nodes$/m,
    );
    expect(text).toMatch(/^Nodes that refuse it:\n {2}NODE +REFUSED BY\n {2}node1 +constraint$/m);
    expect(text).toMatch(/^Problems:/m);
  });

  it('a task that runs: where, and why there', () => {
    const text = described(
      taskOf(
        'web',
        1,
        { replaces: 'web2abcdefghij', cause: 'update' },
        {
          placement: { term: 'only-node', nodes: 1 },
          container: { containerId: '0123456789abcdef', pid: 42 },
        },
      ),
    );
    expect(text).toMatch(/^Node: +node1$/m);
    expect(text).toMatch(/^State: +running for 60s/m);
    expect(text).toMatch(/^Container: +0123456789ab$/m);
    expect(text).toMatch(/^Why: +update, in place of web\.2\.web2a$/m);
    expect(text).toMatch(/^Why there: +the only node that passes every filter$/m);
    expect(text).toMatch(/^Addresses: +front 10\.0\.1\.11\/24$/m);
    expect(text).not.toContain('Why it waits');
  });

  it('a task that is ready and has to wait for another', () => {
    const release = { notBefore: NOW + 5_000, afterTask: 'web2abcdefghij' };
    const text = described(
      taskOf('web', 1, { desiredState: 'ready', release }, { state: 'ready' }),
    );
    expect(text).toMatch(/^Begins: +in 5 s, once web\.2\.web2a has ended$/m);
  });

  it('a node: what it has, what is reserved, what runs there', () => {
    const text = described(byName('Node', 'node1'));
    expect(text).toMatch(/^Tables: +as of revision 9 \(of 9\)$/m);
    expect(text).toMatch(/^CPUs: +0 of 4 reserved$/m);
    expect(text).toMatch(/^Networks: +front 10\.0\.1\.251\/24$/m);
    expect(text).toMatch(/^Tasks:\n {2}NAME +STATE +SINCE .*\n {2}web\.1\.web1a +running/m);
  });

  it('a network: who has which address', () => {
    const [, addresses = ''] = described(byName('Network', 'front')).split('Addresses:\n');
    expect(addresses.split('\n').slice(1, 7)).toEqual([
      '  10.0.1.2     service db         -',
      '  10.0.1.2     service web        -',
      '  10.0.1.11    task db.1.db1ab    -',
      '  10.0.1.11    task web.1.web1a   node1',
      '  10.0.1.12    task web.2.web2a   node1',
      '  10.0.1.251   load balancer      node1',
    ]);
  });

  it('a file: how large it is, not what is in it', () => {
    const text = described(byName('Config', 'conf'));
    expect(text).toMatch(/^Spec:\n {2}data: \(5 B\)$/m);
    expect(text).not.toContain('aGVsbG8');
  });

  it('any other kind: spec and status as they are, conditions in a table', async () => {
    const Policy = defineKind<object, object>({ name: 'Policy', initialStatus: {} });
    const status = {
      seen: 3,
      conditions: [{ type: 'Ready', status: 'false', reason: 'Why', message: 'so', since: NOW }],
    };
    const object = stored(newObject(Policy, { id: 'p', name: 's', spec: { a: [1] }, status }));
    const own = await smallView([object], [Policy, ...describeKinds('Policy')]);
    const text = describeObject(object, { view: own, now: NOW, problems: [] });
    expect(text).toMatch(/^Spec:\n {2}a:\n {4}- 1\nStatus:\n {2}seen: 3\nConditions:\n/m);
    expect(text).toMatch(/^ {2}Ready +false +0s +Why +so$/m);
  });
});
