/**
 * How far services are on their way to what was declared. Pure.
 */
import {
  byService,
  isJob,
  isRunnable,
  isTerminal,
  jobSize,
  serviceMode,
  Service,
  slicesByService,
  Task,
  wantedReplicas,
  Network,
  Node,
  EndpointSlice,
  type AnyKind,
  type TaskState,
  type Timestamp,
} from '@skep/api';
import { textTable } from '@skep/network';
import { isInForce } from '@skep/orchestrator';
import type { View } from '@skep/store';

/** How far one service is. */
export interface Rollout {
  readonly name: string;
  /** Tasks that run, or of a job those that are complete. */
  readonly done: number;
  readonly wanted: number;
  /** What is still to happen, or went wrong; '' when it is as declared. */
  readonly text: string;
  /** `failed`: nothing more will happen by itself. */
  readonly state: 'going-on' | 'done' | 'failed' | 'gone';
}

/** Kinds that a view has to hold for {@link rolloutOf}. */
export const ROLLOUT_KINDS: readonly AnyKind[] = Object.freeze([
  Service,
  Task,
  Node,
  Network,
  EndpointSlice,
]);

/** Cells of a bar. */
const BAR_CELLS = 20;

/** What somebody asked for. */
export interface Asked {
  /**
   * When: a rollback that began since is not what was asked for. Absent: rollbacks are as good as
   * anything.
   */
  readonly at?: Timestamp;
}

/** How far a service is. One that is not there is gone. Cost: O(its tasks and slices). */
export function rolloutOf(view: View, name: string, asked: Asked = {}): Rollout {
  const service = view.getByName(Service, name);
  if (service === undefined) return { name, done: 0, wanted: 0, text: 'gone', state: 'gone' };
  const tasks = view.list(Task, byService(service.meta.id));
  const counts = rolloutCounts(service, tasks);
  const own = { name, done: counts.done, wanted: counts.wanted };
  const failure = failureOf(service, asked);
  if (failure !== undefined) return { ...own, text: failure, state: 'failed' };
  const text = [
    ...(service.meta.deletionRequestedAt === undefined ? [] : ['removing']),
    ...(service.status.observedGeneration < service.meta.generation ? ['declared'] : []),
    ...updateWords(service),
    ...stateWords(tasks),
    ...(counts.done < counts.wanted ? pendingWords(tasks) : []),
    ...tableWords(view, service),
  ].join(', ');
  const isDone = text === '' && counts.done >= counts.wanted;
  if (isDone) return { ...own, text: '', state: 'done' };
  return { ...own, text: text === '' ? 'waiting' : text, state: 'going-on' };
}

/** Tasks that run (of a job: are complete), and how many should. */
export function rolloutCounts(
  service: Service,
  tasks: readonly Task[],
): { readonly done: number; readonly wanted: number } {
  const mode = serviceMode(service.spec);
  const isWanted = ({ spec }: Task): boolean => !isEnding(spec.desiredState);
  if (isJob(mode)) {
    const ofIteration = tasks.filter(
      ({ spec }) => (spec.jobIteration ?? 0) === (service.status.job?.iteration ?? 0),
    );
    const done = ofIteration.filter(({ status }) => status.state === 'complete').length;
    const wanted =
      mode.type === 'replicated-job'
        ? jobSize(mode).totalCompletions
        : ofIteration.filter((task) => isWanted(task) || task.status.state === 'complete').length;
    return { done, wanted };
  }
  const own = tasks.filter(isWanted);
  const done = own.filter(({ status }) => status.state === 'running').length;
  return { done, wanted: wantedReplicas(service.spec) ?? own.length };
}

function isEnding(desired: Task['spec']['desiredState']): boolean {
  return desired === 'shutdown' || desired === 'remove';
}

/** An update that does not go on by itself, or went back. */
function failureOf({ status, meta }: Service, { at }: Asked): string | undefined {
  const { update } = status;
  if (update === undefined || update.specVersion !== meta.generation) return undefined;
  if (meta.deletionRequestedAt !== undefined) return undefined;
  const isStuck = update.state === 'paused' || update.state === 'rollback-paused';
  const isBack =
    update.state === 'rollback-completed' && at !== undefined && update.startedAt >= at;
  return isStuck || isBack ? update.message || update.state : undefined;
}

function updateWords({ spec, status }: Service): readonly string[] {
  const { update } = status;
  if (update === undefined) return [];
  if (update.state !== 'updating' && update.state !== 'rollback-started') return [];
  if (spec.update?.isHeld === true) return [];
  if (update.blocked !== undefined) return [`blocked: ${update.blocked}`];
  return [update.state === 'updating' ? 'updating' : 'rolling back'];
}

/** `2 preparing, 1 stopping`: tasks on their way, in the order of the states. */
function stateWords(tasks: readonly Task[]): readonly string[] {
  const counts = new Map<TaskState | 'stopping', number>();
  for (const { spec, status } of tasks) {
    if (!isRunnable(status.state)) continue;
    const isStopping = isEnding(spec.desiredState);
    // A task that was never given to a node needs no stopping.
    if (isStopping && status.nodeId === undefined) continue;
    if (status.state === 'running' && !isStopping) continue;
    const word = isStopping ? 'stopping' : status.state;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => `${count} ${word}`);
}

/** Why the first of those that wait has no node, else what the last that ended died of. */
function pendingWords(tasks: readonly Task[]): readonly string[] {
  const waiting = tasks.find(
    ({ spec, status }) =>
      !isEnding(spec.desiredState) && status.nodeId === undefined && status.pending !== undefined,
  );
  if (waiting?.status.pending !== undefined) return [waiting.status.pending.message];
  const [last] = tasks
    .filter(({ status }) => isTerminal(status.state) && status.error !== undefined)
    .sort((a, b) => b.status.appliedAt - a.status.appliedAt);
  return last?.status.error === undefined ? [] : [`last error: ${last.status.error}`];
}

/** Whether all nodes route to the tasks that there are. */
function tableWords(view: View, service: Service): readonly string[] {
  const slices = view.list(EndpointSlice, slicesByService(service.meta.id));
  const isEverywhere = slices.every(({ meta, spec }) =>
    isInForce(view, spec.networkId, meta.version),
  );
  return isEverywhere ? [] : ['not in all tables yet'];
}

/** A bar, numbers and words for each service. */
export function renderRollouts(rollouts: readonly Rollout[]): readonly string[] {
  return textTable(
    rollouts.map(({ name, done, wanted, text, state }) => [
      name,
      barOf(done, wanted, state),
      `${done}/${wanted}`,
      state === 'done' ? 'as declared' : text,
    ]),
    { rightColumns: [2] },
  );
}

function barOf(done: number, wanted: number, state: Rollout['state']): string {
  const part = wanted === 0 ? (state === 'going-on' ? 0 : 1) : Math.min(1, done / wanted);
  const cells = Math.floor(part * BAR_CELLS);
  return `${'█'.repeat(cells)}${'░'.repeat(BAR_CELLS - cells)}`;
}
