import { describe, expect, it } from '@jest/globals';
import {
  SkepError,
  type NodeHello,
  type NodeLink,
  type NodeLinkHandlers,
  type NodeSession,
} from '@skep/api';
import { DESCRIPTION } from './__fixtures__/fakes.js';
import { ManagerLinks } from './manager-links.js';

const HELLO: NodeHello = { nodeId: 'n1', address: '192.168.50.11', description: DESCRIPTION };
const HANDLERS = { assignment: () => undefined, closed: () => undefined };

/** Managers that refuse with what stands here, or take the node. */
function managers(answers: Readonly<Record<string, SkepError | undefined>>) {
  const asked: string[] = [];
  const current: Record<string, SkepError | undefined> = { ...answers };
  const link = (name: string): NodeLink => ({
    open: () => {
      asked.push(name);
      const refusal = current[name];
      if (refusal !== undefined) return Promise.reject(refusal);
      return Promise.resolve({ sessionId: `session with ${name}` } as NodeSession);
    },
  });
  const names = Object.keys(answers);
  const links = new ManagerLinks(new Map(names.map((name) => [name, link(name)])));
  const open = async (): Promise<string> => (await links.open(HELLO, HANDLERS)).sessionId;
  return { links, open, asked, answers: current };
}

const away = new SkepError('unavailable', 'no answer');
const follower = (leader?: string): SkepError =>
  new SkepError('unavailable', 'does not lead', {
    details: leader === undefined ? {} : { leader },
  });

describe('ManagerLinks', () => {
  it('lets only the manager ask that took the node, and a node that answers', async () => {
    const doors: NodeLinkHandlers[] = [];
    const link = (isAway: boolean): NodeLink => ({
      open: async (_hello, handlers) => {
        doors.push(handlers);
        if (isAway) throw away;
        return { sessionId: 's' } as NodeSession;
      },
    });
    const links = new ManagerLinks(
      new Map([
        ['a', link(true)],
        ['b', link(false)],
      ]),
    );
    const ask: NodeLinkHandlers['ask'] = async function* () {
      yield { type: 'fault', taskId: 't1', code: 'not-found', message: '' };
    };
    await links.open(HELLO, { ...HANDLERS, ask });
    const { signal } = new AbortController();
    const [late, current] = doors.map((door) => () => door.ask?.({ type: 'tables' }, signal));
    expect(late).toThrow('the node has gone to another manager');
    const first = await current?.()?.[Symbol.asyncIterator]().next();
    expect(first?.value).toMatchObject({ taskId: 't1' });
    await links.open(HELLO, HANDLERS);
    expect(doors.at(-1)?.ask).toBeUndefined();
  });

  it('asks one after the other, and first the one that took the node last', async () => {
    const { open, asked, links, answers } = managers({ a: away, b: follower(), c: undefined });
    expect(await open()).toBe('session with c');
    expect(asked.splice(0)).toEqual(['a', 'b', 'c']);
    expect(links.preferred).toBe('c');
    expect(await open()).toBe('session with c');
    expect(asked.splice(0)).toEqual(['c']);
    answers['c'] = away;
    answers['b'] = undefined;
    expect(await open()).toBe('session with b');
    expect(asked).toEqual(['c', 'a', 'b']);
  });

  it('goes to the leader that another names', async () => {
    const { open, asked } = managers({ a: follower('c'), b: away, c: undefined });
    expect(await open()).toBe('session with c');
    expect(asked).toEqual(['a', 'c']);
  });

  it('is not led in circles, nor to managers that it does not know', async () => {
    const { open, asked } = managers({ a: follower('c'), b: follower('x'), c: follower('a') });
    await expect(open()).rejects.toMatchObject({
      code: 'unavailable',
      details: { managers: { a: 'does not lead', b: 'does not lead', c: 'does not lead' } },
    });
    expect([...asked].sort()).toEqual(['a', 'b', 'c']);
  });

  it.each(['not-found', 'invalid-argument', 'permission-denied'] as const)(
    'takes %s for an answer',
    async (code) => {
      const { open, asked } = managers({ a: new SkepError(code, 'no'), b: undefined });
      await expect(open()).rejects.toMatchObject({ code });
      expect(asked).toEqual(['a']);
    },
  );

  it('does not listen to a manager that answers after it was given up', async () => {
    const heard: string[] = [];
    let late: NodeLinkHandlers | undefined;
    const slow: NodeLink = {
      open: (_, handlers) => {
        late = handlers;
        return Promise.reject(away);
      },
    };
    const quick: NodeLink = {
      open: (_, handlers) => {
        handlers.closed('quick');
        return Promise.resolve({ sessionId: 's' } as NodeSession);
      },
    };
    const links = new ManagerLinks(
      new Map([
        ['slow', slow],
        ['quick', quick],
      ]),
    );
    await links.open(HELLO, {
      assignment: () => void heard.push('assignment'),
      closed: (reason) => void heard.push(reason),
    });
    late?.assignment({ type: 'complete', revision: 1, upserts: [], removals: [] });
    late?.closed('slow');
    expect(heard).toEqual(['quick']);
  });

  it('needs a manager', () => {
    expect(() => new ManagerLinks(new Map())).toThrow('no manager');
  });
});
