/**
 * Controllers that all managers run, each with its share of the keys.
 */
import { SkepError } from '@skep/api';
import {
  ControllerGroup,
  ShardMember,
  type ControllerDefinition,
  type ControllerSeams,
  type LeaderElector,
  type ShardMemberOptions,
} from '@skep/controller';
import type { ManagerElection } from './manager-election.js';

/** How keys are shared; all managers need the same. */
export type ManagerSharding = Pick<ShardMemberOptions, 'name' | 'shards'>;

/** What runs in every manager. */
export interface SharedControllers {
  /** Which keys are this manager's. */
  readonly member: ShardMember;
  readonly controllers: ControllerGroup;
}

/** What {@link sharedControllers} is built from. */
export interface SharingParts {
  readonly sharding: ManagerSharding;
  readonly election: ManagerElection | LeaderElector | undefined;
  readonly controllers: readonly ControllerDefinition[];
  readonly seams: ControllerSeams;
}

/** Whether a controller runs in every manager. */
export function isShared({ sharding }: ControllerDefinition): boolean {
  return sharding !== undefined;
}

/** @throws invalid-argument without the settings of an election. */
export function sharedControllers(parts: SharingParts): SharedControllers {
  const { sharding, election, controllers } = parts;
  if (election === undefined || 'fence' in election) {
    throw new SkepError('invalid-argument', "'sharding' needs the settings of an 'election'");
  }
  const { store, clock, random, logger } = parts.seams;
  const { identity, leaseName: _, ...times } = election;
  const member = new ShardMember(
    { store, clock, random, logger, identity },
    { ...times, ...sharding },
  );
  // Keys are fenced one by one; there is no fence of a leader, and the leader keeps the trace.
  const { trace: _trace, fence: _fence, onFenceLost: _lost, ...seams } = parts.seams;
  const group = new ControllerGroup({ ...seams, sharding: member });
  for (const definition of controllers) if (isShared(definition)) group.add(definition);
  return { member, controllers: group };
}
