import { describe, expect, it } from '@jest/globals';
import {
  Cluster,
  Service,
  newObject,
  withSpec,
  type ClusterSpec,
  type EndpointSpec,
} from '@skep/api';
import { World } from '../service/__fixtures__/world.js';
import { admit } from './admit.js';
import { describeComplaint } from './complaint.js';

/** A cluster with these settings; absent: not even the object is there yet. */
function worldOf(settings: ClusterSpec | undefined): World {
  const made = new World();
  if (settings !== undefined) {
    made.put(newObject(Cluster, { id: 'c', name: 'default', spec: settings }));
  }
  return made;
}

/** What is said of a new service with this endpoint. */
function said(settings: ClusterSpec | undefined, endpoint: EndpointSpec): readonly string[] {
  const spec = { task: { container: { image: 'nginx:1' } }, endpoint };
  const object = newObject(Service, { id: 's', name: 'web', spec });
  return admit(worldOf(settings).view(), { type: 'create', object }).map(describeComplaint);
}

const affinity = (timeoutMs: number): EndpointSpec => ({
  affinity: { type: 'client-ip', timeoutMs },
});

describe('what the dataplane of the cluster cannot do', () => {
  it.each<[string, EndpointSpec, ClusterSpec | undefined, RegExp]>([
    [
      'least connections',
      { algorithm: 'least-connections' },
      { dataplane: 'nftables' },
      /^Service web: spec\.endpoint\.algorithm: nftables cannot compare .*\(use round-robin/,
    ],
    ['affinity', affinity(60_000), { dataplane: 'nftables' }, /endpoint\.affinity: nftables rem/],
    ['parts of a second', affinity(1_500), undefined, /affinity\.timeoutMs: ipvs .* not 1500 ms/],
    ['the same where it is said', affinity(1_500), { dataplane: 'ipvs' }, /whole seconds/],
    ['too long', affinity(40 * 86_400_000), {}, /at most 31 days/],
    ['heavy', { weights: [{ weight: 70_000 }] }, {}, /weights\[0\]\.weight: .* up to 65535/],
    ['half', { weights: [{ weight: 0.5 }] }, {}, /weights\[0\]\.weight: .* not 0\.5 \(write a/],
    ['dnsrr', { mode: 'dnsrr', isLocalOnly: true }, {}, /endpoint\.isLocalOnly: the mode dnsrr/],
  ])('%s is refused, once, with the reason', (_, endpoint, settings, expected) => {
    const complaints = said(settings, endpoint);
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toMatch(expected);
  });

  it.each<[string, EndpointSpec, ClusterSpec]>([
    ['least connections', { algorithm: 'least-connections' }, { dataplane: 'ipvs' }],
    ['affinity', affinity(60_000), { dataplane: 'ipvs' }],
    ['maglev', { algorithm: 'maglev' }, { dataplane: 'nftables' }],
    ['weights', { weights: [{ weight: 65_535 }] }, { dataplane: 'nftables' }],
    ['a canary and slow start', { weights: [{ weight: 1 }], slowStartMs: 5 }, {}],
  ])('%s is let in where it can be had', (_, endpoint, settings) => {
    expect(said(settings, endpoint)).toEqual([]);
  });

  it('an algorithm that nobody knows is refused', () => {
    const unknown = { algorithm: 'fastest' } as unknown as EndpointSpec;
    expect(said({}, unknown)).toEqual([
      "Service web: spec.endpoint.algorithm: 'fastest' is not known here " +
        '(write round-robin, weighted-round-robin, least-connections, source-hash, maglev)',
    ]);
  });
});

describe('the dataplane of a cluster', () => {
  const judged = (before: ClusterSpec | undefined, spec: ClusterSpec): readonly string[] => {
    const made = worldOf(before);
    const object =
      before === undefined
        ? newObject(Cluster, { id: 'c', name: 'default', spec })
        : withSpec(made.get(Cluster, 'c'), spec);
    const type = before === undefined ? 'create' : 'update';
    return admit(made.view(), { type, object }).map(({ code, field }) => `${code} ${field}`);
  };

  it('is one of those that there are', () => {
    expect(judged(undefined, { dataplane: 'nftables' })).toEqual([]);
    const unknown = { dataplane: 'iptables' } as unknown as ClusterSpec;
    expect(judged(undefined, unknown)).toEqual(['invalid-argument spec.dataplane']);
  });

  it('stays', () => {
    const changed = ['failed-precondition spec.dataplane'];
    expect(judged({}, { dataplane: 'ipvs', dnsTtlMs: 1 })).toEqual([]);
    expect(judged({}, { dataplane: 'nftables' })).toEqual(changed);
    expect(judged({ dataplane: 'nftables' }, {})).toEqual(changed);
  });
});
