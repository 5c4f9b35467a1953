import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import type { Labels } from '@skep/api';
import type { Policy } from '@skep/scheduler';
import { checkPolicyLaw, node, place, policyLaws, service } from '@skep/testing';
import { expect } from '@skep/testing/jest';
import { licencePolicy } from './3-licences.js';

describe('licences', () => {
  const nodes = [node('n1', { labels: { licences: '2' } }), node('n2'), node('n3')];

  it('are what decides for a service that needs them, and for no other', () => {
    const result = place(licencePolicy, {
      nodes,
      services: [service('cad', { replicas: 3 }), service('web', { replicas: 3 })],
    });
    expect(result.tasksOn('n1')).toEqual(expect.arrayContaining(['cad.1', 'cad.2']));
    expect(result.task('cad.3')).toBePending({ because: 'licence' });
    expect(result.service('web')).toPlaceAll();
  });

  it('are shared by the services', () => {
    const result = place(licencePolicy, {
      nodes,
      services: [service('render')],
      running: { n1: [service('cad', { replicas: 2 })] },
    });
    expect(result).toBePending({ because: 'licence seats needs 1, has 0' });
  });

  it('leave the laws of placement whole', () => {
    policyLaws(licencePolicy, {
      runs: 40,
      serviceNames: ['cad', 'web', 'render'],
      node: fc.record({
        labels: fc.constantFrom<Labels>({}, { licences: '1' }, { licences: '3' }),
      }),
    });
  });

  it('would break a law if the filter promised more than it keeps', () => {
    // The same filter with a key: "my answer follows from this and from the node alone".
    const filters = licencePolicy.filters.map((filter) =>
      filter.name !== 'licence'
        ? filter
        : {
            ...filter,
            prepare: (...args: Parameters<typeof filter.prepare>) => ({
              key: 'licence',
              check: filter.prepare(...args)?.check ?? (() => undefined),
            }),
          },
    );
    const careless: Policy = { ...licencePolicy, name: 'careless', filters };
    expect(() =>
      checkPolicyLaw('cache', careless, {
        nodes: [node('n1')],
        services: [service('cad'), service('web')],
      }),
    ).toThrow('with what is remembered web.1 waits, worked out anew web.1 on n1');
  });
});
