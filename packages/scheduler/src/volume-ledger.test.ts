import { describe, expect, it } from '@jest/globals';
import type { Mount, VolumeAccess } from '@skep/api';
import { node, volume } from './__fixtures__/builders.js';
import { ClusterState } from './cluster-state.js';
import type { NodeInfo } from './node-info.js';
import { VolumeLedger, isWithinReach, type VolumeChoice } from './volume-ledger.js';

const state = new ClusterState({
  nodes: [node({ id: 'n1', topology: { zone: 'a' } }), node({ id: 'n2', topology: { zone: 'b' } })],
});
const n1 = state.node('n1') as NodeInfo;
const n2 = state.node('n2') as NodeInfo;

const mount = (source: string, input: Partial<Mount> = {}): Mount => ({
  type: 'cluster',
  source,
  target: `/${source}`,
  ...input,
});
const access = (
  scope: VolumeAccess['scope'],
  sharing: VolumeAccess['sharing'],
): { readonly access: VolumeAccess } => ({ access: { scope, sharing, type: 'mount' } });

const idsOf = (choice: VolumeChoice): readonly string[] | undefined =>
  choice.ok ? choice.uses.map((use) => use.volumeId) : undefined;

describe('VolumeLedger', () => {
  it.each([
    ['none', false, 'none', 'none'],
    ['read-only', true, 'v', 'v'],
    ['read-only', false, 'none', 'none'],
    ['one-writer', true, 'v', 'v'],
    ['one-writer', false, 'none', 'v'],
    ['all', false, 'v', 'v'],
  ] as const)(
    'sharing %s, read-only %s: with a writer %s, with a reader %s',
    (sharing, isReadOnly, withWriter, withReader) => {
      const given = (isHolderReading: boolean): string => {
        const ledger = new VolumeLedger();
        ledger.upsert(volume('v', access('multi', sharing)));
        ledger.take({ taskId: 'other', nodeId: 'n2' }, [
          { volumeId: 'v', target: '/v', isReadOnly: isHolderReading },
        ]);
        return idsOf(ledger.choose([mount('v', { isReadOnly })], n1))?.[0] ?? 'none';
      };
      expect([given(false), given(true)]).toEqual([withWriter, withReader]);
    },
  );

  it('a volume of one node is used from that node only, until it is given back', () => {
    const ledger = new VolumeLedger();
    ledger.upsert(volume('v', access('single', 'all')));
    const use = { volumeId: 'v', target: '/v', isReadOnly: false };
    ledger.take({ taskId: 't', nodeId: 'n1' }, [use]);
    expect(ledger.choose([mount('v')], n1).ok).toBe(true);
    expect(ledger.choose([mount('v')], n2).ok).toBe(false);
    ledger.giveBack('t', [use]);
    expect(ledger.choose([mount('v')], n2).ok).toBe(true);
  });

  it.each([
    ['paused', volume('v', { availability: 'pause' })],
    ['drained', volume('v', { availability: 'drain' })],
    ['not made yet', volume('v', { status: {} })],
    [
      'out of reach',
      volume('v', { status: { volumeId: 'x', accessibleTopology: [{ zone: 'b' }] } }),
    ],
    ['of another name', volume('w')],
  ])('a volume that is %s does not serve', (_, one) => {
    const ledger = new VolumeLedger();
    ledger.upsert(one);
    expect(ledger.choose([mount('v')], n1)).toEqual({ ok: false, missing: [mount('v')] });
  });

  it('a group gives any volume of it, the first by name, and two mounts two of them', () => {
    const ledger = new VolumeLedger();
    for (const id of ['c', 'a', 'b']) {
      ledger.upsert(volume(id, { group: 'fast', ...access('single', 'none') }));
    }
    const mounts = [mount('group:fast', { target: '/1' }), mount('group:fast', { target: '/2' })];
    expect(idsOf(ledger.choose(mounts, n1))).toEqual(['a', 'b']);
  });

  it('a choice is found where there is one: names first, the least wasteful sharing first', () => {
    const ledger = new VolumeLedger();
    ledger.upsert(volume('a', { group: 'g', ...access('multi', 'none') }));
    ledger.upsert(volume('b', { group: 'g', ...access('multi', 'read-only') }));
    const mounts = [
      mount('group:g', { isReadOnly: true, target: '/1' }),
      mount('a', { target: '/2' }),
      mount('group:g', { isReadOnly: true, target: '/3' }),
    ];
    expect(idsOf(ledger.choose(mounts, n1))).toEqual(['b', 'a', 'b']);
  });

  it('defect 15: every mount needs a volume, not one of them', () => {
    const ledger = new VolumeLedger();
    ledger.upsert(volume('v'));
    expect(ledger.choose([mount('v'), mount('w')], n1)).toEqual({
      ok: false,
      missing: [mount('w')],
    });
  });

  it('defect 20: an updated volume counts at once', () => {
    const ledger = new VolumeLedger();
    ledger.upsert(volume('v', { availability: 'drain', group: 'g' }));
    ledger.upsert(volume('v', { availability: 'active' }));
    expect(ledger.choose([mount('v')], n1).ok).toBe(true);
    expect(ledger.choose([mount('group:g')], n1).ok).toBe(false);
  });

  it('forgets a removed volume, but not who holds it', () => {
    const ledger = new VolumeLedger();
    const one = volume('v', { group: 'g', ...access('multi', 'none') });
    ledger.upsert(one);
    ledger.take({ taskId: 't', nodeId: 'n1' }, [{ volumeId: 'v', target: '/', isReadOnly: false }]);
    ledger.remove('v');
    expect(ledger.choose([mount('group:g')], n1).ok).toBe(false);
    ledger.upsert(one);
    expect(ledger.choose([mount('v')], n1).ok).toBe(false);
  });
});

describe('isWithinReach', () => {
  it.each([
    [{ zone: 'a' }, [], true],
    [{}, [], true],
    [{ zone: 'a', rack: '1' }, [{ zone: 'a' }], true],
    [{ zone: 'a' }, [{ zone: 'a', rack: '1' }], false],
    [{ zone: 'b' }, [{ zone: 'a' }, { zone: 'b' }], true],
    [{ zone: 'c' }, [{ zone: 'a' }, { zone: 'b' }], false],
    [{}, [{ zone: 'a' }], false],
  ])('%j in %j: %s', (segments, topologies, expected) => {
    expect(isWithinReach(segments, topologies)).toBe(expected);
  });
});
