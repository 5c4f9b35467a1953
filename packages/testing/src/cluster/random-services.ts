/**
 * Random declarations of services for property tests.
 */
import type { NetworkSpec, ServiceSpec } from '@skep/api';
import * as fc from 'fast-check';
import type { Step } from './step.js';

/** Names that scripts use. */
export const SERVICES: readonly string[] = Object.freeze(['api', 'cache', 'vote', 'web']);
/** Images that services change between. */
export const IMAGES: readonly string[] = Object.freeze(['app:1', 'app:2', 'app:3']);

/** One network with a fixed range that is soon used up, so that addresses are given again. */
export const NETWORKS: Readonly<Record<string, NetworkSpec>> = Object.freeze({
  back: {},
  front: {},
  small: { ipam: { configs: [{ subnet: '172.30.0.0/27' }] } },
});

const PORTS = [8080, 8081, 9000];
/** Published on each node by itself. */
const HOST_PORT = 5_000;
const MIB = 2 ** 20;

/** Where tasks of a service may run, if it does not change. */
const CONSTRAINTS: Readonly<Record<string, string>> = Object.freeze({
  cache: 'node.role == worker',
  vote: 'node.labels.zone == a',
});

/** Declarations of services. `isTight`: such as may not fit, or contradict each other. */
export function applications(isTight: boolean): fc.Arbitrary<Step & { readonly type: 'apply' }> {
  const constraint = fc.option(fc.constantFrom(...Object.values(CONSTRAINTS)), { nil: undefined });
  return fc
    .record({ service: fc.constantFrom(...SERVICES), parts: parts(isTight), constraint })
    .map(({ service, parts, constraint }) => ({
      type: 'apply' as const,
      service,
      spec: build(parts, isTight ? constraint : CONSTRAINTS[service]),
    }));
}

function parts(isTight: boolean): fc.Arbitrary<Parts> {
  const mode: fc.Arbitrary<ServiceSpec['mode']> = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        type: fc.constant('replicated' as const),
        replicas: fc.integer({ min: 0, max: 5 }),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ type: 'global' as const }) },
  );
  const restartPolicy: fc.Arbitrary<ServiceSpec['task']['restartPolicy']> = fc.option(
    fc.record({
      condition: fc.constant('any' as const),
      delayMs: fc.constantFrom(0, 500, 5_000),
    }),
    { nil: undefined },
  );
  const update = fc.record({
    order: fc.constantFrom('stop-first' as const, 'start-first' as const),
    parallelism: fc.integer({ min: 0, max: 2 }),
    delayMs: fc.constantFrom(0, 1_000),
    failureAction: fc.constantFrom('pause' as const, 'continue' as const),
  });
  return fc.record({
    mode,
    image: fc.constantFrom(...IMAGES),
    networks: fc.subarray(Object.keys(NETWORKS)),
    port: ports(),
    update: fc.option(update, { nil: undefined }),
    restartPolicy,
    resources: resources(isTight),
    isRoundRobin: fc.constantFrom(false, false, false, true),
  });
}

type Port = { readonly published: number; readonly mode: 'ingress' | 'host' } | undefined;

function ports(): fc.Arbitrary<Port> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    {
      weight: 4,
      arbitrary: fc.constantFrom(...PORTS).map((published) => ({ published, mode: 'ingress' })),
    },
    { weight: 1, arbitrary: fc.constant({ published: 0, mode: 'ingress' }) },
    { weight: 1, arbitrary: fc.constant({ published: HOST_PORT, mode: 'host' }) },
  ) as fc.Arbitrary<Port>;
}

function resources(isTight: boolean): fc.Arbitrary<ServiceSpec['task']['resources']> {
  const reserve = (cpuNanos: number, mib: number): ServiceSpec['task']['resources'] => ({
    reservations: { cpuNanos, memoryBytes: mib * MIB },
  });
  return fc.constantFrom(
    undefined,
    reserve(5e7, 64),
    ...(isTight ? [reserve(1e9, 1024), reserve(2e9, 4096)] : []),
  );
}

interface Parts {
  readonly mode: ServiceSpec['mode'];
  readonly image: string;
  readonly networks: readonly string[];
  readonly port: Port;
  readonly update: ServiceSpec['update'] | undefined;
  readonly restartPolicy: ServiceSpec['task']['restartPolicy'];
  readonly resources: ServiceSpec['task']['resources'];
  /** Without a virtual address; only where no port is published. */
  readonly isRoundRobin: boolean;
}

function build(parts: Parts, constraint: string | undefined): ServiceSpec {
  const { mode, image, networks, update, restartPolicy } = parts;
  // Host ports are scarce: who has one depends on who came first, unless one service has them all.
  const hasPort = parts.port?.mode !== 'host' || mode?.type === 'global';
  const port = hasPort ? parts.port : undefined;
  // A host port is taken until its holder is gone: starting first would wait for ever.
  const order = port?.mode === 'host' ? { order: 'stop-first' as const } : {};
  return {
    ...(mode === undefined ? {} : { mode }),
    task: {
      container: { image },
      ...(networks.length === 0 ? {} : { networks: networks.map((target) => ({ target })) }),
      ...(restartPolicy === undefined ? {} : { restartPolicy }),
      ...(constraint === undefined ? {} : { placement: { constraints: [constraint] } }),
      ...(parts.resources === undefined ? {} : { resources: parts.resources }),
    },
    ...(update === undefined ? {} : { update: { ...update, ...order } }),
    ...endpointOf(port, parts.isRoundRobin),
  };
}

function endpointOf(port: Port, isRoundRobin: boolean): Pick<ServiceSpec, 'endpoint'> {
  if (port === undefined) return isRoundRobin ? { endpoint: { mode: 'dnsrr' } } : {};
  const { published, mode } = port;
  const fixed = published === 0 ? {} : { publishedPort: published };
  return { endpoint: { ports: [{ targetPort: 80, publishMode: mode, ...fixed }] } };
}
