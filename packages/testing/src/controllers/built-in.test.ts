/**
 * All built-in loops under the laws: two nodes, a service that fails, is updated, scaled, removed.
 * A crash after every single write of every loop.
 */
import { ACTORS, deriveId, Service, Task } from '@skep/api';
import { describe, expect, it } from '@jest/globals';
import { comparable } from '../cluster/comparable.js';
import { controllerLaws } from './controller-laws.js';
import { CONTROLLER_LAWS } from './law-faults.js';
import type { ControllerSource } from './controller-process.js';
import { careless, clients, node, piecemeal, surroundings, swarm } from './__fixtures__/swarm.js';
import { SWARM_KINDS, swarmWith, web, WEB_ID, Wish, wish } from './__fixtures__/swarm.js';
import { userSteps } from './script.js';

const { apply, report } = userSteps;
const setup = { kinds: SWARM_KINDS, controllers: swarm, comparable, ages: [3], seeds: 3 };
/** Each of these is some hundreds of runs of a cluster. */
const LONG_MS = 120_000;

const deployed = apply(...surroundings(), web('v1', 2));
const failed = report(Task, {
  id: deriveId(WEB_ID, 'task', 0),
  actor: ACTORS.dispatcher,
  fields: { state: 'failed' },
});

const scenarios = {
  'a failure and an update': [deployed, failed, apply(web('v2', 2))],
  'a node that is drained and comes back': [
    deployed,
    apply(node('one', 'drain')),
    apply(node('one')),
  ],
  'scaling down and removal': [deployed, apply(web('v1', 1)), userSteps.delete(Service, WEB_ID)],
};

describe.each(Object.entries(scenarios))('built-in loops, %s', (_, scenario) => {
  it.each(CONTROLLER_LAWS)(
    'keep the law %s',
    async (law) => {
      const { runs, writes } = await controllerLaws({ ...setup, scenario, laws: [law] });
      expect(writes).toBeGreaterThan(30);
      if (law === 'crash') expect(runs.crash).toBe(writes);
    },
    LONG_MS,
  );
});

describe('bugs that people met', () => {
  it(
    'no orphans when a second update cuts the first one short (Dokploy#3809)',
    async () => {
      const scenario = [deployed, apply(web('v2', 2)), apply(web('v3', 2))];
      const { runs } = await controllerLaws({ ...setup, scenario, laws: ['haste'] });
      expect(runs.haste).toBeGreaterThan(100);
    },
    LONG_MS,
  );

  it(
    'no lost update of two clients that read, change and write (moby#30794)',
    async () => {
      const kinds = [...SWARM_KINDS, Wish];
      const controllers = () => [...swarm(), clients()];
      const wishes = apply(wish('newer', { image: 'v2' }), wish('more', { replicas: 3 }));
      const scenario = [deployed, wishes];
      const input = { ...setup, kinds, controllers, scenario };
      // Whose turn comes first decides how many tasks start with the old image.
      const laws = ['haste', 'leaders', 'stale', 'stale-crash'] as const;
      const report = await controllerLaws({ ...input, laws, isCounted: false });
      expect(report.runs.stale).toBe(4);
    },
    LONG_MS,
  );
});

describe('the service loop', () => {
  it(
    'may be cut off between any two of its changes',
    async () => {
      const controllers = () => swarmWith(piecemeal());
      const scenario = [deployed, apply(web('v2', 2))];
      await controllerLaws({ ...setup, controllers, scenario, laws: ['crash'] });
    },
    LONG_MS,
  );

  it(
    'is found out when it draws the ids of its tasks and does not count them',
    async () => {
      const controllers: ControllerSource = ({ random }) => swarmWith(careless(random));
      const scenario = [deployed];
      const laws = controllerLaws({ ...setup, controllers, scenario, shrinkRunsMax: 20 });
      await expect(laws).rejects.toThrow("the law 'stale-crash' is broken");
    },
    LONG_MS,
  );
});
