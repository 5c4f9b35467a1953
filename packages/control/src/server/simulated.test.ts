import { describe, expect, it } from '@jest/globals';
import { Service } from '@skep/api';
import { createCluster } from 'skep';
import { Listener } from '../__fixtures__/rig.js';
import { controlClient } from '../client/control-client.js';
import { controlApp } from './app.js';

describe('a simulated cluster', () => {
  it('can be asked as a live one can, its nodes too', async () => {
    const cluster = await createCluster({
      nodes: 2,
      behaviour: { web: { prints: [{ afterMs: 10, text: 'hello' }] } },
    });
    const { clock } = cluster;
    const app = controlApp({ cluster });
    const client = controlClient({ fetch: (request) => app.fetch(request), clock });
    await cluster.apply('services: { web: { image: web } }');
    await client.scale('web', 2);
    await cluster.settle();
    expect((await client.info()).nodes).toEqual({ total: 2, ready: 2 });
    expect((await client.get(Service, 'web')).spec.mode).toMatchObject({ replicas: 2 });
    const tables = client.tables('node2');
    await cluster.advance(1_000);
    const { appliedRevision, assignment } = await tables;
    expect(appliedRevision).toBeGreaterThan(0);
    expect(assignment.upserts.some(({ kind }) => kind === 'slice')).toBe(true);
    const logs = new Listener((signal) => client.logs({ services: ['web'], signal }));
    await cluster.advance(1_000);
    await logs.whenOver;
    expect(logs.end).toBe('over');
    expect(logs.heard).toMatchObject([
      { type: 'line', stream: 'stdout', text: 'hello' },
      { type: 'line', stream: 'stdout', text: 'hello' },
    ]);
    await cluster.stop();
  });
});
