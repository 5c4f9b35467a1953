import { describe, expect, it } from '@jest/globals';
import { ACTORS, deriveId, Network, newObject, Service, Task } from '@skep/api';
import { VIRTUAL_EPOCH } from '@skep/api/virtual';
import { controllerLaws, userSteps, type ScenarioStep } from '@skep/testing/controllers';
import { insisting, inTwoCommits } from '../kit/broken-twins.js';
import { expectBroken } from '../kit/expect-broken.js';
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

const laws = (concurrencyPolicy: NonNullable<CronJobSpec['concurrencyPolicy']>) => ({
  kinds: [CronJob, Service, Task, Network],
  controllers: () => [cronJobController()],
  // A schedule asks for another look for ever.
  settleMs: 0,
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

describe('under every fault of every law', () => {
  it.each(['Allow', 'Forbid', 'Replace'] as const)(
    'each time runs once with %s',
    async (concurrencyPolicy) => {
      const found = await controllerLaws(laws(concurrencyPolicy));
      expect(found.writes).toBeGreaterThan(5);
    },
    30_000,
  );

  it('finds a twin that notes a run first and starts it later', async () => {
    const twins = () => [inTwoCommits(cronJobController())];
    expect(await expectBroken(laws('Allow'), twins)).toBe('crash');
  }, 30_000);

  it('finds a twin that writes what it decided on an old view, whoever was first', async () => {
    const twins = () => [insisting(cronJobController())];
    expect(await expectBroken(laws('Allow'), twins)).toBe('stale-crash');
  }, 30_000);
});
