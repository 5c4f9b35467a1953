import { describe, expect, it } from '@jest/globals';
import { byIndex, Event } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { memoryStore, type Store } from '@skep/store';
import { parent, Parent, world, type World } from './__fixtures__/world.js';
import { EVENTS_MAX, EVENTS_PER_OBJECT_MAX } from './event-plan.js';
import { EventRecorder } from './event-recorder.js';
import type { EventDraft } from './contract.js';

function draft(id: string, message: string, reason = 'Noted'): EventDraft {
  return { regarding: parent(id), type: 'normal', reason, message };
}

function setUp(store?: (inner: Store) => Store): World & { recorder: EventRecorder } {
  const made = world(store === undefined ? {} : { store });
  return { ...made, recorder: new EventRecorder(made.seams) };
}

function messages(store: Store): string[] {
  const events = [...store.view().list(Event)].sort((a, b) => a.spec.lastAt - b.spec.lastAt);
  return events.map(({ spec }) => `${spec.message} ×${spec.count}`);
}

describe('EventRecorder', () => {
  it('writes events together, a little later', async () => {
    const { recorder, store, clock } = setUp();
    const actors: string[] = [];
    store.subscribe({ commit: ({ actor }) => actors.push(actor), ended: () => undefined });
    recorder.record(draft('a', 'one'), 'tester');
    recorder.record(draft('b', 'two'), 'tester');
    await clock.advance(99);
    expect([store.view().count(Event), recorder.isIdle]).toEqual([0, false]);
    expect(recorder.nextAt).toBe(clock.now() + 1);
    await clock.advance(1);
    expect(actors).toEqual(['events']);
    expect([recorder.isIdle, recorder.nextAt]).toEqual([true, undefined]);
    const [event] = store.view().list(Event, byIndex(Event, 'regarding', 'Parent/a'));
    expect(event?.meta.name).toBe('a.Noted');
    expect(event?.spec).toEqual({
      regarding: { kind: 'Parent', id: 'a', name: 'a' },
      type: 'normal',
      reason: 'Noted',
      message: 'one',
      actor: 'tester',
      count: 1,
      firstAt: clock.now() - 100,
      lastAt: clock.now() - 100,
    });
  });

  it('counts equal events, before and after they are written', async () => {
    const { recorder, store, clock } = setUp();
    const start = clock.now();
    for (let i = 0; i < 3; i += 1) recorder.record(draft('a', 'again'), 'tester');
    recorder.record(draft('a', 'again', 'Other'), 'tester');
    await clock.advance(200);
    recorder.record(draft('a', 'again'), 'tester');
    await clock.advance(100);
    const events = store.view().list(Event);
    const noted = events.find(({ spec }) => spec.reason === 'Noted');
    expect(events).toHaveLength(2);
    expect(noted?.spec).toMatchObject({ count: 4, firstAt: start, lastAt: start + 200 });
  });

  it('keeps the newest twenty of an object', async () => {
    const { recorder, store, clock } = setUp();
    for (let i = 0; i < 30; i += 1) {
      recorder.record(draft('a', `event ${i}`), 'tester');
      await clock.advance(200);
    }
    for (let i = 0; i < 25; i += 1) recorder.record(draft('b', `burst ${i}`), 'tester');
    await clock.advance(200);
    const ofA = store.view().list(Event, byIndex(Event, 'regarding', 'Parent/a'));
    expect(ofA).toHaveLength(EVENTS_PER_OBJECT_MAX);
    expect(messages(store)[0]).toBe('event 10 ×1');
    const ofB = store.view().count(Event, byIndex(Event, 'regarding', 'Parent/b'));
    expect(ofB).toBe(EVENTS_PER_OBJECT_MAX);
  });

  it('keeps the newest thousand in all', async () => {
    const { recorder, store, clock } = setUp();
    for (let round = 0; round < 3; round += 1) {
      for (let i = 0; i < 500; i += 1) recorder.record(draft(`${round}/${i}`, 'x'), 'tester');
      await clock.advance(500);
    }
    const events = store.view().list(Event);
    expect(events).toHaveLength(EVENTS_MAX);
    expect(events.some(({ spec }) => spec.regarding.id.startsWith('0/'))).toBe(false);
  });

  it('drops what is too much at a time, and says how many', async () => {
    const { recorder, clock, store } = setUp();
    for (let i = 0; i < 1010; i += 1) recorder.record(draft(`${i}`, 'x'), 'tester');
    expect(recorder.dropped).toBe(10);
    await clock.advance(1000);
    expect(store.view().count(Event)).toBe(1000);
  });

  it('tries a write again, and gives up after three', async () => {
    let fails = 1;
    const { recorder, store, clock, logs } = setUp((inner) => {
      const commit: Store['commit'] = (transaction) => {
        fails -= 1;
        return fails >= 0 ? Promise.reject(new Error('disk full')) : inner.commit(transaction);
      };
      return Object.assign(Object.create(inner) as Store, {
        commit,
        view: () => inner.view(),
        kinds: inner.kinds,
      });
    });
    recorder.record(draft('a', 'late'), 'tester');
    await clock.advance(100);
    expect(messages(store)).toEqual([]);
    recorder.record(draft('a', 'late'), 'tester');
    await clock.advance(1000);
    expect(messages(store)).toEqual(['late ×2']);
    fails = 3;
    recorder.record(draft('a', 'never'), 'tester');
    await clock.advance(10_000);
    expect(messages(store)).toEqual(['late ×2']);
    expect([recorder.isIdle, recorder.dropped]).toEqual([true, 1]);
    expect(logs.map(({ message }) => message)).toEqual(['events dropped']);
  });

  it('writes what is left when it stops, and nothing after', async () => {
    const { recorder, store, clock } = setUp();
    recorder.record(draft('a', 'last'), 'tester');
    await recorder.stop();
    recorder.record(draft('a', 'after'), 'tester');
    await clock.advance(1000);
    expect(messages(store)).toEqual(['last ×1']);
    expect(clock.pending()).toEqual([]);
  });

  it('does nothing in a store without events', async () => {
    const clock = new VirtualClock();
    const store = memoryStore({ clock, kinds: [Parent] });
    const recorder = new EventRecorder({ store, clock });
    recorder.record(draft('a', 'x'), 'tester');
    await clock.advance(1000);
    expect([recorder.isIdle, store.view().revision]).toEqual([true, 0]);
  });
});
