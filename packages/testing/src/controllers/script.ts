/**
 * Scripts: what the user does and what goes wrong, as plain data that can be printed and pasted.
 */
import { newObject, type AnyKind, type Kind, type Labels, type ObjectId } from '@skep/api';
import type { OwnerReference, StoredObject } from '@skep/api';

/** An object as a user writes it. */
export interface UserObject {
  readonly kind: string;
  readonly id: ObjectId;
  readonly name?: string;
  readonly labels?: Labels;
  readonly finalizers?: readonly string[];
  readonly owners?: readonly OwnerReference[];
  readonly spec: unknown;
  /** Status at its creation. Default: the initial status of the kind. */
  readonly status?: unknown;
}

/** One act of the user. */
export type ScenarioStep =
  /** Creates what is not there; of what is, replaces spec and labels. One commit. */
  | { readonly type: 'apply'; readonly objects: readonly UserObject[] }
  /** Deletes an object; nothing happens when it is not there. */
  | { readonly type: 'delete'; readonly kind: string; readonly id: ObjectId }
  /** Somebody outside sets fields of a status; nothing happens when the object is not there. */
  | {
      readonly type: 'report';
      readonly kind: string;
      readonly id: ObjectId;
      readonly actor: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  /** Time passes. */
  | { readonly type: 'advance'; readonly ms: number };

/**
 * One thing that goes wrong. Writes are commits of controllers that went through, attempts those
 * that were tried, commits those of everybody; each counted from 1, over all processes.
 */
export type Fault =
  /** The process dies right after the write; another one starts on the same store. */
  | { readonly type: 'crash'; readonly afterWrite: number }
  /** Views and watches trail this many commits behind for as long as there is anything to do. */
  | { readonly type: 'stale'; readonly age: number }
  /** The watch falls silent before this commit and says `resync-required` much later. */
  | { readonly type: 'gap'; readonly atCommit: number }
  /** Every key that had a pass gets another one, without a cause. */
  | { readonly type: 'repeat' }
  /** Keys and controllers take their turns in the random order of this seed. */
  | { readonly type: 'shuffle'; readonly seed: number }
  /** The commit throws `unavailable`; it may have gone through all the same. */
  | { readonly type: 'failure'; readonly attempt: number; readonly isWritten: boolean }
  /** So many processes lead at the same time, with no fence between them. */
  | { readonly type: 'leaders'; readonly count: number }
  /** After this step (from 0) only so many passes happen before the user's next one. */
  | { readonly type: 'haste'; readonly step: number; readonly passes: number }
  /** All processes are started again when everything is settled: nothing may be written. */
  | { readonly type: 'restart' };

/** What happened: replayed by `replay`. */
export interface ControllerScript {
  readonly seed: number | string;
  readonly steps: readonly ScenarioStep[];
  readonly faults: readonly Fault[];
}

/** Words for writers of scenarios. */
export const userSteps = Object.freeze({
  /** Creates or changes objects, in one commit. */
  apply: (...objects: readonly StoredObject[]): ScenarioStep => ({
    type: 'apply',
    objects: objects.map(userObject),
  }),
  delete: (kind: AnyKind, id: ObjectId): ScenarioStep => ({ type: 'delete', kind: kind.name, id }),
  /** Sets fields of a status as the actor who owns them. */
  report: <Spec, Status>(
    kind: Kind<Spec, Status>,
    input: { readonly id: ObjectId; readonly actor: string; readonly fields: Partial<Status> },
  ): ScenarioStep => ({ type: 'report', kind: kind.name, ...input, fields: { ...input.fields } }),
  advance: (ms: number): ScenarioStep => ({ type: 'advance', ms }),
});

/** An object as a user would write it: what the store stamps is left out. */
export function userObject({ kind, meta, spec, status }: StoredObject): UserObject {
  return {
    kind,
    id: meta.id,
    ...(meta.name === '' ? {} : { name: meta.name }),
    ...(Object.keys(meta.labels).length === 0 ? {} : { labels: meta.labels }),
    ...(meta.finalizers.length === 0 ? {} : { finalizers: meta.finalizers }),
    ...(meta.owners.length === 0 ? {} : { owners: meta.owners }),
    spec,
    status,
  };
}

/** The object of a kind that is created from it. */
export function storedObject(kind: AnyKind, object: UserObject): StoredObject {
  return newObject(kind as Kind, object);
}

/** A script as code to be pasted. */
export function renderControllerScript(script: ControllerScript): string {
  const lines = (name: string, items: readonly unknown[]): string[] =>
    items.length === 0
      ? [`  "${name}": []`]
      : [`  "${name}": [`, items.map((item) => `    ${JSON.stringify(item)}`).join(',\n'), '  ]'];
  return [
    '{',
    `  "seed": ${JSON.stringify(script.seed)},`,
    `${lines('steps', script.steps).join('\n')},`,
    lines('faults', script.faults).join('\n'),
    '}',
  ].join('\n');
}

/** A fault in words; `writes` are the controllers' writes in words, for the point of a crash. */
export function describeFault(fault: Fault, writes: readonly string[]): string {
  switch (fault.type) {
    case 'crash':
      return `crash after write ${fault.afterWrite} (${writes[fault.afterWrite - 1] ?? ''})`;
    case 'stale':
      return `views ${fault.age} commits old`;
    case 'gap':
      return `watch silent from commit ${fault.atCommit} on, until a resync`;
    case 'repeat':
      return 'every pass twice';
    case 'shuffle':
      return `turns in the order of seed ${fault.seed}`;
    case 'failure':
      return `attempt ${fault.attempt} fails${fault.isWritten ? ' after it was written' : ''}`;
    case 'leaders':
      return `${fault.count} leaders at the same time`;
    case 'haste':
      return `the user goes on ${fault.passes} passes after step ${fault.step}`;
    case 'restart':
      return 'a restart when settled';
  }
}
