/**
 * The built-in loops under the laws, beyond replicated services: global services and jobs, nodes
 * and volumes that do not suit their tasks any more. With it, every loop has written under them.
 */
import { ACTORS, newObject, Node, Service, Volume } from '@skep/api';
import type { ServiceSpec, StoredObject } from '@skep/api';
import { builtInControllers } from '@skep/orchestrator';
import type { View } from '@skep/store';
import { describe, expect, it } from '@jest/globals';
import { comparable } from '../cluster/comparable.js';
import { controllerHarness } from './harness.js';
import { controllerLaws } from './controller-laws.js';
import { node, surroundings, swarm, SWARM_KINDS, web, WEB_ID } from './__fixtures__/swarm.js';
import { userSteps, type ScenarioStep } from './script.js';

const { apply } = userSteps;
const LONG_MS = 120_000;

/** What stands in the end, and how far jobs came. */
function standing(view: View): unknown {
  const jobs = view.list(Service).map(({ status: { job } }) => ({
    iteration: job?.iteration,
    completed: job?.completed,
  }));
  return { ...comparable(view), jobs };
}

/** What every cluster has, and these nodes. */
function ground(...nodes: readonly StoredObject[]): readonly StoredObject[] {
  return [...surroundings().filter(({ kind }) => kind !== Node.name), ...nodes];
}

/** Nothing but the mode, and tasks without networks: the loops have less to do on the way. */
function service(mode: ServiceSpec['mode'], spec: Partial<ServiceSpec> = {}): StoredObject {
  return web('v1', 1, {
    task: { container: { image: 'v1' } },
    endpoint: {},
    ...(mode === undefined ? {} : { mode }),
    ...spec,
  });
}

const onSsd = {
  task: {
    container: { image: 'v1' },
    placement: { constraints: ['node.labels.disk == ssd'] },
  },
};
const withVolume = {
  task: {
    container: {
      image: 'v1',
      mounts: [{ type: 'cluster' as const, source: 'data', target: '/data' }],
    },
  },
};

function volume(availability: 'active' | 'drain'): StoredObject {
  return newObject(Volume, {
    id: 'data',
    name: 'data',
    spec: {
      driver: { name: 'csi' },
      access: { scope: 'multi', sharing: 'all', type: 'mount' },
      availability,
    },
    status: { volumeId: 'made' },
  });
}

const SSD = { disk: 'ssd' };
const job = (completions: number): StoredObject =>
  service({ type: 'replicated-job', totalCompletions: completions });

const scenarios: Readonly<Record<string, readonly ScenarioStep[]>> = {
  'a global service, a node that comes and one that drains': [
    apply(...ground(node('one')), service({ type: 'global' })),
    apply(node('two'), node('one', 'drain')),
  ],
  'a job that becomes larger': [apply(...ground(node('one')), job(2)), apply(job(3))],
  'a global job, and a node that comes': [
    apply(...ground(node('one')), service({ type: 'global-job' })),
    apply(node('two')),
  ],
  'a node that loses the label which its task needs': [
    apply(...ground(node('one', 'active', SSD)), service(undefined, onSsd)),
    apply(node('two', 'active', SSD), node('one')),
  ],
  'a volume that is drained, and comes back': [
    apply(...ground(node('one')), volume('active'), service(undefined, withVolume)),
    apply(volume('drain')),
    apply(volume('active')),
  ],
};

describe.each(Object.entries(scenarios))('built-in loops, %s', (_, scenario) => {
  it(
    'keep all laws',
    async () => {
      const setup = { kinds: SWARM_KINDS, controllers: swarm, comparable: standing };
      const { runs, writes } = await controllerLaws({ ...setup, scenario, ages: [3], seeds: 2 });
      expect(writes).toBeGreaterThan(10);
      expect(runs.crash).toBe(writes);
    },
    LONG_MS,
  );
});

it('every built-in loop writes in one of these scenarios, or in those of built-in.test.ts', async () => {
  const endpoints: readonly ScenarioStep[] = [
    apply(...surroundings(), web('v1', 1)),
    userSteps.delete(Service, WEB_ID),
  ];
  const actors = new Set<string>();
  for (const scenario of [...Object.values(scenarios), endpoints]) {
    const harness = await controllerHarness({ kinds: SWARM_KINDS, controllers: swarm });
    for (const step of scenario) {
      await harness.perform(step);
      await harness.settle();
    }
    for (const { actor } of harness.commits) actors.add(actor);
    await harness.stop();
  }
  const loops = builtInControllers({}).map(({ name, actor = name }) => actor);
  expect(loops).toHaveLength(7);
  expect([...actors].sort()).toEqual([...loops, ACTORS.user, ACTORS.dispatcher].sort());
});
