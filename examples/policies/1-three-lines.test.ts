/** How little a test of a policy needs: a policy, a cluster, and what is to be true. */
import { it } from '@jest/globals';
import { swarmPolicy } from '@skep/scheduler';
import { place, service } from '@skep/testing';
import { expect } from '@skep/testing/jest';

it('puts a task on every node', () => {
  const result = place(swarmPolicy(), { nodes: 3, services: [service('web', { replicas: 3 })] });
  expect(result).toBeSpreadOver('node');
});
