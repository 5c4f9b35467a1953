/**
 * The two real runtimes under a cluster for tests, and the services that it runs.
 */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Mount, NetworkSpec, ServiceSpec } from '@skep/api';
import { dockerRuntime } from '../src/docker/docker-runtime.js';
import { processRuntime } from '../src/process/process-runtime.js';
import type { TestEngine } from './docker-engine.js';
import type { RealClusterOptions } from './kernel-cluster.js';

/** Name of the image with the tools of tasks; processes find them on the host. */
export const IMAGE = 'skt-busybox:1';
/** Published ports of the services `vote` and `busy`. */
export const VOTE_PORT = 8080;
export const BUSY_PORT = 8090;
/** Nodes say that they have this much, so that no service waits for room. */
const ROOM = { cpuNanos: 64e9, memoryBytes: 2 ** 37 };

/** How a cluster runs its tasks. */
export type RealRuntime = Pick<RealClusterOptions, 'runtimeOf' | 'taskNamespaces'>;

/** Tasks as processes. */
export function processes(): RealRuntime {
  return {
    runtimeOf: ({ name, folder, dataplane }) =>
      processRuntime({
        stateFolder: folder,
        nodeName: name,
        networkNamespaceOf: (task) => `/run/netns/${dataplane.taskNamespace(task.id)}`,
        description: { resources: ROOM },
      }),
  };
}

/** Tasks as containers of an engine. */
export function containers(engine: TestEngine, cluster: string): RealRuntime {
  return {
    taskNamespaces: 'adopted',
    runtimeOf: ({ name, folder, dataplane }) =>
      dockerRuntime({
        cluster,
        node: name,
        stateFolder: folder,
        socketPath: engine.socketPath,
        attach: (task, { pid }) => dataplane.adoptTaskNamespace(task.id, pid),
        description: { hostname: name, resources: ROOM },
      }),
  };
}

/** Path of a program of the tests; benchmarks are run from elsewhere, in the project's root. */
export function fixture(name: string): string {
  const beside = join(import.meta.dirname ?? __dirname, '__fixtures__', name);
  const fromRoot = resolve('packages/adapter-hosts/test/__fixtures__', name);
  return existsSync(beside) ? beside : fromRoot;
}

/** What a container needs to run this machine's Node.js: its file, and the libraries. */
function nodeMounts(program: string): readonly Mount[] {
  const folders = ['/lib', '/lib64', '/usr/lib', dirname(program)].filter(existsSync);
  return [
    ...folders.map((path) => ({
      type: 'bind' as const,
      source: path,
      target: path,
      isReadOnly: true,
    })),
    { type: 'bind', source: process.execPath, target: '/bin/node', isReadOnly: true },
  ];
}

/** A service of servers that say who they are: see `__fixtures__/who.mjs`. */
export function whoService(change: {
  readonly replicas: number;
  readonly isContainer: boolean;
  readonly port: number;
  readonly env?: readonly string[];
}): ServiceSpec {
  const { replicas, isContainer, port, env = [] } = change;
  const program = fixture('who.mjs');
  return {
    mode: { type: 'replicated', replicas },
    task: {
      container: {
        image: IMAGE,
        command: [isContainer ? '/bin/node' : process.execPath, program],
        env: ['WHO={{.Task.ID}}', ...env],
        ...(isContainer ? { mounts: nodeMounts(program) } : {}),
        healthCheck: {
          test: ['CMD', 'busybox', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1/'],
          intervalMs: 500,
          timeoutMs: 20_000,
          retries: 20,
        },
        stopGracePeriodMs: 20_000,
      },
      networks: [{ target: 'net' }],
    },
    update: { parallelism: 1, order: 'start-first', monitorMs: 1_000 },
    endpoint: {
      ports: [
        { targetPort: 80, publishedPort: port },
        { targetPort: 80, publishedPort: port, protocol: 'udp' },
      ],
    },
  };
}

/** A task that does nothing: clients are run in its namespace. */
export function idleService(): ServiceSpec {
  const command = ['busybox', 'sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1; done'];
  return { task: { container: { image: IMAGE, command }, networks: [{ target: 'net' }] } };
}

/** The network of all services. */
export const NET: NetworkSpec = { ipam: { configs: [{ subnet: '10.0.9.0/24' }] } };
