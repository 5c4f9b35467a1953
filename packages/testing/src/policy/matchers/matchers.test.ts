import { describe, expect, it } from '@jest/globals';
import { messageOf } from '@skep/api';
import { swarmPolicy, type Policy } from '@skep/scheduler';
import { cluster, node } from '../build/node.js';
import { service } from '../build/service.js';
import { place } from '../place.js';
import type { PlacementResult } from '../placement-result.js';
import type { MatcherResult } from './matcher.js';
import { policyMatchers } from './policy-matchers.js';

const {
  toBePending,
  toBePlacedOn,
  toBeSpreadOver,
  toFitCapacity,
  toPlaceAll,
  toPreferNode,
  toUseNodes,
} = policyMatchers;
const policy = swarmPolicy();
const greedy: Policy = {
  ...policy,
  name: 'greedy',
  filters: policy.filters.filter(({ name }) => name !== 'resource'),
};

/** web.1 on n1, web.2 on n2, web.3 waits; n3 is drained. */
function small(of: Policy = policy): PlacementResult {
  return place(of, {
    nodes: [
      node('n1', { cpus: 1, labels: { zone: 'a' } }),
      node('n2', { cpus: 1, labels: { zone: 'b' } }),
      node('n3', { availability: 'drain', labels: { zone: 'c' } }),
    ],
    services: [service('web', { replicas: 3, cpus: 1 })],
  });
}

function firstLine({ message }: MatcherResult): string {
  return message().split('\n')[0] ?? '';
}

describe('matchers', () => {
  const result = small();
  const [web1, web3] = ['web.1', 'web.3'].map((name) => result.task(name));
  const web = result.service('web');

  it.each<[string, MatcherResult, boolean, string]>([
    [
      'on its node',
      toBePlacedOn(web1, 'n1'),
      true,
      'expected web.1 not to be placed on n1, but it is on n1',
    ],
    [
      'on another node',
      toBePlacedOn(web1, 'n2', 'n3'),
      false,
      'expected web.1 to be placed on n2 or n3, but it is on n1',
    ],
    [
      'nowhere',
      toBePlacedOn(web3, 'n1'),
      false,
      'expected web.3 to be placed on n1, but it waits: no suitable node (insufficient resources ' +
        'on 2 nodes; 1 node not available for new tasks)',
    ],
    ['all placed', toPlaceAll(web1), true, 'expected web.1 not to be placed, but all 1 are'],
    [
      'one waits',
      toPlaceAll(result),
      false,
      'expected all tasks to be placed, but web.3 waits: no suitable node (insufficient resources ' +
        'on 2 nodes; 1 node not available for new tasks)',
    ],
    [
      'pending',
      toBePending(web3),
      true,
      'expected web.3 not to be pending, but it waits: no suitable node (insufficient resources ' +
        'on 2 nodes; 1 node not available for new tasks)',
    ],
    ['not pending', toBePending(web1), false, 'expected web.1 to be pending, but it is on n1'],
    [
      'pending for another reason',
      toBePending(web3, { because: 'platform' }),
      false,
      'expected web.3 to be pending because of platform, but it waits: no suitable node ' +
        '(insufficient resources on 2 nodes; 1 node not available for new tasks)',
    ],
    [
      'nodes used',
      toUseNodes(web, 2),
      true,
      'expected service web not to use 2 nodes, but 2 are used: n1, n2',
    ],
    [
      'other nodes used',
      toUseNodes(web, 1),
      false,
      'expected service web to use 1 node, but 2 are used: n1, n2',
    ],
    [
      'spread',
      toBeSpreadOver(web, 'zone'),
      true,
      'expected service web not to be spread over zone with a skew of at most 1, but the skew is ' +
        '0: a 1, b 1',
    ],
    [
      'spread with a place that is not there',
      toBeSpreadOver(web, 'zone', { maxSkew: 0, places: ['a', 'b', 'c'] }),
      false,
      'expected service web to be spread over zone with a skew of at most 0, but the skew is 1: ' +
        'a 1, b 1, c 0',
    ],
    [
      'capacity',
      toFitCapacity(result),
      true,
      'expected the placement not to fit the capacity of the nodes, but no node holds more than ' +
        'it has',
    ],
    [
      'over capacity',
      toFitCapacity(small(greedy)),
      false,
      'expected the placement to fit the capacity of the nodes, but n1 has 1 cpus, and web.1, ' +
        'web.3 reserve 2',
    ],
    ['best node', toPreferNode(web1, 'n1'), true, 'expected web.1 not to prefer n1, but it does'],
    [
      'not the best node',
      toPreferNode(web1, 'n2'),
      false,
      'expected web.1 to prefer n2, but web.1 would rather go to n1',
    ],
    [
      'better than another',
      toPreferNode(web1, 'n1', { over: 'n2' }),
      true,
      'expected web.1 not to prefer n1 to n2, but it does',
    ],
    [
      'worse than another',
      toPreferNode(web1, 'n2', { over: 'n1' }),
      false,
      'expected web.1 to prefer n2 to n1, but web.1 would rather go to n1',
    ],
    [
      'a node that refuses',
      toPreferNode(web1, 'n3'),
      false,
      'expected web.1 to prefer n3, but n3 does not take web.1 at all',
    ],
  ])('%s', (_what, verdict, pass, text) => {
    expect([verdict.pass, firstLine(verdict)]).toEqual([pass, text]);
  });

  it.each<[string, string | RegExp, boolean]>([
    ['the name of a filter', 'resource', true],
    ['another filter that refuses a node', 'ready', true],
    ['a filter that refuses none', 'constraint', false],
    ['a part of the message', 'insufficient resources on 2', true],
    ['a part of what is lacking', 'cpu needs 1 cores, has 0 cores', true],
    ['a pattern of the message', /no suitable node .*insufficient/, true],
    ['a pattern of what is lacking', /availability needs active, has drain/, true],
    ['a pattern that is not there', /memory/, false],
    ['a pattern that remembers', /insufficient/g, true],
  ])('because: %s', (_what, because, isSo) => {
    expect(toBePending(web3, { because }).pass).toBe(isSo);
    expect(toBePending(web3, { because }).pass).toBe(isSo);
  });

  it('shows the cluster, the reasons and the ranks', () => {
    expect(toBePlacedOn(result.task('web.2'), 'n1').message()).toBe(
      [
        'expected web.2 to be placed on n1, but it is on n2',
        '',
        'policy swarm',
        'node  state  labels  cpus       memory  tasks',
        'n1           zone=a   1/1  0 B / 8 GiB  +web.1',
        'n2           zone=b   1/1  0 B / 8 GiB  +web.2',
        'n3    drain  zone=c   0/4  0 B / 8 GiB',
        'waiting: web.3: no suitable node (insufficient resources on 2 nodes; 1 node not ' +
          'available for new tasks)',
        '',
        'web.2 → n2: the only node that passes every filter',
        '  candidates, best rank first:',
        '    n2  faults 0, service-tasks 0, total-tasks 0',
        '  refused:',
        '    n1  resource: cpu needs 1 cores, has 0 cores',
        '    n3  ready: availability needs active, has drain',
      ].join('\n'),
    );
  });

  it('lists several faults, a line each', () => {
    expect(toBePlacedOn(web, 'n1').message().split('\n').slice(0, 3)).toEqual([
      'expected service web to be placed on n1, but ',
      '  web.2 is on n2',
      expect.stringContaining('  web.3 waits: no suitable node'),
    ]);
  });

  it('counts nodes as places, by name or hostname, and engine labels', () => {
    const uneven = place(policy, {
      nodes: [
        node('n1', { engineLabels: { rack: 'r1' } }),
        node('n2', { engineLabels: { rack: 'r1' } }),
        node('n3', { engineLabels: { rack: 'r2' } }),
      ],
      services: [service('web', { replicas: 4 })],
    });
    expect(toBeSpreadOver(uneven, 'node').pass).toBe(true);
    expect(toBeSpreadOver(uneven, 'node.hostname', { maxSkew: 0 }).pass).toBe(false);
    expect(toBeSpreadOver(uneven, 'engine.labels.rack').pass).toBe(false);
    expect(toBeSpreadOver(uneven, 'engine.labels.rack', { maxSkew: 2 }).pass).toBe(true);
  });

  it('refuses what would hold for anything, and names that nothing has', () => {
    const nothing = place(policy);
    expect(() => toPlaceAll(nothing)).toThrow('toPlaceAll would hold for anything');
    expect(() => toBePlacedOn(web1, 'n9')).toThrow('there is no node n9; there are n1, n2, n3');
    expect(() => toBePlacedOn(web1)).toThrow("name a node: toBePlacedOn('n1')");
    expect(() => toPreferNode(web1, 'n1', { over: 'n9' })).toThrow('there is no node n9');
    expect(() => toBeSpreadOver(web, 'rack')).toThrow('no node has the label rack');
    expect(() => toBeSpreadOver(web, 'node.role')).toThrow("'node.role' is no key");
    const none = place(policy, { ...cluster({ availability: 'drain' }), services: [service('w')] });
    expect(() => toBeSpreadOver(none, 'zone')).toThrow('no node takes new tasks');
  });

  it.each([5, null, undefined, 'web.1', {}, { decisions: [] }])(
    'says what it is for when it gets %p',
    (received) => {
      for (const matcher of Object.values(policyMatchers)) {
        const call = () => (matcher as (received: unknown) => MatcherResult)(received);
        expect(call).toThrow(/is for what place\(\) gives/);
      }
    },
  );
});

describe('in an expect', () => {
  it('works as plain functions do', () => {
    expect.extend(policyMatchers);
    const extended = expect as unknown as (value: unknown) => {
      toPlaceAll(): void;
      readonly not: { toPlaceAll(): void };
    };
    const result = small();
    extended(result.task('web.1')).toPlaceAll();
    extended(result).not.toPlaceAll();
    let text = '';
    try {
      extended(result).toPlaceAll();
    } catch (thrown) {
      text = messageOf(thrown);
    }
    expect(text).toContain('expected all tasks to be placed, but web.3 waits');
  });
});
