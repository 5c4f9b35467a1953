import { beforeAll, describe, expect, it } from '@jest/globals';
import { defineKind, newObject } from '@skep/api';
import type { View } from '@skep/store';
import {
  NOW,
  OBJECTS,
  PENDING,
  serviceOf,
  smallView,
  taskOf,
  stored,
} from '../../__fixtures__/objects.js';
import { neededKinds, objectTable } from './tables.js';

let view: View;
beforeAll(async () => {
  view = await smallView();
});

const shown = (kind: string, style = {}): string => {
  const objects = OBJECTS.filter((object) => object.kind === kind);
  return objectTable(kind, objects, { view, now: NOW }, style);
};

describe('objectTable', () => {
  it('services: running of wanted, ports, and how they are', () => {
    expect(shown('Service')).toBe(
      [
        'NAME   MODE         REPLICAS   IMAGE   PORTS          STATUS    AGE',
        'db     replicated   0/1        db:1    8080->80/tcp   waiting   5m',
        'web    replicated   1/2        web:1   8080->80/tcp   waiting   5m',
        '',
      ].join('\n'),
    );
    expect(shown('Service', { isWide: true })).toMatch(
      /^web .* 5m +node1 +front=10\.0\.1\.2 +front +- +id-web$/m,
    );
  });

  it('tasks: by service and slot, with what they wait for', () => {
    expect(shown('Task')).toBe(
      [
        'NAME          NODE    STATE      SINCE   DESIRED   MESSAGE',
        'db.1.db1ab    -       pending    60s     running   no suitable node (1 of 2)',
        'web.1.web1a   node1   running    60s     running   -',
        'web.2.web2a   node1   starting   60s     running   started',
        '',
      ].join('\n'),
    );
    expect(shown('Task', { isWide: true })).toMatch(
      /front=10\.0\.1\.11 +scale +5m +web1abcdefghij$/m,
    );
  });

  it('nodes: what is reserved and there only where it is wide', () => {
    expect(shown('Node')).toMatch(/^node2 +worker +ready +drain +10\.90\.0\.12 +0 +5m$/m);
    expect(shown('Node')).toMatch(/^node1 .* 2 +5m$/m);
    expect(shown('Node', { isWide: true })).toMatch(
      /0 of 4 +0 B of 8 GiB +linux\/amd64 +1\.2 +9 +disk=ssd +id-node2$/m,
    );
  });

  it.each([
    ['Network', /^front +overlay +10\.0\.1\.0\/24 +attachable +5m$/m],
    ['Secret', /^token +- +5m$/m],
    ['Config', /^conf +5 B +5m$/m],
    ['Volume', /^vol +csi +- +single\/none +active +- +5m$/m],
    ['Event', /^30s +warning +TaskFailed +service\/web +3 +it failed$/m],
    ['EndpointSlice', /^web +front +0 +1\/1 +7 +5m$/m],
    ['Lease', /^leader +m1 +3 +5s +5m$/m],
    ['Cluster', /^default +nftables +10\.0\.0\.0\/8 +\/24 +5m$/m],
  ])('%s', (kind, line) => {
    expect(shown(kind)).toMatch(line);
    expect(shown(kind, { isWide: true }).length).toBeGreaterThan(shown(kind).length);
  });

  it('leaves out the head when it is told to', () => {
    expect(shown('Network', { hasHead: false })).not.toContain('NAME');
  });

  it('a kind that nobody knows: its name, generation and conditions', async () => {
    const Policy = defineKind<object, object>({ name: 'Policy', initialStatus: {} });
    const conditions = [{ type: 'Ready', status: 'false' }];
    const object = stored(
      newObject(Policy, { id: 'p', name: 'strict', spec: {}, status: { conditions } }),
    );
    const own = await smallView([object], [Policy]);
    expect(objectTable('Policy', [object], { view: own, now: NOW })).toMatch(
      /^strict +1 +Ready=false +5m$/m,
    );
    expect(neededKinds('Policy')).toEqual([]);
  });
});

describe('STATUS of a service', () => {
  const update = { startedAt: 1, message: '', specVersion: 1, dirtySlots: 1, failedTasks: [] };
  const both = [taskOf('web', 1), taskOf('web', 2)];

  it.each([
    ['ok', serviceOf('web')],
    ['held', serviceOf('web', { update: { isHeld: true } })],
    ['pending', serviceOf('web', {}, { observedGeneration: 0 })],
    ['updating', serviceOf('web', {}, { update: { ...update, state: 'updating' } })],
    ['blocked', serviceOf('web', {}, { update: { ...update, state: 'updating', blocked: 'x' } })],
    ['paused', serviceOf('web', {}, { update: { ...update, state: 'paused' } })],
    ['ok', serviceOf('web', {}, { update: { ...update, state: 'completed' } })],
    [
      'AddressesExhausted',
      serviceOf(
        'web',
        {},
        {
          conditions: [
            {
              type: 'Allocated',
              status: 'false',
              reason: 'AddressesExhausted',
              message: '',
              since: 1,
            },
          ],
        },
      ),
    ],
  ])('%s', async (word, service) => {
    const own = await smallView([service, ...both]);
    const [, line = ''] = objectTable('Service', [service], { view: own, now: NOW }).split('\n');
    expect(line.split(/ {3,}/)[5]).toBe(word);
  });

  it('waiting: a task has no node yet', async () => {
    const service = serviceOf('web');
    const own = await smallView([service, both[0]!, taskOf('web', 2, {}, PENDING)]);
    expect(objectTable('Service', [service], { view: own, now: NOW })).toContain('waiting');
  });
});
