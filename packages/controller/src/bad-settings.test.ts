/** Settings that would stop or starve a controller in silence are refused at once. */
import { describe, expect, it } from '@jest/globals';
import { newObject } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { noChanges } from './changes.js';
import { ControllerGroup, startController } from './controller-group.js';
import { deletionPolicy } from './deletion-policy.js';
import { withFinalizer } from './finalizer.js';
import { WorkQueue } from './work-queue.js';
import { Parent } from './__fixtures__/world.js';

const clock = new VirtualClock();
const queue = (options: object): WorkQueue => new WorkQueue({ name: 'q', clock, ...options });

describe('what is refused', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['no keys', () => queue({ keysMax: 0 }), /^work queue 'q': keysMax is 0; give 1 or more$/],
    ['keys by NaN', () => queue({ keysMax: NaN }), /keysMax is NaN/],
    ['no ageing', () => queue({ agingMs: 0 }), /agingMs is 0; give a time above 0/],
    ['no backoff', () => queue({ backoffMsMin: -5 }), /backoffMsMin is -5; give a time above 0/],
    ['a backoff by NaN', () => queue({ backoffMsMin: NaN }), /backoffMsMin is NaN.*backoffMsMax/],
    ['bounds crossed', () => queue({ backoffMsMin: 9, backoffMsMax: 8 }), /backoffMsMax is 8/],
    ['conflicts by NaN', () => queue({ conflictsMax: NaN }), /conflictsMax is NaN; give 0 or/],
    ['a time that is none', () => queue({}).addAt('a', NaN), /the time of a key is NaN/],
    [
      'a priority that is none',
      () => queue({}).add('a', 'hand', { priority: NaN }),
      /the priority of a key is NaN; give a number/,
    ],
    [
      'a group without seams',
      () => new ControllerGroup({ clock } as never),
      /^controllers need store, random: give \{ store, clock, random \}$/,
    ],
    ['a group without anything', () => new ControllerGroup(undefined as never), /need store, cl/],
    [
      'a policy that there is not',
      () => deletionPolicy(newObject(Parent, { id: 'a', spec: { wanted: 1 } }), 'later' as never),
      /no deletion policy 'later' \(there are: background, foreground, orphan\)/,
    ],
    [
      'a finalizer without a name',
      () =>
        withFinalizer('', {
          for: Parent,
          apply: () => noChanges,
          cleanup: () => ({ ...noChanges, isDone: true }),
        }),
      /a finalizer needs a name/,
    ],
  ])('%s', (_what, act, message) => {
    expect(act).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    expect(act).toThrow(message);
  });

  it('a controller without seams', async () => {
    const started = startController({ name: 'a', for: Parent, plan: () => noChanges }, {} as never);
    await expect(started).rejects.toThrow(/controllers need store, clock, random/);
  });
});
