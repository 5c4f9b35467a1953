/**
 * A controller that gives each team its players, and twins of it that are wrong in one way each.
 */
import { byIndex, defineKind, deriveId, newObject, withStatus } from '@skep/api';
import type { ObjectId, StoredObject } from '@skep/api';
import { create, defineController, noChanges, remove, update } from '@skep/controller';
import type { AsyncController, PlanController } from '@skep/controller';
import type { Expectation, View } from '@skep/store';
import type { ControllerSource } from '../controller-process.js';

interface TeamSpec {
  readonly size: number;
}

interface TeamStatus {
  readonly made?: number;
}

interface PlayerSpec {
  readonly teamId: ObjectId;
  readonly number: number;
}

type Team = StoredObject<TeamSpec, TeamStatus>;
type Player = StoredObject<PlayerSpec, object>;

export const Team = defineKind<TeamSpec, TeamStatus>({ name: 'Team', initialStatus: {} });

export const Player = defineKind<PlayerSpec, object>({
  name: 'Player',
  hasUniqueName: false,
  indexes: { team: ({ spec }) => spec.teamId },
  initialStatus: {},
});

export const team = (id: ObjectId, size: number): Team =>
  newObject(Team, { id, name: id, spec: { size } });

function player(input: { teamId: ObjectId; number: number; id: ObjectId }): Player {
  const { teamId, number, id } = input;
  const owners = [{ kind: 'Team', id: teamId, isController: true }];
  return newObject(Player, { id, owners, spec: { teamId, number } });
}

function unchanged({ kind, meta }: Team): Expectation {
  return { type: 'version', kind, id: meta.id, version: meta.version };
}

function playersOf(view: View, teamId: ObjectId): readonly Player[] {
  const players = view.list(Player, byIndex(Player, 'team', teamId));
  return [...players].sort((a, b) => a.spec.number - b.spec.number);
}

/**
 * Right: ids follow from the team, one commit, nothing remembered, and what is created is decided on
 * the team as it is. Without the last, what was deleted could come back from an old view.
 */
export function players({ isCareful = true } = {}): PlanController {
  return defineController({
    name: 'players',
    for: Team,
    owns: [Player],
    plan: (view, teamId) => {
      const found = view.get(Team, teamId);
      const size = found?.spec.size ?? 0;
      const present = playersOf(view, teamId);
      const numbers = new Set(present.map(({ spec }) => spec.number));
      const wanted = Array.from({ length: size }, (_, number) => number);
      return {
        changes: [
          ...wanted
            .filter((number) => !numbers.has(number))
            .map((number) =>
              create(player({ teamId, number, id: deriveId(teamId, 'player', number) })),
            ),
          ...present.filter(({ spec }) => spec.number >= size).map(remove),
        ],
        expect: found === undefined || !isCareful ? [] : [unchanged(found)],
      };
    },
  });
}

/** Wrong: counts first and creates then, in two commits. */
export function twoCommits(): AsyncController {
  return {
    name: 'players',
    for: Team,
    reconcile: async ({ view, commit }, teamId) => {
      const found = view.get(Team, teamId);
      const made = found?.status.made ?? 0;
      if (found === undefined || made >= found.spec.size) return undefined;
      const { size } = found.spec;
      await commit([update(withStatus(found, { made: size }))]);
      const numbers = Array.from({ length: size - made }, (_, at) => made + at);
      await commit(
        numbers.map((number) =>
          create(player({ teamId, number, id: deriveId(teamId, 'player', number) })),
        ),
      );
      return undefined;
    },
  };
}

/** Wrong: trusts the view to show what was created, and draws ids. */
export const randomIds: ControllerSource = ({ random }) => [
  defineController({
    name: 'players',
    for: Team,
    owns: [Player],
    plan: (view, teamId) => {
      const size = view.get(Team, teamId)?.spec.size ?? 0;
      const number = playersOf(view, teamId).length;
      if (number >= size) return noChanges;
      const id = `player-${random.int(2 ** 30)}`;
      return { changes: [create(player({ teamId, number, id }))] };
    },
  }),
];

/** Wrong: acts on having seen the deletion, not on the team's absence. */
export const edgeTriggered: ControllerSource = () => {
  const gone = new Set<ObjectId>();
  const right = players();
  return [
    defineController({
      name: 'players',
      for: Team,
      predicate: ({ type, object }) => {
        if (type === 'deleted') gone.add(object.meta.id);
        return true;
      },
      owns: [Player],
      plan: (view, teamId, now) => {
        const isThere = view.get(Team, teamId) !== undefined;
        return isThere || gone.has(teamId) ? right.plan(view, teamId, now) : noChanges;
      },
    }),
  ];
};

/** Wrong: writes on every pass. */
export function restless(): PlanController {
  return {
    name: 'players',
    for: Team,
    predicate: ({ type }) => type === 'created',
    plan: (view, teamId) => {
      const found = view.get(Team, teamId);
      if (found === undefined) return noChanges;
      return { changes: [update(withStatus(found, { made: 1 }))] };
    },
  };
}
