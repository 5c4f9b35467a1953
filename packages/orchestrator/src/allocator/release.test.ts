import { describe, expect, it } from '@jest/globals';
import {
  EndpointSlice,
  Network,
  Node,
  Service,
  Task,
  deriveId,
  newObject,
  withSpec,
  withStatus,
  type PortSpec,
} from '@skep/api';
import { AllocatorRig } from './__fixtures__/rig.js';
import { QUARANTINE_MAX } from './network-draft.js';

const HTTP: PortSpec = { targetPort: 80, publishedPort: 8080 };

/** `web` with tasks on n1 and n2 in network `a`, everything applied. */
function running(tasks = 2): AllocatorRig {
  const rig = new AllocatorRig().ingress().network('a').node('n1').node('n2').settle();
  const slots = Array.from({ length: tasks }, (_, at) => at + 1);
  rig
    .service('web', ['a'], [HTTP])
    .tasks('web', ...slots)
    .settle();
  for (const slot of slots) rig.runs(`web.${slot}`, slot % 2 === 1 ? 'n1' : 'n2');
  return rig.settle().applied().settle();
}

/** What the endpoints loop lists for `web` in `a`. */
function lists(rig: AllocatorRig, ...taskIds: readonly string[]): AllocatorRig {
  const id = deriveId('slice', 'web', 'a', 0);
  const backends = taskIds.map((taskId) => ({
    taskId,
    taskName: taskId,
    nodeId: 'n1',
    address: '10.0.1.3',
    weight: 1,
    state: 'serving' as const,
    aliases: [],
  }));
  const spec = { serviceId: 'web', networkId: 'a', index: 0, backends };
  if (!rig.has(EndpointSlice, id)) return rig.create(newObject(EndpointSlice, { id, spec }));
  return rig.update(EndpointSlice, id, 'endpoints', (slice) => withSpec(slice, spec));
}

function isReleased(rig: AllocatorRig, taskId: string): boolean {
  return rig.get(Task, taskId).status.releasedAt !== undefined;
}

describe('addresses of a task go back', () => {
  it('when it has ended, is drained, is in no slice, and all of that is in force', () => {
    const rig = lists(running(), 'web.1').settle();
    rig.ends('web.1').settle().applied().settle();
    expect(isReleased(rig, 'web.1')).toBe(false);
    rig.drained('web.1').applied().settle();
    expect(isReleased(rig, 'web.1')).toBe(false);
    lists(rig).settle();
    expect(isReleased(rig, 'web.1')).toBe(false);
    rig.applied('n1').settle();
    expect(isReleased(rig, 'web.1')).toBe(false);
    rig.applied('n2').settle();
    expect(isReleased(rig, 'web.1')).toBe(true);
    expect(rig.get(Task, 'web.1').status.networks).toHaveLength(2);
    expect(rig.get(Network, 'a').status.quarantine).toEqual([
      // The load balancer of n1 goes with its last task.
      { address: '10.0.1.3', until: 6_000 },
      { address: '10.0.1.5', until: Number.MAX_SAFE_INTEGER, removedIn: expect.any(Number) },
    ]);
    rig.applied().settle().passTime(5_000).settle();
    expect(rig.quarantine('a')).toEqual([]);
    expect(rig.quarantine('ingress')).toEqual([]);
  });

  it('at once when it never had a node', () => {
    const rig = running();
    rig.tasks('web', 3).settle();
    rig.update(Task, 'web.3', 'orchestrator', (task) =>
      withSpec(task, { ...task.spec, desiredState: 'remove' }),
    );
    rig.settle();
    expect(isReleased(rig, 'web.3')).toBe(true);
  });

  it('not while it may still get to run', () => {
    const rig = running();
    rig.update(Task, 'web.1', 'orchestrator', (task) =>
      withSpec(task, { ...task.spec, desiredState: 'remove' }),
    );
    rig.drained('web.1').applied().settle();
    expect(isReleased(rig, 'web.1')).toBe(false);
  });

  it('also when its networks are on the node only', () => {
    const rig = new AllocatorRig().node('n1').service('web', ['host']).tasks('web', 1).settle();
    rig.runs('web.1', 'n1').ends('web.1').settle();
    expect(isReleased(rig, 'web.1')).toBe(true);
  });

  it('not given again before the time to live of names is over', () => {
    const rig = new AllocatorRig({ dnsTtlMs: 7_000 }).network('a', {
      ipam: { configs: [{ subnet: '10.7.0.0/29' }] },
    });
    rig.settle().service('web', ['a']).tasks('web', 1, 2, 3).settle();
    rig.update(Task, 'web.1', 'orchestrator', (task) =>
      withSpec(task, { ...task.spec, desiredState: 'remove' }),
    );
    rig.settle().tasks('web', 4, 5).settle();
    expect(rig.addresses('web.4')).toEqual({ a: ['10.7.0.6/29'] });
    expect(rig.get(Task, 'web.5').status.state).toBe('new');
    rig.passTime(6_999).settle();
    expect(rig.get(Task, 'web.5').status.state).toBe('new');
    rig.passTime(1).settle();
    expect(rig.addresses('web.5')).toEqual({ a: ['10.7.0.3/29'] });
  });

  it('without quarantine when names live no time', () => {
    const rig = new AllocatorRig({ dnsTtlMs: 0 }).network('a', {
      ipam: { configs: [{ subnet: '10.7.0.0/30' }] },
    });
    rig
      .settle()
      .task('t1', { template: { networks: [{ target: 'a' }] } })
      .settle();
    rig.task('t2', { template: { networks: [{ target: 'a' }] } }).settle();
    rig.update(Task, 't1', 'orchestrator', (task) =>
      withSpec(task, { ...task.spec, desiredState: 'remove' }),
    );
    rig.settle();
    expect(rig.quarantine('a')).toEqual([]);
    expect(rig.addresses('t2')).toEqual({ a: ['10.7.0.2/30'] });
  });

  it('quarantine is known to the next leader', () => {
    const rig = running();
    rig.ends('web.1').drained('web.1').applied().settle().applied().settle();
    expect(rig.quarantine('a')).toEqual(['10.0.1.3', '10.0.1.5']);
    rig.restart();
    rig.settle().passTime(5_000).settle();
    expect(rig.quarantine('a')).toEqual([]);
  });
});

describe('defect 21: a missing network does not keep the rest from going back', () => {
  it('releases what is there', () => {
    const rig = new AllocatorRig().network('a').network('b').node('n1').settle();
    rig.create(newObject(Network, { id: 'odd', name: 'odd', spec: {} })).settle();
    rig.service('web', ['odd', 'a', 'b']).tasks('web', 1).settle().runs('web.1', 'n1').settle();
    expect(Object.keys(rig.addresses('web.1'))).toEqual(['odd', 'a', 'b']);
    // It has no finalizer, so it is gone at once, whoever uses it.
    rig.remove(Network, 'odd').settle();
    rig.ends('web.1').drained('web.1').applied().settle();
    expect(isReleased(rig, 'web.1')).toBe(true);
    expect(rig.get(Node, 'n1').status.networks).toEqual([]);
    rig.remove(Service, 'web').dropOrchestrator('web').settle();
    expect(rig.has(Service, 'web')).toBe(false);
    rig.applied().settle().passTime(5_000).settle();
    expect([...rig.quarantine('a'), ...rig.quarantine('b')]).toEqual([]);
    rig.service('next', ['a', 'b']).settle();
    expect(rig.condition(Service, 'next')?.status).toBe('true');
  });
});

describe('groups of changes', () => {
  it('hold at most 200, and everything goes through', () => {
    const rig = new AllocatorRig().network('a', { ipam: { configs: [{ subnet: '10.7.0.0/16' }] } });
    rig.settle().service('web', ['a']).settle();
    const slots = Array.from({ length: 250 }, (_, at) => at + 1);
    rig.tasks('web', ...slots);
    const sizes: number[] = [];
    rig.loses = ({ changes }) => {
      sizes.push(changes.length);
      return false;
    };
    rig.settle();
    expect(sizes).toEqual([200, 51]);
    for (const slot of slots) {
      rig.update(Task, `web.${slot}`, 'orchestrator', (task) =>
        withSpec(task, { ...task.spec, desiredState: 'remove' }),
      );
    }
    sizes.length = 0;
    rig.settle();
    expect(sizes).toEqual([200, 52]);
    expect(rig.quarantine('a')).toHaveLength(250);
    expect(new Set(rig.quarantine('a')).size).toBe(250);
    rig.passTime(5_000).settle();
    expect(rig.quarantine('a')).toEqual([]);
  });

  it('tie what gives up addresses to the networks that get them', () => {
    const rig = running(4).network('b').settle();
    rig.service('db', ['b']).tasks('db', 1).settle().runs('db.1', 'n1').settle();
    for (const id of ['web.1', 'web.2', 'db.1']) rig.ends(id).drained(id);
    const seen: string[][] = [];
    rig.loses = ({ changes }) => {
      seen.push(changes.flatMap((one) => (one.type === 'update' ? one.object.meta.id : [])));
      return false;
    };
    rig.applied().settle();
    expect(seen[0]).toEqual(['db.1', 'web.1', 'web.2', 'b', 'ingress', 'a']);
  });

  it('lost in part, as by a crash, lead to the same addresses used and none twice', () => {
    for (const lost of [0, 1, 2]) {
      const rig = running();
      rig.network('b').service('db', ['b']).tasks('db', 1).tasks('web', 3, 4);
      rig.ends('web.1').drained('web.1').applied();
      let at = 0;
      rig.loses = () => {
        at += 1;
        return at - 1 === lost;
      };
      rig.pass();
      rig.loses = () => false;
      rig.restart();
      rig.settle();
      const tasks = rig.store.view().list(Task);
      const used = tasks.flatMap(({ status }) =>
        (status.networks ?? []).flatMap((one) => one.addresses),
      );
      expect(new Set(used).size).toBe(used.length);
      expect(isReleased(rig, 'web.1')).toBe(true);
      expect(rig.quarantine('a')).toContain('10.0.1.3');
      expect(rig.addresses('db.1')).toEqual({ b: ['10.0.2.3/24'] });
    }
  });

  it('keep at most 4096 addresses in quarantine and free the oldest early', () => {
    const rig = new AllocatorRig().network('a', { ipam: { configs: [{ subnet: '10.0.0.0/8' }] } });
    const quarantine = Array.from({ length: QUARANTINE_MAX }, (_, at) => ({
      address: `10.9.${at >> 8}.${at & 255}`,
      until: 5_000 + at,
    }));
    rig
      .settle()
      .update(Network, 'a', 'allocator', (network) =>
        withStatus(network, { ...network.status, quarantine }),
      );
    rig.task('t1', { template: { networks: [{ target: 'a' }] } }).settle();
    rig.update(Task, 't1', 'orchestrator', (task) =>
      withSpec(task, { ...task.spec, desiredState: 'remove' }),
    );
    rig.settle();
    expect(rig.quarantine('a')).toHaveLength(QUARANTINE_MAX);
    expect(rig.quarantine('a')).not.toContain('10.9.0.0');
    expect(rig.quarantine('a')).toContain('10.0.0.2');
  });
});
