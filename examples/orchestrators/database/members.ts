/**
 * The members of a database as the view shows them, and which of them is to be touched next. Pure.
 */
import { byService, deriveId, isDeleting, Service, Task } from '@skep/api';
import type { ObjectId, ServiceSpec } from '@skep/api';
import { planOwned, type AdmissionPlan } from '@skep/orchestrator';
import type { View } from '@skep/store';
import { MEMBERS_MAX, type Database } from './kind.js';

/** A member. */
export interface Member {
  readonly index: number;
  readonly id: ObjectId;
  readonly name: string;
  readonly isPrimary: boolean;
  readonly isWanted: boolean;
  /** Makes its service as the database says; nothing when it is so. */
  readonly plan: AdmissionPlan;
  /** Absent: it is not there. */
  readonly service?: Service;
  /** It runs, and as its service says. */
  readonly isReady: boolean;
  /** Its service says what the database does. */
  readonly isCurrent: boolean;
}

/** The one thing to do next. */
export type Step =
  | { readonly type: 'none' }
  | { readonly type: 'wait' | 'create' | 'update' | 'remove'; readonly member: Member };

/** All members that are wanted or there, by index. */
export function membersOf(view: View, database: Database): readonly Member[] {
  return Array.from({ length: MEMBERS_MAX }, (_, index) => memberOf(view, database, index)).filter(
    ({ isWanted, service }) => isWanted || service !== undefined,
  );
}

/**
 * One thing at a time, and only while every other member is ready: a member that does not come up
 * stops an upgrade after itself, and may itself be changed again.
 *
 * Members are created by rising index, removed by falling index, upgraded by falling index; the
 * primary is upgraded last.
 */
export function nextStep(members: readonly Member[]): Step {
  const unready = members.filter(({ isReady, service }) => service !== undefined && !isReady);
  const [busy, another] = unready;
  const isOpen = (member: Member): boolean =>
    busy === undefined || (busy === member && another === undefined);
  const going = unready.find(({ service }) => service !== undefined && isDeleting(service));
  if (going !== undefined) return { type: 'wait', member: going };
  const falling = [...members].reverse();
  const candidates: readonly (Step & { readonly member: Member })[] = [
    ...members
      .filter(({ service }) => service === undefined)
      .map((member) => ({ type: 'create', member }) as const),
    ...falling
      .filter(({ isWanted, service }) => !isWanted && service !== undefined)
      .map((member) => ({ type: 'remove', member }) as const),
    ...falling
      .filter(({ isWanted, isCurrent, service }) => isWanted && !isCurrent && service !== undefined)
      .sort((a, b) => Number(a.isPrimary) - Number(b.isPrimary))
      .map((member) => ({ type: 'update', member }) as const),
  ];
  const open = candidates.find(({ member }) => isOpen(member));
  if (open !== undefined) return open;
  return busy === undefined ? { type: 'none' } : { type: 'wait', member: busy };
}

function memberOf(view: View, database: Database, index: number): Member {
  const id = deriveId(database.meta.id, 'member', index);
  const service = view.get(Service, id);
  const name = `${database.meta.name}-${index}`;
  const spec = memberSpec(database, index);
  const plan = planOwned(view, database, [{ kind: Service, id, name, spec }]);
  return {
    index,
    id,
    name,
    isPrimary: index === (database.spec.primary ?? 0),
    isWanted: index < database.spec.members,
    plan,
    ...(service === undefined ? {} : { service }),
    isReady: service !== undefined && isReady(view, service),
    isCurrent: plan.changes.length === 0 && plan.complaints.length === 0,
  };
}

/** Stop-first: two tasks must never have the volume at the same time. */
function memberSpec({ meta, spec }: Database, index: number): ServiceSpec {
  const { image, dataPath = '/data', primary = 0 } = spec;
  const env = [`MEMBER=${index}`, `PRIMARY=${meta.name}-${primary}`];
  const mounts = [{ type: 'volume', source: `${meta.name}-${index}`, target: dataPath } as const];
  return {
    mode: { type: 'replicated', replicas: 1 },
    task: { container: { image, env, mounts } },
    update: { parallelism: 1, order: 'stop-first' },
  };
}

/** The task of the present generation runs, and the orchestrator has nothing left to do. */
function isReady(view: View, service: Service): boolean {
  if (isDeleting(service)) return false;
  const { generation } = service.meta;
  if (service.status.observedGeneration !== generation) return false;
  return view
    .list(Task, byService(service.meta.id))
    .some(({ spec, status }) => spec.specVersion === generation && status.state === 'running');
}
