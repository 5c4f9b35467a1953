import { describe, expect, it } from '@jest/globals';
import { withMeta, type Service } from '@skep/api';
import { serviceOf } from '../__fixtures__/objects.js';
import { patchOf, type ServiceChanges } from './service-patch.js';

const web = withMeta<Service['spec'], Service['status']>(
  serviceOf('web', {
    task: {
      container: { image: 'web:1', env: ['A=1', 'B=2', 'C'] },
      placement: { constraints: ['node.labels.disk == ssd'] },
    },
    endpoint: {
      ports: [
        { targetPort: 80, publishedPort: 8080 },
        { targetPort: 53, protocol: 'udp' },
      ],
    },
  }),
  { labels: { tier: 'front' } },
);

describe('patchOf', () => {
  it.each<[ServiceChanges, object]>([
    [{}, {}],
    [{ image: 'web:2' }, { spec: { task: { container: { image: 'web:2' } } } }],
    [{ args: ' -v  x ' }, { spec: { task: { container: { args: ['-v', 'x'] } } } }],
    [{ replicas: 0 }, { spec: { mode: { type: 'replicated', replicas: 0 } } }],
    [
      { envAdd: ['B=3', 'D=4'], envRm: ['C'] },
      { spec: { task: { container: { env: ['A=1', 'B=3', 'D=4'] } } } },
    ],
    [
      {
        constraintAdd: ['node.role==worker', 'node.role == worker'],
        constraintRm: ['node.labels.disk==ssd'],
      },
      {
        spec: {
          task: { placement: { constraints: ['node.role==worker', 'node.role == worker'] } },
        },
      },
    ],
    [
      { publishAdd: ['81'], publishRm: ['80'] },
      { spec: { endpoint: { ports: [{ targetPort: 53, protocol: 'udp' }, { targetPort: 81 }] } } },
    ],
    [
      {
        updateParallelism: 0,
        updateDelay: 5,
        updateOrder: 'start-first',
        updateFailureAction: 'rollback',
      },
      {
        spec: {
          update: { parallelism: 0, delayMs: 5, order: 'start-first', failureAction: 'rollback' },
        },
      },
    ],
    [{ restartCondition: 'none' }, { spec: { task: { restartPolicy: { condition: 'none' } } } }],
    [{ labelAdd: ['a=b=c'], labelRm: ['tier'] }, { labels: { a: 'b=c', tier: null } }],
    [
      { patch: '{"task":{"container":{"user":"u","image":"x"}},"update":null}', image: 'web:2' },
      { spec: { task: { container: { user: 'u', image: 'web:2' } }, update: null } },
    ],
  ])('%j', (changes, patch) => {
    expect(patchOf(web, changes)).toEqual(patch);
  });

  it.each<[ServiceChanges, RegExp]>([
    [{ envAdd: ['A'] }, /--env-add A: write KEY=VALUE/],
    [{ envRm: ['Z'] }, /--env-rm Z: there is nothing like that \(there are: A, B, C\)/],
    [{ labelRm: ['x'] }, /--label-rm x: .*there are: tier/],
    [{ constraintRm: ['a==b'] }, /--constraint-rm a==b: .*node\.labels\.disk == ssd/],
    [{ publishRm: ['99'] }, /--publish-rm 99: .*there are: 80\/tcp, 53\/udp/],
    [{ publishAdd: ['99999'] }, /--publish-add 99999: that is no port/],
    [{ publishAdd: ['a:80'] }, /that is no port \(write \[PUBLISHED:\]TARGET/],
    [{ patch: '[1]' }, /--patch: that is no JSON object/],
    [{ patch: '{' }, /--patch: that is no JSON object/],
  ])('refuses %j', (changes, message) => {
    expect(() => patchOf(web, changes)).toThrow(message);
  });

  it('sets completions of a job, and refuses replicas of a global service', () => {
    const job = serviceOf('job', { mode: { type: 'replicated-job' } });
    expect(patchOf(job, { replicas: 3 })).toEqual({
      spec: { mode: { type: 'replicated-job', totalCompletions: 3 } },
    });
    const global = serviceOf('agent', { mode: { type: 'global' } });
    expect(() => patchOf(global, { replicas: 3 })).toThrow(/a global service has as many tasks/);
  });
});
