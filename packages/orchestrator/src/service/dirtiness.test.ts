import { describe, expect, it } from '@jest/globals';
import {
  Node,
  Service,
  Task,
  newObject,
  withMeta,
  type DesiredTaskState,
  type EndpointSpec,
  type ServiceSpec,
  type TaskState,
  type TaskTemplate,
} from '@skep/api';
import { isTaskDirty } from './dirtiness.js';

interface Case {
  readonly service: TaskTemplate;
  readonly task?: TaskTemplate;
  readonly version?: number;
  readonly state?: TaskState;
  readonly desired?: DesiredTaskState;
  readonly zone?: string;
  readonly endpoints?: readonly [EndpointSpec | undefined, EndpointSpec | undefined];
  readonly history?: Service['status']['history'];
}

const IMAGE: TaskTemplate = { container: { image: 'a' } };
const auth = (registryAuth: string): TaskTemplate => ({
  container: { image: 'a', pullOptions: { registryAuth } },
});
const inZone = (zone: string): TaskTemplate => ({
  ...IMAGE,
  placement: { constraints: [`node.labels.zone == ${zone}`] },
});

function isDirty(input: Case): boolean {
  const [now, before] = input.endpoints ?? [];
  const spec: ServiceSpec = { task: input.service, ...(now ? { endpoint: now } : {}) };
  const service = withMeta(
    newObject(Service, {
      id: 'svc',
      name: 'svc',
      spec,
      status: {
        observedGeneration: 0,
        createdTasks: 0,
        ...(input.history ? { history: input.history } : {}),
      },
    }),
    { generation: 2 },
  );
  const task = newObject(Task, {
    id: 't',
    spec: {
      serviceId: 'svc',
      serviceName: 'svc',
      slot: 1,
      specVersion: input.version ?? 1,
      desiredState: input.desired ?? 'running',
      template: input.task ?? IMAGE,
      ...(before ? { endpoint: before } : {}),
      cause: 'scale',
    },
    status: { state: input.state ?? 'running', timestamp: 0, appliedAt: 0, message: '' },
  });
  const node = newObject(Node, {
    id: 'n1',
    name: 'n1',
    labels: { zone: input.zone ?? '' },
    spec: { role: 'worker', availability: 'active' },
  });
  return isTaskDirty({ service, task, node: input.zone === undefined ? undefined : node });
}

const port = (publishedPort: number): EndpointSpec => ({
  ports: [{ targetPort: 80, publishedPort }],
});
const cluster: TaskTemplate = { ...IMAGE, logDriver: { name: 'json-file' } };
const withDriver: ServiceSpec = { task: cluster };

describe('dirtiness', () => {
  it.each<[string, Case, boolean]>([
    ['the same version', { service: auth('x'), version: 2 }, false],
    ['an equal template of an older version', { service: IMAGE }, false],
    ['another image', { service: { container: { image: 'b' } } }, true],
    ['a raised force counter', { service: { ...IMAGE, forceUpdate: 1 } }, true],
    ['placement alone, and the node matches', { service: inZone('a'), zone: 'a' }, false],
    ['placement alone, and the node does not match', { service: inZone('a'), zone: 'b' }, true],
    ['placement alone, without a node', { service: inZone('a') }, true],
    [
      'max replicas per node alone',
      { service: { ...IMAGE, placement: { maxReplicasPerNode: 1 } }, zone: 'a' },
      false,
    ],
    [
      'a constraint that does not parse',
      { service: { ...IMAGE, placement: { constraints: ['node'] } }, zone: 'a' },
      true,
    ],
    [
      'placement and image',
      { service: { ...inZone('a'), container: { image: 'b' } }, zone: 'a' },
      true,
    ],
    [
      'placement and ports, which Swarm forgets',
      { service: inZone('a'), zone: 'a', endpoints: [port(1), port(2)] },
      true,
    ],
    ['other credentials, running', { service: auth('x'), task: auth('y') }, false],
    ['other credentials, ready', { service: auth('x'), task: auth('y'), state: 'ready' }, false],
    [
      'other credentials, preparing',
      { service: auth('x'), task: auth('y'), state: 'preparing' },
      true,
    ],
    ['other credentials, ended', { service: auth('x'), task: auth('y'), state: 'failed' }, true],
    [
      'other credentials, asked to stop',
      { service: auth('x'), task: auth('y'), desired: 'shutdown' },
      true,
    ],
    ['credentials added to a running task', { service: auth('x') }, false],
    ['another port', { service: IMAGE, endpoints: [port(1), port(2)] }, true],
    ['no ports against none', { service: IMAGE, endpoints: [{ ports: [] }, undefined] }, false],
    ['another endpoint mode', { service: IMAGE, endpoints: [{ mode: 'dnsrr' }, undefined] }, true],
    [
      'weights, which no task depends on',
      { service: IMAGE, endpoints: [{ weights: [{ weight: 5 }] }, undefined] },
      false,
    ],
    ["the cluster's log driver in the task", { service: IMAGE, task: cluster }, false],
    [
      'a log driver that the service named and names no longer',
      { service: IMAGE, task: cluster, history: [{ specVersion: 1, spec: withDriver }] },
      true,
    ],
    ['a log driver that the service names now', { service: cluster }, true],
  ])('%s', (_name, input, expected) => {
    expect(isDirty(input)).toBe(expected);
  });
});
