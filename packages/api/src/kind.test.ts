import { describe, expect, it } from '@jest/globals';
import {
  Cluster,
  Config,
  EndpointSlice,
  Event,
  Lease,
  Network,
  Node,
  Secret,
  Service,
  Task,
  Volume,
} from './index.js';
import { byIndex, defineKind, newObject, withMeta, withSpec, withStatus } from './kind.js';

interface GatewaySpec {
  readonly port: number;
  readonly host?: string;
}
interface GatewayStatus {
  readonly isOpen: boolean;
}

const Gateway = defineKind<GatewaySpec, GatewayStatus>({
  name: 'Gateway',
  indexes: { port: ({ spec }) => String(spec.port) },
  initialStatus: { isOpen: false },
  defaults: (spec) => ({ host: 'localhost', ...spec }),
});

describe('defineKind', () => {
  it('fills in what is not said, and the token cannot be changed', () => {
    expect(Gateway).toMatchObject({ name: 'Gateway', plural: 'gateways', hasUniqueName: true });
    expect(Object.isFrozen(Gateway)).toBe(true);
    const Policy = defineKind<object, object>({
      name: 'Policy',
      plural: 'policies',
      hasUniqueName: false,
      initialStatus: {},
    });
    expect(Policy).toMatchObject({ plural: 'policies', hasUniqueName: false, indexes: {} });
    expect('defaults' in Policy).toBe(false);
  });

  it.each([
    [Cluster, 'clusters', true],
    [Config, 'configs', true],
    [EndpointSlice, 'endpointslices', false],
    [Event, 'events', false],
    [Lease, 'leases', true],
    [Network, 'networks', true],
    [Node, 'nodes', false],
    [Secret, 'secrets', true],
    [Service, 'services', true],
    [Task, 'tasks', false],
    [Volume, 'volumes', true],
  ])('%# has its plural and its rule of names', ({ plural, hasUniqueName }, words, isUnique) => {
    expect([plural, hasUniqueName]).toEqual([words, isUnique]);
  });
});

describe('newObject', () => {
  it('is an object that nobody has looked at, with the defaults of its kind', () => {
    expect(newObject(Gateway, { id: 'g1', name: 'front', spec: { port: 80 } })).toEqual({
      kind: 'Gateway',
      meta: {
        id: 'g1',
        name: 'front',
        labels: {},
        version: 0,
        generation: 1,
        createdAt: 0,
        updatedAt: 0,
        finalizers: [],
        owners: [],
      },
      spec: { port: 80, host: 'localhost' },
      status: { isOpen: false },
    });
  });

  it('takes a status when one is given, and a kind without defaults leaves the spec as it is', () => {
    const status = { isOpen: true };
    expect(newObject(Gateway, { id: 'g1', spec: { port: 1 }, status }).status).toBe(status);
    const spec = { role: 'worker', availability: 'active' } as const;
    expect(newObject(Node, { id: 'n1', spec }).spec).toBe(spec);
  });
});

describe('copies', () => {
  const gateway = newObject(Gateway, { id: 'g1', name: 'front', spec: { port: 80 } });

  it('differ in one half and share the rest', () => {
    const status = { isOpen: true };
    const opened = withStatus(gateway, status);
    expect(opened).toEqual({ ...gateway, status });
    expect([opened.meta, opened.spec]).toEqual([gateway.meta, gateway.spec]);
    expect(opened.meta).toBe(gateway.meta);
    expect(opened.spec).toBe(gateway.spec);
    const spec = { port: 81 };
    const moved = withSpec(gateway, spec);
    expect([moved.spec, moved.status, moved.meta]).toEqual([spec, gateway.status, gateway.meta]);
    expect(moved.status).toBe(gateway.status);
  });

  it('may differ in some fields of the meta', () => {
    const labelled = withMeta(gateway, { labels: { tier: 'front' } });
    expect(labelled.meta).toEqual({ ...gateway.meta, labels: { tier: 'front' } });
    expect(labelled.spec).toBe(gateway.spec);
    expect(gateway.meta.labels).toEqual({});
  });
});

describe('byIndex', () => {
  it('names index and key', () => {
    expect(byIndex(Gateway, 'port', '80')).toMatchObject({ index: 'port', key: '80' });
  });
});
