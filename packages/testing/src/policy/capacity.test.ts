import { describe, expect, it } from '@jest/globals';
import { swarmPolicy, type Placement, type Policy } from '@skep/scheduler';
import { node } from './build/node.js';
import type { NodeOptions, ServiceOptions } from './build/options.js';
import { service } from './build/service.js';
import { capacityFaults } from './capacity.js';
import { place } from './place.js';
import { PlacementResult } from './placement-result.js';

const free: Policy = { name: 'free', filters: [], rank: [] };

function faults(policy: Policy, has: NodeOptions, ...wants: readonly ServiceOptions[]) {
  const services = wants.map((options, at) => service(`s${at + 1}`, options));
  return capacityFaults(place(policy, { nodes: [node('n1', has)], services }));
}

describe('capacityFaults', () => {
  it.each<[string, NodeOptions, readonly ServiceOptions[], string]>([
    ['cpu', { cpus: 1 }, [{ cpus: 1.5 }], 'n1 has 1 cpus, and s1.1 reserve 1.5'],
    [
      'memory',
      { memory: '1GiB' },
      [{ replicas: 2, memory: '768MiB' }],
      'n1 has 1 GiB of memory, and s1.1, s1.2 reserve 1.5 GiB',
    ],
    ['generic resources', { generic: { ssd: 1 } }, [{ generic: { ssd: 2 } }], 'n1 has 1 ssd'],
    [
      'host ports',
      {},
      [{ hostPorts: [80] }, { hostPorts: [80] }],
      'the port tcp/80 of n1 is taken by s1.1, s2.1',
    ],
    ['replicas', {}, [{ replicas: 3, maxPerNode: 2 }], 'n1 has 3 tasks of s1, which allows 2'],
    ['devices that are not there', {}, [{ gpus: 1 }], 's1.1 asked for 1 gpu (whole) and got none'],
  ])('finds too much of %s', (_what, has, wants, text) => {
    expect(faults(free, has, ...wants).join('\n')).toContain(text);
  });

  /** As if each task of the service had been given these things. */
  function given(
    gives: Pick<Placement, 'genericResources' | 'devices'>,
    has: NodeOptions,
    wants: ServiceOptions,
  ): readonly string[] {
    const result = place(free, { nodes: [node('n1', has)], services: [service('s', wants)] });
    const { policy, cluster, state } = result;
    const decisions = result.placements.map(({ task, taskId, nodeId, reason }) => ({
      task,
      placement: { task, taskId, nodeId, reason, ...gives },
    }));
    return capacityFaults(new PlacementResult({ policy, cluster, state, decisions }));
  }

  it('finds names that are given twice, or that nobody has', () => {
    const gives = { genericResources: [{ kind: 'fpga', ids: ['a'] }] };
    const two = { replicas: 2, generic: { fpga: 1 } };
    expect(given(gives, { generic: { fpga: ['a', 'b'] } }, two)).toEqual([
      'n1 gave its fpga a twice',
    ]);
    expect(given(gives, { generic: { fpga: ['b'] } }, { generic: { fpga: 1 } })).toEqual([
      'n1 has no fpga a, and gave it',
    ]);
    const none = { genericResources: [] };
    expect(given(none, { generic: { fpga: ['b'] } }, { generic: { fpga: 1 } })).toEqual([
      's.1 asked for 1 fpga and got 0',
    ]);
  });

  it.each<[string, number, number, ServiceOptions, string]>([
    [
      'too much of one',
      0,
      600,
      { replicas: 2, gpus: 0.6 },
      'n1 gave 1200 of the 1000 thousandths of gpu 0',
    ],
    ['one that is not there', 3, 600, { gpus: 0.6 }, 'n1 has no gpu 3, and gave it'],
    ['too little', 0, 500, { gpus: 0.6 }, 's.1 asked for 1 gpu (600) and got 500 of gpu 0'],
    ['too few', 0, 1000, { gpus: 2 }, 's.1 asked for 2 gpu (whole) and got 1000 of gpu 0'],
    [
      'another model',
      0,
      1000,
      { gpus: { count: 1, models: ['V100', 'P100'] } },
      's.1 asked for 1 gpu V100|P100 (whole) and got 1000 of gpu 0',
    ],
  ])('finds devices given wrongly: %s', (_what, index, milli, wants, text) => {
    const devices = [{ kind: 'gpu', index, milli }];
    expect(given({ devices }, { gpus: { count: 1, model: 'T4' } }, wants)).toEqual([text]);
  });

  it('does not mind what none of the new tasks asks for, or what fits exactly', () => {
    const policy = swarmPolicy();
    const full = place(policy, {
      nodes: [node('n1', { cpus: 1, gpus: 1, generic: { ssd: 1 } })],
      services: [
        service('one', { cpus: 1, gpus: 1, generic: { ssd: 1 }, hostPorts: [80], maxPerNode: 1 }),
        service('none'),
      ],
    });
    expect(full.pending).toEqual([]);
    expect(capacityFaults(full)).toEqual([]);
    const over = place(policy, {
      nodes: [node('n1', { cpus: 1 })],
      services: [service('none')],
      running: { n1: [service('big', { cpus: 8 })] },
    });
    expect(capacityFaults(over)).toEqual([]);
  });
});
