/**
 * Finding what people mean by a name.
 */
import {
  byService,
  compareBy,
  compareText,
  hostnameOf,
  isTerminal,
  matchesSelector,
  Node,
  parseSelector,
  Service,
  SkepError,
  Task,
  taskName,
  type Kind,
  type SelectorTexts,
  type StoredObject,
} from '@skep/api';
import type { View } from '@skep/store';

/** By slot, then node, then creation, then id. */
export const compareTasks = compareBy<Task>(
  (a, b) => a.spec.slot - b.spec.slot,
  (a, b) => compareText(a.spec.nodeId ?? '', b.spec.nodeId ?? ''),
  (a, b) => a.meta.createdAt - b.meta.createdAt,
  (a, b) => compareText(a.meta.id, b.meta.id),
);

/** An object by id or name; of several with this name, the one with the first id. */
export function findObject<Spec, Status>(
  view: View,
  kind: Kind<Spec, Status>,
  reference: string,
): StoredObject<Spec, Status> | undefined {
  const name = reference.toLowerCase();
  const named = (): readonly StoredObject<Spec, Status>[] =>
    view.list(kind).filter(({ meta }) => name !== '' && meta.name.toLowerCase() === name);
  return (
    view.get(kind, reference) ?? [...named()].sort((a, b) => compareText(a.meta.id, b.meta.id))[0]
  );
}

/**
 * Objects of a kind that a selector chooses, by name, then id.
 * @throws invalid-argument for a selector that does not parse.
 */
export function listObjects<Spec, Status>(
  view: View,
  kind: Kind<Spec, Status>,
  texts: SelectorTexts,
): readonly StoredObject<Spec, Status>[] {
  const selector = parseSelector(texts);
  return view
    .list(kind)
    .filter((object) => matchesSelector(selector, object))
    .sort(
      compareBy(
        (a, b) => compareText(a.meta.name, b.meta.name),
        (a, b) => compareText(a.meta.id, b.meta.id),
      ),
    );
}

/** The service with this id or name. @throws not-found */
export function findService(view: View, reference: string): Service {
  const service = view.get(Service, reference) ?? view.getByName(Service, reference);
  if (service !== undefined) return service;
  throw notFound(
    'service',
    reference,
    view.list(Service).map(({ meta }) => meta.name),
  );
}

/** The node with this id, name or hostname. @throws not-found */
export function findNode(view: View, reference: string): Node {
  const node =
    view.get(Node, reference) ??
    view
      .list(Node)
      .filter((known) => known.meta.name === reference || hostnameOf(known) === reference)
      .sort((a, b) => compareText(a.meta.id, b.meta.id))[0];
  if (node !== undefined) return node;
  throw notFound(
    'node',
    reference,
    view.list(Node).map(({ meta }) => meta.name),
  );
}

/**
 * The task that is meant: by id, by name, by `SERVICE.SLOT`, or the first running one of a service.
 * @throws not-found
 */
export function findTask(view: View, reference: string): Task {
  const byId = view.get(Task, reference);
  if (byId !== undefined) return byId;
  const [task] = tasksMeant(view, reference).filter(({ status }) => status.state === 'running');
  if (task !== undefined) return task;
  throw new SkepError('not-found', `no running task is meant by '${reference}'`);
}

/**
 * The same among all tasks: first those that wait for a node, then those that run, then the others.
 * @throws not-found
 */
export function findAnyTask(view: View, reference: string): Task {
  const byId = view.get(Task, reference);
  if (byId !== undefined) return byId;
  const rank = ({ status }: Task): number => {
    if (isTerminal(status.state)) return 2;
    return status.nodeId === undefined ? 0 : 1;
  };
  const [task] = [...tasksMeant(view, reference)].sort((a, b) => rank(a) - rank(b));
  if (task !== undefined) return task;
  throw new SkepError('not-found', `no task is meant by '${reference}'`);
}

/** Tasks with this name, or all of this service. */
function tasksMeant(view: View, reference: string): readonly Task[] {
  const service = view.get(Service, reference) ?? view.getByName(Service, reference);
  const tasks =
    service === undefined
      ? view
          .list(Task)
          .filter(
            (task) =>
              taskName(task) === reference ||
              `${task.spec.serviceName}.${task.spec.slot}` === reference,
          )
      : view.list(Task, byService(service.meta.id));
  return [...tasks].sort(compareTasks);
}

function notFound(what: string, reference: string, known: readonly string[]): SkepError {
  const names = [...known].sort(compareText).join(', ');
  return new SkepError('not-found', `no ${what} '${reference}'; known: ${names || 'none'}`);
}
