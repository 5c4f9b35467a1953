import { describe, expect, it } from '@jest/globals';
import { ACTORS, deriveId, Network, newObject, Service, Task } from '@skep/api';
import { VIRTUAL_EPOCH } from '@skep/api/virtual';
import { controllerLaws, userSteps, type ScenarioStep } from '@skep/testing/controllers';
import { cronJobController } from './controller.js';
import { CronJob, type CronJobSpec } from './kind.js';

const MINUTE = 60_000;
const { advance, apply, report } = userSteps;

const cronJob = (spec: Partial<CronJobSpec>): CronJob =>
  newObject(CronJob, {
    id: 'nightly',
    name: 'nightly',
    spec: { schedule: '*/10 * * * *', container: { image: 'backup:1' }, ...spec },
  });

/** The orchestrator says that the run of this minute is complete. */
function completed(minute: number): ScenarioStep {
  const id = deriveId('nightly', 'run', VIRTUAL_EPOCH + minute * MINUTE);
  const job = { iteration: 0, startedAt: 0, completed: 1 };
  return report(Service, { id, actor: ACTORS.orchestrator, fields: { job } });
}

describe('all laws hold', () => {
  it.each(['Allow', 'Forbid', 'Replace'] as const)(
    'with %s',
    async (concurrencyPolicy) => {
      const found = await controllerLaws({
        kinds: [CronJob, Service, Task, Network],
        controllers: () => [cronJobController()],
        // A schedule asks for another look for ever.
        settleMs: 0,
        ages: [1, 3],
        seeds: 2,
        scenario: [
          apply(cronJob({ concurrencyPolicy, successfulRunsMax: 1 })),
          advance(10 * MINUTE),
          completed(10),
          advance(10 * MINUTE),
          advance(10 * MINUTE),
          completed(20),
          advance(10 * MINUTE),
          userSteps.delete(CronJob, 'nightly'),
        ],
      });
      expect(found.writes).toBeGreaterThan(5);
    },
    30_000,
  );
});
