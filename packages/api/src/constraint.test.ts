import { describe, expect, it } from '@jest/globals';
import { isSkepError } from './errors.js';
import { newObject } from './kind.js';
import { Node } from './node.js';
import {
  constraintFacts,
  matchesConstraint,
  matchesConstraints,
  parseConstraint,
  parseConstraints,
  type ConstraintFacts,
} from './constraint.js';

const FACTS: ConstraintFacts = {
  id: 'NodeId1',
  hostname: 'Host-1',
  address: '192.168.1.7',
  role: 'worker',
  os: 'linux',
  architecture: 'x86_64',
  labels: { zone: 'A1', Rack: 'r2', 'com.example.disk': 'ssd' },
  engineLabels: { storage: 'SSD' },
};

const holds = (text: string, facts: Partial<ConstraintFacts> = {}): boolean =>
  matchesConstraint(parseConstraint(text), { ...FACTS, ...facts });

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}

describe('parseConstraint', () => {
  it.each([
    '',
    ' ',
    'nodeabc',
    'node ~ abc',
    '1node==a2',
    'no de== node1',
    'no*de==node1',
    '==node1',
    'node==',
    'node== ',
    'no$de==node1',
    'n==node1',
    'node=node1',
    'node==a,b',
    'node=="a"',
    'node==a@b',
    'node===a',
    'node==a==b',
  ])('refuses %j', (text) => {
    const thrown = thrownBy(() => parseConstraint(text));
    expect(isSkepError(thrown, 'invalid-argument')).toBe(true);
    expect(String(thrown)).toContain(`constraint '${text}'`);
  });

  it.each([
    [' node == node1', 'node', '==', 'node1'],
    ['NoDe==node1', 'NoDe', '==', 'node1'],
    ['no.de==node1', 'no.de', '==', 'node1'],
    ['_node==_node1', '_node', '==', '_node1'],
    ['no-de==node1', 'no-de', '==', 'node1'],
    ['node==[a-b]+c*(n|b)/', 'node', '==', '[a-b]+c*(n|b)/'],
    ['node==node 1', 'node', '==', 'node 1'],
    ['node != node1 ', 'node', '!=', 'node1'],
    ['node.ip==2001:db8::/32', 'node.ip', '==', '2001:db8::/32'],
    ['node==^a$\\b?', 'node', '==', '^a$\\b?'],
  ])('reads %j', (text, key, operator, value) => {
    expect(parseConstraint(text)).toEqual({ text, key, operator, value });
  });

  it('looks for == before !=, wherever it stands', () => {
    expect(
      isSkepError(
        thrownBy(() => parseConstraint('node!=a==b')),
        'invalid-argument',
      ),
    ).toBe(true);
  });

  it('reads several, and stops at the first that is wrong', () => {
    expect(parseConstraints(['node.id==a1', 'node.role!=b']).map(({ key }) => key)).toEqual([
      'node.id',
      'node.role',
    ]);
    expect(String(thrownBy(() => parseConstraints(['node.id==a1', 'bad', 'worse'])))).toContain(
      "'bad'",
    );
  });
});

describe('matchesConstraint', () => {
  it.each([
    // Whole values, without regard to case.
    ['node.id == nodeid1', true],
    ['node.id == nodeid', false],
    ['node.id != other', true],
    ['node.hostname == host-1', true],
    ['node.hostname == host*', false],
    ['node.role == WORKER', true],
    ['node.role != worker', false],
    ['node.platform.os == Linux', true],
    // Not normalised here, unlike in the platform filter.
    ['node.platform.arch == x86_64', true],
    ['node.platform.arch == amd64', false],
    // Keys without regard to case, names of labels with it.
    ['NODE.ID == NodeId1', true],
    ['Node.Labels.zone == a1', true],
    ['node.labels.ZONE == a1', false],
    ['node.labels.Rack == R2', true],
    ['node.labels.rack == R2', false],
    ['node.labels.com.example.disk == ssd', true],
    ['engine.labels.storage == ssd', true],
    ['engine.labels.storage != ssd', false],
    ['engine.labels.Storage == ssd', false],
    // A label that is missing is empty.
    ['node.labels.none == a', false],
    ['node.labels.none != a', true],
    ['engine.labels.none == a', false],
    ['engine.labels.none != a', true],
    ['node.labels.toString != a', true],
    // Unknown keys never match.
    ['node.colour == red', false],
    ['node.colour != red', false],
    ['node.labels. == a', false],
    ['node.labels. != a', false],
    ['engine.labels. != a', false],
    ['node.name == Host-1', false],
  ])('%s: %s', (text, expected) => {
    expect(holds(text)).toBe(expected);
  });

  it.each([
    ['node.hostname', { hostname: '' }],
    ['node.platform.os', { os: '' }],
    ['node.platform.arch', { architecture: '' }],
  ])('%s that is not known is empty: == fails, != holds', (key, facts) => {
    expect([holds(`${key} == a`, facts), holds(`${key} != a`, facts)]).toEqual([false, true]);
  });

  it.each([
    ['192.168.1.7', '192.168.1.7', true],
    ['192.168.1.7', '192.168.1.8', false],
    ['192.168.1.7', '192.168.1.0/24', true],
    ['192.168.1.7', '192.168.1.99/24', true],
    ['192.168.1.7', '192.168.2.0/24', false],
    ['192.168.1.7', '0.0.0.0/0', true],
    ['192.168.1.7', '192.168.1.7/32', true],
    ['192.168.1.7', '192.168.1.6/31', true],
    ['192.168.1.7', '::/0', false],
    ['2001:db8::2', '2001:db8::2', true],
    ['2001:db8::2', '2001:db8:0:0:0:0:0:2', true],
    ['2001:db8::2', '2001:DB8::/64', true],
    ['2001:db8:1::2', '2001:db8::/64', false],
    ['2001:db8::2', '2001:db8::3', false],
    ['2001:db8::2', '::/0', true],
    ['2001:db8::2', '0.0.0.0/0', false],
  ])('node.ip: %s in %s: %s, and != the contrary', (address, value, expected) => {
    expect(holds(`node.ip == ${value}`, { address })).toBe(expected);
    expect(holds(`node.ip != ${value}`, { address })).toBe(!expected);
  });

  it.each([
    '192.168.1',
    '192.168.1.256',
    '192.168.1.0/33',
    '192.168.1.0/',
    '192.168.1.0/24/1',
    '192.168.01.7',
    'localhost',
    '2001:db8:::1',
    '2001:db8::/129',
    '1:2:3:4:5:6:7:8:9',
    '2001:db8::g',
  ])('node.ip: %s is malformed and never matches, with != either', (value) => {
    const { text, key } = { text: value, key: 'node.ip' };
    for (const operator of ['==', '!='] as const) {
      for (const address of ['192.168.1.7', '2001:db8::2']) {
        const facts = { ...FACTS, address };
        expect(matchesConstraint({ text, key, operator, value }, facts)).toBe(false);
      }
    }
  });

  it('node.ip of a node without address: not inside anything', () => {
    expect(holds('node.ip == 10.0.0.0/8', { address: '' })).toBe(false);
    expect(holds('node.ip != 10.0.0.0/8', { address: '' })).toBe(true);
  });
});

describe('matchesConstraints', () => {
  it.each([
    [[], true],
    [['node.role == worker', 'node.labels.zone == A1'], true],
    [['node.role == worker', 'node.labels.zone == B1'], false],
    [['node.role == manager', 'node.labels.zone == A1'], false],
  ])('%j: %s', (texts, expected) => {
    expect(matchesConstraints(parseConstraints(texts), FACTS)).toBe(expected);
  });
});

describe('constraintFacts', () => {
  it('reads a node, its description where there is one', () => {
    const bare = newObject(Node, {
      id: 'id1',
      name: 'name1',
      labels: { a: 'b' },
      spec: { role: 'manager', availability: 'active' },
    });
    const description = {
      hostname: 'host1',
      platform: { os: 'linux', architecture: 'arm64' },
      resources: {},
      engine: { version: '1', labels: { c: 'd' } },
    };
    const known = { ...bare, status: { ...bare.status, address: '10.0.0.1', description } };
    expect(constraintFacts(bare)).toEqual({
      id: 'id1',
      hostname: 'name1',
      address: '',
      role: 'manager',
      os: '',
      architecture: '',
      labels: { a: 'b' },
      engineLabels: {},
    });
    expect(constraintFacts(known)).toMatchObject({
      hostname: 'host1',
      address: '10.0.0.1',
      os: 'linux',
      architecture: 'arm64',
      engineLabels: { c: 'd' },
    });
  });
});
