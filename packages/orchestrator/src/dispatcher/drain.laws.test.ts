import { describe, expect, it } from '@jest/globals';
import {
  ACTORS,
  Node,
  Task,
  isTerminal,
  type AssignedSlice,
  type Assignment,
  type NodeNetwork,
} from '@skep/api';
import fc from 'fast-check';
import { TestCluster } from '../endpoints/__fixtures__/cluster.js';
import { planEndpoints } from '../endpoints/plan.js';
import { AssignmentTracker } from './assignment-tracker.js';

const SERVICE = 'web';
const NODES = ['0', '1', '2'] as const;

/** A node whose kernel lags behind: messages wait until `apply`. */
class LaggingNode {
  readonly slices = new Map<string, AssignedSlice>();
  readonly #waiting: Assignment[] = [];
  readonly #id: string;

  constructor(tracker: AssignmentTracker, id: string) {
    this.#id = id;
    tracker.open(id, (assignment) => this.#waiting.push(assignment));
  }

  /** Brings the kernel up to date, and says so. */
  async apply(cluster: TestCluster): Promise<void> {
    const last = this.#waiting.at(-1);
    for (const { upserts, removals } of this.#waiting.splice(0)) {
      for (const item of upserts) if (item.kind === 'slice') this.slices.set(item.key, item.value);
      for (const { kind, key } of removals) if (kind === 'slice') this.slices.delete(key);
    }
    if (last === undefined) return;
    const { tables } = cluster.get(Node, this.#id).status;
    const appliedRevision = Math.max(last.revision, tables?.appliedRevision ?? 0);
    await cluster.setNode(this.#id, { tables: { appliedRevision } });
  }

  routesTo(taskId: string): boolean {
    return [...this.slices.values()].some(({ backends }) =>
      backends.some((backend) => backend.taskId === taskId && backend.state === 'serving'),
    );
  }
}

type Op =
  'run' | 'end' | 'fail' | 'endpoints' | 'apply' | 'lose' | 'return' | 'join' | 'leave' | 'pause';

class Story {
  readonly cluster = new TestCluster();
  readonly nodes = new Map<string, LaggingNode>();
  drained = 0;
  #tracker!: AssignmentTracker;

  async begin(): Promise<void> {
    const { cluster } = this;
    await cluster.network('net');
    for (const id of NODES) await cluster.node(id, { net: `10.0.1.25${id}/24` });
    await cluster.service(SERVICE, {}, { net: '10.0.1.2/24' });
    this.#tracker = new AssignmentTracker({ clock: cluster.clock, view: () => cluster.view });
    const commit = this.#tracker.observe.bind(this.#tracker);
    cluster.store.subscribe({ commit, ended: () => undefined });
    for (const id of NODES) this.nodes.set(id, new LaggingNode(this.#tracker, id));
    await cluster.clock.flush();
    for (const node of this.nodes.values()) await node.apply(cluster);
  }

  async act(op: Op, a: number, b: number): Promise<void> {
    const { cluster } = this;
    const id = `t${a % 5}`;
    const task = cluster.view.get(Task, id);
    const nodeId = NODES[b % 3] ?? '0';
    const node = this.nodes.get(nodeId);
    const { state, networks = [] } = cluster.get(Node, nodeId).status;
    switch (op) {
      case 'run':
        if (task !== undefined) return;
        await cluster.task(id, { serviceId: SERVICE, nodeId }, { net: `10.0.1.${10 + a}/24` });
        return;
      case 'end':
        if (task !== undefined) await cluster.want(id, { desiredState: 'shutdown' });
        return;
      case 'fail':
        if (task !== undefined && !isTerminal(task.status.state)) {
          await cluster.setTask(id, { state: 'failed' });
        }
        return;
      case 'endpoints': {
        // One pass, which may be cut short as a large one is.
        const { changes } = planEndpoints(cluster.view, SERVICE, cluster.now);
        const kept = b % 4 === 0 ? changes.slice(0, 1) : changes;
        if (kept.length > 0) await cluster.commit(ACTORS.endpoints, ...kept);
        return;
      }
      case 'apply':
        return node?.apply(cluster);
      case 'lose':
        await cluster.setNode(nodeId, { state: a % 2 === 0 ? 'down' : 'disconnected' });
        return;
      case 'return':
        // READY only with everything applied.
        if (state === 'ready') return;
        await cluster.clock.advance(100);
        await node?.apply(cluster);
        await cluster.setNode(nodeId, { state: 'ready' });
        return;
      case 'join':
      case 'leave':
        return this.#attach(nodeId, op === 'join' ? [address(nodeId)] : [], networks);
      case 'pause':
        await cluster.clock.advance(a);
        return;
    }
  }

  /** No READY node sends new connections to a task that is said to be drained. */
  check(): void {
    const { cluster } = this;
    for (const task of cluster.view.list(Task)) {
      if (task.status.drainedAt === undefined) continue;
      this.drained += 1;
      for (const [nodeId, node] of this.nodes) {
        const { state, networks = [] } = cluster.get(Node, nodeId).status;
        if (state !== 'ready' || networks.length === 0) continue;
        expect([task.meta.id, nodeId, node.routesTo(task.meta.id)]).toEqual([
          task.meta.id,
          nodeId,
          false,
        ]);
      }
    }
  }

  /** A node without a task of its own may lose its address, and with it its tables. */
  async #attach(
    nodeId: string,
    networks: readonly NodeNetwork[],
    present: readonly NodeNetwork[],
  ): Promise<void> {
    if (present.length === networks.length) return;
    await this.cluster.setNode(nodeId, { networks }, ACTORS.allocator);
    await this.cluster.clock.advance(100);
    if (networks.length === 0) await this.nodes.get(nodeId)?.apply(this.cluster);
  }
}

const address = (nodeId: string): NodeNetwork => ({
  networkId: 'net',
  address: `10.0.1.25${nodeId}/24`,
});

describe('the law of drains', () => {
  const op = fc.constantFrom<Op>(
    'run',
    'end',
    'fail',
    'endpoints',
    'endpoints',
    'endpoints',
    'apply',
    'apply',
    'lose',
    'return',
    'join',
    'leave',
    'pause',
  );
  const step = fc.tuple(op, fc.nat(60), fc.nat(60));

  it('a task is said to be drained only if no READY node routes to it', async () => {
    let drained = 0;
    const story = async (steps: readonly (readonly [Op, number, number])[]): Promise<void> => {
      const one = new Story();
      await one.begin();
      for (const [what, a, b] of steps) {
        await one.act(what, a, b);
        one.check();
      }
      drained += one.drained;
    };
    const steps = fc.array(step, { minLength: 20, maxLength: 80, size: 'max' });
    await fc.assert(fc.asyncProperty(steps, story), { numRuns: 60 });
    // The law is not empty.
    expect(drained).toBeGreaterThan(100);
  });
});
