/** Zones, capacity and constraints: what Swarm's policy does with them, a sentence a test. */
import { describe, it } from '@jest/globals';
import { swarmPolicy } from '@skep/scheduler';
import { cluster, node, place, service } from '@skep/testing';
import { expect } from '@skep/testing/jest';

describe('a service that is spread over zones', () => {
  const web = service('web', { replicas: 6, cpus: 1, spread: 'zone' });

  it('is spread evenly, however many nodes a zone has', () => {
    const nodes = ['a', 'a', 'a', 'b'].map((zone, at) => node(`n${at + 1}`, { labels: { zone } }));
    const result = place(swarmPolicy(), { nodes, services: [web] });
    expect(result).toPlaceAll();
    expect(result).toBeSpreadOver('zone', { maxSkew: 0 });
    expect(result).not.toBeSpreadOver('node');
  });

  it('goes elsewhere when a zone is full, and waits when all are', () => {
    const { nodes } = cluster({
      nodes: 3,
      zones: 3,
      cpus: 2,
      each: (at) => (at === 0 ? { cpus: 1 } : {}),
    });
    const result = place(swarmPolicy(), { nodes, services: [web] });
    expect(result).toFitCapacity();
    expect(result.tasksOn('n1')).toHaveLength(1);
    expect(result.task('web.6')).toBePending({ because: 'cpu needs 1 cores, has 0 cores' });
  });

  it('counts what runs already', () => {
    const result = place(swarmPolicy(), {
      ...cluster({ nodes: 2, zones: 2 }),
      services: [service('web', { spread: 'zone' })],
      running: { n1: [service('web')] },
    });
    expect(result.task('web.1')).toBePlacedOn('n2');
  });
});

it('a constraint leaves a task waiting rather than in the wrong place', () => {
  const result = place(swarmPolicy(), {
    nodes: [node('n1', { labels: { disk: 'hdd' } }), node('n2', { availability: 'drain' })],
    services: [service('db', { constraints: 'node.labels.disk == ssd' })],
  });
  expect(result).toBePending({ because: /constraint needs node\.labels\.disk == ssd, has hdd/ });
});
