import { describe, expect, it } from '@jest/globals';
import { VirtualClock } from '@skep/api/virtual';
import type { NetworkChange, NodeNetworkState } from '@skep/network';
import { byHand, FakeDataplane, linesOf } from './__fixtures__/fakes.js';
import { AssignmentState } from './assignment-state.js';
import { NetworkApplier } from './network-applier.js';

const changed = (...tasks: readonly string[]): NetworkChange => ({
  networks: [],
  services: [],
  slices: [],
  peers: [],
  tasks,
});

function setUp() {
  const clock = new VirtualClock();
  const logger = linesOf();
  const dataplane = new FakeDataplane();
  const assignments = new AssignmentState();
  const names: { readonly revision: number; readonly change: NetworkChange | undefined }[] = [];
  const resolver = {
    fault: undefined as Error | undefined,
    apply: (state: NodeNetworkState, change: NetworkChange | undefined) => {
      if (resolver.fault !== undefined) return Promise.reject(resolver.fault);
      names.push({ revision: state.revision, change });
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
  const acks: number[] = [];
  const applier = new NetworkApplier({
    dataplane,
    resolver,
    clock,
    logger,
    state: () => assignments.networkState(),
    onApplied: (revision) => acks.push(revision),
  });
  /** The state moves to a revision, and the applier hears of it. */
  const move = (revision: number, change?: NetworkChange): void => {
    assignments.apply({ type: 'complete', revision, upserts: [], removals: [] });
    applier.request(change);
  };
  return { clock, logger, dataplane, resolver, names, acks, applier, move };
}

describe('NetworkApplier', () => {
  it('applies tables, then names, then says so', async () => {
    const { clock, dataplane, names, acks, applier, move } = setUp();
    move(5, changed('t1'));
    await clock.flush();
    expect(dataplane.applied).toEqual([{ revision: 5, change: changed('t1') }]);
    expect(names).toEqual([{ revision: 5, change: changed('t1') }]);
    expect(acks).toEqual([5]);
    await applier.stop();
  });

  it('applies together what came during one application, one at a time', async () => {
    const { clock, dataplane, acks, applier, move } = setUp();
    const first = byHand();
    dataplane.applies.push(() => first.promise);
    move(5, changed('t1'));
    move(6, changed('t2'));
    move(7, changed('t3', 't2'));
    await clock.flush();
    first.resolve();
    await clock.flush();
    expect(acks).toEqual([5, 7]);
    expect(dataplane.applied[1]?.change).toEqual(changed('t2', 't3'));
    expect(dataplane.overlaps).toBe(0);
    await applier.stop();
  });

  it('applies everything when one of several requests says so', async () => {
    const { clock, dataplane, applier, move } = setUp();
    const first = byHand();
    dataplane.applies.push(() => first.promise);
    move(5, changed('t1'));
    move(6);
    move(7, changed('t2'));
    first.resolve();
    await clock.flush();
    expect(dataplane.applied[1]).toEqual({ revision: 7, change: undefined });
    await applier.stop();
  });

  it.each(['dataplane', 'resolver'] as const)(
    'applies everything anew a second after the %s failed, and not before',
    async (which) => {
      const { clock, logger, acks, applier, move, ...seams } = setUp();
      const { dataplane } = seams;
      const faulty = seams[which];
      faulty.fault = new Error('netlink: no buffer space');
      move(5, changed('t1'));
      await clock.flush();
      expect(logger.lines).toEqual(['tables were not applied: netlink: no buffer space']);
      faulty.fault = undefined;
      const before = dataplane.applied.length;
      move(6, changed('t2'));
      await clock.advance(999);
      expect([dataplane.applied.length, acks]).toEqual([before, []]);
      await clock.advance(1);
      expect(dataplane.applied.slice(before)).toEqual([{ revision: 6, change: undefined }]);
      expect(acks).toEqual([6]);
      await applier.stop();
    },
  );

  it('repairs every 30 s, and says what it found', async () => {
    const { clock, logger, dataplane, applier } = setUp();
    let repairs = 0;
    dataplane.repair = () => {
      repairs += 1;
      return Promise.resolve(repairs === 2 ? ['namespace lb was missing'] : []);
    };
    await clock.advance(90_000);
    expect(repairs).toBe(3);
    expect(logger.lines).toEqual(['tables repaired: namespace lb was missing']);
    await applier.stop();
  });

  it('applies everything when a repair failed', async () => {
    const { clock, logger, dataplane, acks, applier, move } = setUp();
    move(5);
    dataplane.repair = () => Promise.reject(new Error('cannot read'));
    await clock.advance(30_000);
    expect(logger.lines).toEqual(['tables were not repaired: cannot read']);
    expect(dataplane.applied).toHaveLength(2);
    expect(acks).toEqual([5, 5]);
    await applier.stop();
  });

  it('neither repairs during an application nor applies during a repair', async () => {
    const { clock, dataplane, acks, applier, move } = setUp();
    const [application, repair] = [byHand(), byHand<readonly string[]>()];
    const calls: string[] = [];
    dataplane.repair = () => {
      calls.push('repair');
      return repair.promise;
    };
    dataplane.applies.push(() => application.promise);
    move(5);
    await clock.advance(30_000);
    expect(calls).toEqual([]);
    application.resolve();
    await clock.advance(30_000);
    expect(calls).toEqual(['repair']);
    move(6);
    await clock.flush();
    expect(acks).toEqual([5]);
    repair.resolve([]);
    await clock.flush();
    expect(acks).toEqual([5, 6]);
    await applier.stop();
  });

  it('stops when what is under way has ended, says nothing of it, and leaves no timer', async () => {
    const { clock, dataplane, acks, applier, move } = setUp();
    const first = byHand();
    dataplane.applies.push(() => first.promise);
    move(5, changed('t1'));
    move(6, changed('t2'));
    let isStopped = false;
    const stopped = applier.stop().then(() => (isStopped = true));
    await clock.flush();
    expect(isStopped).toBe(false);
    first.resolve();
    await stopped;
    move(7);
    await clock.advance(60_000);
    expect([acks, dataplane.applied.length]).toEqual([[], 1]);
    expect(clock.pending()).toEqual([]);
  });

  it('leaves no timer when an application fails after the stop', async () => {
    const { clock, logger, dataplane, applier, move } = setUp();
    const first = byHand();
    dataplane.applies.push(() => first.promise);
    move(5);
    const stopped = applier.stop();
    first.reject(new Error('the kernel went away'));
    await stopped;
    await clock.advance(60_000);
    expect([logger.lines, clock.pending()]).toEqual([[], []]);
  });
});
