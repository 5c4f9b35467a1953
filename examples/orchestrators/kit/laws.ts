/**
 * What every controller here has to stand.
 */
import { expect, it } from '@jest/globals';
import { runTrial, type Trial } from './trial.js';

/**
 * Tests: a crash after every single write, and two processes that do not know of each other, come
 * to the same objects with the same number of creations and deletions as an undisturbed run.
 */
export function itObeysTheLaws(trial: Trial): void {
  it('a crash after any write changes nothing', async () => {
    const undisturbed = await runTrial(trial);
    expect(undisturbed.writes).toBeGreaterThan(0);
    for (let crashAfter = 1; crashAfter <= undisturbed.writes; crashAfter += 1) {
      const { objects, counts } = await runTrial(trial, { crashAfter });
      expect({ crashAfter, objects, counts }).toEqual({
        crashAfter,
        objects: undisturbed.objects,
        counts: undisturbed.counts,
      });
    }
  }, 30_000);

  it('two processes at the same time do no more than one', async () => {
    const { objects, counts } = await runTrial(trial);
    expect(await runTrial(trial, { processes: 2 })).toMatchObject({ objects, counts });
  }, 30_000);
}
