/** The kit finds each class of bugs, and says so with a script that replays it. */
import { isSkepError, type AnyKind, type SkepError } from '@skep/api';
import { describe, expect, it } from '@jest/globals';
import { controllerLaws, replay } from './controller-laws.js';
import type { ControllerSource } from './controller-process.js';
import type { ControllerLaw } from './law-faults.js';
import { userSteps, type ControllerScript, type ScenarioStep } from './script.js';
import { edgeTriggered, Player, players, randomIds, restless, Team } from './__fixtures__/teams.js';
import { team, twoCommits } from './__fixtures__/teams.js';
import { App, app, clients, forgetfulUpdater, Release } from './__fixtures__/wild.js';
import { updater, Wish, wish } from './__fixtures__/wild.js';

const { apply } = userSteps;

const teams = [
  apply(team('red', 2), team('blue', 1)),
  apply(team('red', 3)),
  apply(team('red', 1)),
  userSteps.advance(1000),
  userSteps.delete(Team, 'blue'),
];
const wishes = [
  apply(app('v1')),
  apply(wish('newer', { image: 'v2' }), wish('more', { replicas: 5 })),
];
const updates = [apply(app('v1')), apply(app('v2')), apply(app('v3'))];

async function lawsOf(
  kinds: readonly AnyKind[],
  controllers: ControllerSource,
  scenario: readonly ScenarioStep[],
): Promise<SkepError> {
  try {
    await controllerLaws({ kinds, controllers, scenario });
  } catch (error) {
    if (isSkepError(error, 'failed-precondition')) return error;
    throw error;
  }
  throw new Error('no law was broken');
}

/** The script as somebody would paste it. */
function pasted(message: string): ControllerScript {
  const code = /replay\(setup, (?<script>[^]*)\);$/.exec(message)?.groups?.['script'];
  return JSON.parse(code ?? '') as ControllerScript;
}

describe('laws of controllers', () => {
  it.each<{
    readonly name: string;
    readonly kinds: readonly AnyKind[];
    readonly controllers: ControllerSource;
    readonly scenario: readonly ScenarioStep[];
    readonly writes: number;
  }>([
    {
      name: 'players',
      kinds: [Team, Player],
      controllers: [players()],
      scenario: teams,
      writes: 5,
    },
    {
      name: 'clients that look again (moby#30794)',
      kinds: [App, Wish],
      controllers: [clients('look again')],
      scenario: wishes,
      writes: 2,
    },
    {
      name: 'an updater that stops all that is not wanted (Dokploy#3809)',
      kinds: [App, Release],
      controllers: [updater()],
      scenario: updates,
      writes: 5,
    },
  ])('hold for $name', async ({ kinds, controllers, scenario, writes }) => {
    const report = await controllerLaws({ kinds, controllers, scenario });
    expect(report.writes).toBe(writes);
    expect(report.runs).toMatchObject({ quiet: 1, crash: writes, 'stale-crash': 3 * writes });
  });

  it.each<{
    readonly bug: string;
    readonly law: ControllerLaw;
    readonly kinds: readonly AnyKind[];
    readonly controllers: ControllerSource;
    readonly scenario: readonly ScenarioStep[];
    readonly steps: number;
  }>([
    {
      bug: 'an intermediate state: two commits instead of one',
      law: 'crash',
      kinds: [Team, Player],
      controllers: [twoCommits()],
      scenario: teams.slice(0, 2),
      steps: 1,
    },
    {
      bug: 'a stale state: what the view does not show is made again',
      law: 'stale-crash',
      kinds: [Team, Player],
      controllers: randomIds,
      scenario: teams.slice(0, 2),
      steps: 1,
    },
    {
      bug: 'a stale state: what was deleted comes back from an old view',
      law: 'stale-crash',
      kinds: [Team, Player],
      controllers: [players({ isCareful: false })],
      scenario: teams,
      steps: 3,
    },
    {
      bug: 'an unobserved state: what happened is remembered, not read',
      law: 'events',
      kinds: [Team, Player],
      controllers: edgeTriggered,
      scenario: teams,
      steps: 2,
    },
    {
      bug: 'writes without end',
      law: 'quiet',
      kinds: [Team, Player],
      controllers: [restless()],
      scenario: teams.slice(0, 1),
      steps: 1,
    },
    {
      bug: 'the lost update of two clients (moby#30794)',
      law: 'stale',
      kinds: [App, Wish],
      controllers: [clients('insist')],
      scenario: wishes,
      steps: 2,
    },
    {
      bug: 'orphans of an update that a second one cut short (Dokploy#3809)',
      law: 'haste',
      kinds: [App, Release],
      controllers: [forgetfulUpdater()],
      scenario: [...updates, userSteps.advance(1000)],
      steps: 2,
    },
  ])('find $bug', async ({ law, kinds, controllers, scenario, steps }) => {
    const { message, details } = await lawsOf(kinds, controllers, scenario);
    expect(message).toContain(`the law '${law}' is broken, seed 1`);
    const script = pasted(message);
    expect(script).toEqual(JSON.parse(JSON.stringify(details['script'])));
    expect(script.steps).toHaveLength(steps);
    const replayed = replay({ kinds, controllers }, script);
    await expect(replayed).rejects.toThrow(String(details['difference']));
    await expect(replay({ kinds, controllers }, { ...script, faults: [] })).resolves.toBe(
      undefined,
    );
  });

  it('name the fault, the difference and the script', async () => {
    const { message } = await lawsOf([Team, Player], [twoCommits()], teams.slice(0, 2));
    const [head, fault, difference, missing, ...code] = message.split('\n');
    expect(head).toBe("the law 'crash' is broken, seed 1");
    expect(fault).toBe("fault: crash after write 1 ('players' updated Team blue)");
    expect(difference).toBe('another end state:');
    expect(missing).toContain('  - Player : {} {"number":0,"teamId":"Team"}');
    expect(code.slice(0, 4)).toEqual([
      'shortest script:',
      'await replay(setup, {',
      '  "seed": 1,',
      '  "steps": [',
    ]);
  });

  it('say that a scenario does not come to rest by itself', async () => {
    const endless: ControllerSource = [
      {
        name: 'endless',
        for: Team,
        plan: (view, teamId) => {
          const found = view.get(Team, teamId);
          return { changes: found === undefined ? [] : [{ type: 'update', object: found }] };
        },
      },
    ];
    const { message } = await lawsOf([Team], endless, teams.slice(0, 1));
    expect(message).toContain('without faults: not settled after 20000 passes');
  });
});
