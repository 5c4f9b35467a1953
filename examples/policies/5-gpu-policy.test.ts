import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { swarmPolicy } from '@skep/scheduler';
import {
  cluster,
  comparePolicies,
  node,
  parseTraceCsv,
  place,
  policyLaws,
  service,
} from '@skep/testing';
import { expect } from '@skep/testing/jest';
import { gpuPolicy } from './5-gpu-policy.js';

describe('GPUs stay whole', () => {
  it('since shares go where a GPU is shared already', () => {
    const result = place(gpuPolicy, {
      ...cluster({ nodes: 2, gpus: 2 }),
      services: [service('chat', { replicas: 4, gpus: 0.3 })],
    });
    expect(result.service('chat')).toUseNodes(1);
    // Three shares of the first GPU; the fourth does not fit there any more.
    expect(result.placements.map(({ devices }) => devices?.[0]?.index)).toEqual([0, 0, 0, 1]);
    expect(result.task('chat.2')).toPreferNode('n1', { over: 'n2' });
  });

  it('and a new GPU is begun where the fewest are whole', () => {
    const result = place(gpuPolicy, {
      nodes: [node('many', { gpus: 4 }), node('few', { gpus: 1 })],
      services: [service('chat', { gpus: 0.5 })],
    });
    expect(result.task('chat.1')).toBePlacedOn('few');
  });

  it('on a GPU of a model that will do', () => {
    const result = place(gpuPolicy, {
      nodes: [
        node('old', { gpus: { count: 1, model: 'T4' } }),
        node('new', { gpus: { count: 1, model: 'A100' } }),
      ],
      services: [service('big', { gpus: { count: 1, milli: 500, models: ['A100'] } })],
    });
    expect(result).toBePlacedOn('new');
  });

  it('so that training finds a place that it would not have found', () => {
    const text = `event,name,count,gpus
node,n,4,2
arrive,chat,6,0.3
arrive,train,6,1
`;
    const trace = parseTraceCsv({ path: 'day.csv', text }, 'a day');
    const { data } = comparePolicies(trace, [swarmPolicy(), gpuPolicy]);
    const [swarm, own] = data.policies;
    expect(swarm?.pending).toBeGreaterThan(0);
    expect(own?.pending).toBe(0);
  });

  it('within the laws of placement, on clusters that are all GPUs', () => {
    policyLaws(gpuPolicy, {
      runs: 40,
      node: fc.record({ gpus: fc.integer({ min: 0, max: 4 }) }),
      service: fc.record({
        replicas: fc.integer({ min: 1, max: 4 }),
        gpus: fc.constantFrom(0.2, 0.3, 0.5, 1, 2),
      }),
    });
  });
});
