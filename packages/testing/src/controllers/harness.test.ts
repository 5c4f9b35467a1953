/** The harness, step by step. */
import { newObject } from '@skep/api';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ControllerDefinition } from '@skep/controller';
import { controllerHarness, type ControllerHarness } from './harness.js';
import type { ControllerHarnessOptions } from './harness.js';
import { userSteps, type Fault } from './script.js';
import { Player, players, randomIds, restless, team, Team } from './__fixtures__/teams.js';

const open: ControllerHarness[] = [];

async function start(input: Partial<ControllerHarnessOptions> = {}): Promise<ControllerHarness> {
  const kinds = [Team, Player];
  const harness = await controllerHarness({ kinds, controllers: [players()], ...input });
  open.push(harness);
  return harness;
}

const withFault = (...faults: readonly Fault[]): Promise<ControllerHarness> => start({ faults });

afterEach(async () => {
  for (const harness of open.splice(0)) await harness.stop();
});

/** Asks for another look every minute, and makes a player each time. */
const clockwork: ControllerDefinition = {
  name: 'clockwork',
  for: Team,
  plan: (view, teamId, now) => {
    const number = Math.floor(now / 60_000);
    const id = `${teamId} ${number}`;
    const requeueAt = (number + 1) * 60_000;
    if (view.get(Player, id) !== undefined) return { changes: [], requeueAt };
    const object = newObject(Player, { id, spec: { teamId, number } });
    return { changes: [{ type: 'create', object }], requeueAt };
  },
};

describe('harness of controllers', () => {
  it('makes one pass at a time', async () => {
    const harness = await start();
    expect(await harness.settle()).toMatchObject({ isSettled: true, passes: 0 });
    await harness.apply([team('red', 2), team('blue', 1)]);
    await harness.clock.flush();
    expect(harness.view().count(Player)).toBe(0);
    expect(harness.isSettled).toBe(false);
    expect(await harness.runOne()).toBe(true);
    expect(harness.passes).toBe(1);
    expect(harness.view().count(Player)).toBe(2);
    const { isSettled, waitingFor, elapsedMs } = await harness.settle();
    expect({ isSettled, waitingFor, elapsedMs }).toEqual({
      isSettled: true,
      waitingFor: [],
      elapsedMs: 0,
    });
    expect(await harness.runOne()).toBe(false);
    expect(harness.commits.map(({ actor }) => actor)).toEqual(['user', 'players', 'players']);
    expect(harness.writes).toHaveLength(2);
  });

  it('changes and deletes what is there, as the user', async () => {
    const harness = await start();
    await harness.apply([team('red', 2)]);
    await harness.settle();
    await harness.apply([team('red', 1)]);
    await harness.settle();
    expect(harness.view().count(Player)).toBe(1);
    const fields = { made: 7 };
    await harness.perform(userSteps.report(Team, { id: 'red', actor: 'scout', fields }));
    expect(harness.view().get(Team, 'red')?.status).toEqual({ made: 7 });
    await harness.delete('Team', 'red');
    await harness.delete('Team', 'nobody');
    await harness.settle();
    expect(harness.view().count(Player)).toBe(0);
    await expect(harness.delete('Nothing', 'x')).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });

  it('moves time only when it is told to', async () => {
    const harness = await start({ controllers: [clockwork], settleMs: 0 });
    await harness.apply([team('red', 0)]);
    expect(await harness.settle()).toMatchObject({ isSettled: true, elapsedMs: 0 });
    expect(harness.view().count(Player)).toBe(1);
    await harness.advance(150_000);
    expect(harness.view().count(Player)).toBe(3);
  });

  it('starts another process when one dies after a write', async () => {
    const harness = await withFault({ type: 'crash', afterWrite: 1 });
    await harness.apply([team('red', 2), team('blue', 1)]);
    await harness.settle();
    expect(harness.lives).toBe(2);
    expect(harness.view().count(Player)).toBe(3);
  });

  it('shows old views until there is nothing else to do', async () => {
    const seen: number[] = [];
    const watching: ControllerDefinition = {
      name: 'watching',
      for: Team,
      plan: (view) => {
        seen.push(view.revision);
        return { changes: [] };
      },
    };
    const harness = await start({ controllers: [watching], faults: [{ type: 'stale', age: 2 }] });
    await harness.apply([team('a', 0)]);
    await harness.apply([team('b', 0)]);
    await harness.apply([team('c', 0)]);
    expect(harness.isSettled).toBe(false);
    await harness.settle();
    expect(seen).toEqual([1, 2, 3]);
    expect(harness.isSettled).toBe(true);
  });

  it('ends a watch that missed a commit when there is nothing else to do', async () => {
    const harness = await withFault({ type: 'gap', atCommit: 1 });
    await harness.apply([team('red', 1)]);
    await harness.clock.flush();
    expect(harness.isSettled).toBe(false);
    await harness.settle();
    expect(harness.view().count(Player)).toBe(1);
  });

  it.each([false, true])('fails a commit, written: %s', async (isWritten) => {
    const harness = await withFault({ type: 'failure', attempt: 1, isWritten });
    await harness.apply([team('red', 2)]);
    const { elapsedMs } = await harness.settle();
    expect(elapsedMs).toBeGreaterThan(0);
    expect(harness.writes).toHaveLength(1);
    expect(harness.view().count(Player)).toBe(2);
  });

  it('lets two processes lead at the same time', async () => {
    const harness = await withFault({ type: 'leaders', count: 2 });
    await harness.apply([team('red', 2)]);
    await harness.settle();
    expect(harness.lives).toBe(2);
    expect(harness.passes).toBeGreaterThan(2);
    expect(harness.view().count(Player)).toBe(2);
  });

  it('is the same for one seed and another for another', async () => {
    const ids = async (seed: number): Promise<readonly string[]> => {
      const harness = await start({ controllers: randomIds, seed });
      await harness.apply([team('red', 3)]);
      await harness.settle();
      return harness.writes;
    };
    expect(await ids(1)).toEqual(await ids(1));
    expect(await ids(1)).not.toEqual(await ids(2));
  });

  it('says what it waits for', async () => {
    const failing: ControllerDefinition = {
      ...restless(),
      plan: () => {
        throw new Error('no way');
      },
    };
    const harness = await start({ controllers: [failing], settleMs: 0 });
    await harness.apply([team('red', 3)]);
    const { isSettled, waitingFor } = await harness.settle();
    expect(isSettled).toBe(false);
    expect(waitingFor).toEqual([expect.stringContaining('players red: backoff no way')]);
  });
});
