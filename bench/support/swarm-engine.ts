/**
 * Swarm mode of Docker Engine, for comparison.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import Dockerode from 'dockerode';
import { TestEngine } from '../../packages/adapter-hosts/test/docker-engine.js';

const IMAGE = 'skt-busybox:1';
const ADDRESS = '10.99.0.1';
const LOOK_MS = 20;
const PATIENCE_MS = 120_000;

/**
 * Milliseconds from `docker service create` until all replicas run, on an engine of its own. Tasks
 * share the engine's network: an overlay of swarm mode needs IPVS, which not every kernel has, and
 * would take longer.
 */
export async function swarmServiceMs(
  replicas: number,
  command: readonly string[],
): Promise<number> {
  const engine = new TestEngine({ hasSwarm: true });
  try {
    await engine.start();
    engine.importBusybox(IMAGE);
    const docker = new Dockerode({ socketPath: engine.socketPath });
    await docker.swarmInit({ AdvertiseAddr: ADDRESS, ListenAddr: `${ADDRESS}:2377` });
    const start = performance.now();
    const service = await docker.createService({
      Name: 'web',
      Mode: { Replicated: { Replicas: replicas } },
      TaskTemplate: {
        ContainerSpec: { Image: IMAGE, Command: [...command] },
        Networks: [{ Target: 'host' }],
      },
    });
    await untilTasks(docker, 'running', replicas);
    const taken = performance.now() - start;
    await docker.getService(service.id).remove();
    for (const limit = performance.now() + PATIENCE_MS; performance.now() < limit;) {
      if ((await docker.listContainers({ all: true })).length === 0) break;
      await sleep(LOOK_MS);
    }
    await docker.swarmLeave({ force: true });
    return taken;
  } finally {
    await engine.remove();
  }
}

async function untilTasks(docker: Dockerode, state: string, count: number): Promise<void> {
  const limit = performance.now() + PATIENCE_MS;
  for (;;) {
    const tasks = (await docker.listTasks()) as readonly { Status?: { State?: string } }[];
    const reached = tasks.filter(({ Status }) => Status?.State === state).length;
    if (reached >= count) return;
    if (performance.now() > limit) {
      throw new Error(`swarm mode: ${reached} of ${count} tasks are ${state}`);
    }
    await sleep(LOOK_MS);
  }
}
