/**
 * The scheduler's memory: the cluster as its policy sees it, and who waits. Built from a view, and
 * kept in step with every commit.
 */
import { Network, Node, Service, Task, Volume, type StoredObject } from '@skep/api';
import type { ControllerState } from '@skep/controller';
import { ClusterState, isCounted } from '@skep/scheduler';
import type { ObjectEvent, View } from '@skep/store';
import { isWaiting, WaitingTasks } from './waiting-tasks.js';

/** What the scheduler knows. Rebuilding it from the view gives the same plans. */
export class SchedulerMemory implements ControllerState {
  #cluster = new ClusterState();
  #waiting = new WaitingTasks();

  get cluster(): ClusterState {
    return this.#cluster;
  }

  get waiting(): WaitingTasks {
    return this.#waiting;
  }

  rebuild(view: View): void {
    const tasks = view.list(Task);
    this.#cluster = new ClusterState({
      nodes: view.list(Node),
      tasks,
      services: view.list(Service),
      volumes: view.list(Volume),
      networks: view.list(Network),
    });
    this.#waiting = new WaitingTasks();
    for (const task of tasks) if (isWaiting(task)) this.#waiting.add(task);
  }

  observe(events: readonly ObjectEvent[]): void {
    for (const event of events) {
      if (event.type === 'deleted') this.#forget(event.object);
      else this.#follow(event);
    }
  }

  /**
   * A pass begins. What the last one decided is in the view by now, or was refused: assumptions
   * that are left are taken back.
   */
  passBegins(): void {
    this.#cluster.dropAssumed();
    this.#waiting.passBegins();
  }

  #follow({ object, previous }: ObjectEvent): void {
    switch (object.kind) {
      case Task.name:
        this.#followTask(object as Task, previous as Task | undefined);
        break;
      case Node.name:
        this.#cluster.upsertNode(object as Node);
        break;
      case Service.name:
        this.#cluster.upsertService(object as Service);
        break;
      case Volume.name:
        this.#cluster.upsertVolume(object as Volume);
        break;
      case Network.name:
        this.#cluster.upsertNetwork(object as Network);
        break;
      default:
        break;
    }
  }

  /** What counted on no node, and does not now, is not looked for among those that do. */
  #followTask(task: Task, previous: Task | undefined): void {
    const isOrWasCounted = isCounted(task) || (previous !== undefined && isCounted(previous));
    if (isOrWasCounted) this.#cluster.upsertTask(task);
    if (!isWaiting(task)) this.#waiting.forget(task.meta.id);
  }

  #forget({ kind, meta: { id } }: StoredObject): void {
    switch (kind) {
      case Task.name:
        this.#cluster.removeTask(id);
        this.#waiting.forget(id);
        break;
      case Node.name:
        this.#cluster.removeNode(id);
        break;
      case Service.name:
        this.#cluster.removeService(id);
        break;
      case Volume.name:
        this.#cluster.removeVolume(id);
        break;
      case Network.name:
        this.#cluster.removeNetwork(id);
        break;
      default:
        break;
    }
  }
}
