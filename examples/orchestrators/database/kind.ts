/**
 * Database: members that each have a service and a volume of their own, one of them the primary.
 */
import { defineKind } from '@skep/api';
import type { StoredObject } from '@skep/api';
import { z } from 'zod';

/** Most members. */
export const MEMBERS_MAX = 9;

const spec = z.strictObject({
  image: z.string().min(1),
  members: z.int().min(1).max(MEMBERS_MAX),
  /** Index of the primary: it is upgraded last, and never removed. Default: 0. */
  primary: z.exactOptional(z.int().min(0)),
  /** Where the volume of a member is mounted. Default: /data. */
  dataPath: z.exactOptional(z.string().min(1)),
  /** Runs once before the database goes, while all members are there: a last backup, say. */
  cleanup: z.exactOptional(
    z.strictObject({ image: z.string().min(1), command: z.exactOptional(z.array(z.string())) }),
  ),
});

const checked = spec.refine(({ members, primary = 0 }) => primary < members, {
  path: ['primary'],
  error: 'the primary has to be one of the members',
});

/** What a user declares. */
export type DatabaseSpec = z.infer<typeof spec>;

/** What the database is busy with. */
export type DatabasePhase = 'pending' | 'ready' | 'changing' | 'waiting' | 'cleanup' | 'removing';

/** What the controller knows. Everything follows from the services: it is for people. */
export interface DatabaseStatus {
  readonly phase: DatabasePhase;
  readonly message: string;
  readonly observedGeneration: number;
  readonly readyMembers: number;
}

/** A database. */
export type Database = StoredObject<DatabaseSpec, DatabaseStatus>;

/** Token of {@link Database}. */
export const Database = defineKind<DatabaseSpec, DatabaseStatus>({
  name: 'Database',
  schema: checked,
  initialStatus: Object.freeze({
    phase: 'pending',
    message: '',
    observedGeneration: 0,
    readyMembers: 0,
  }),
});
