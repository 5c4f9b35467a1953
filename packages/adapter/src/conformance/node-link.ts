/**
 * What every way between a node and its manager has to do, as a suite: part of
 * `@skep/adapter/conformance`. The suite plays both ends; what is tested lies between them.
 */
import { SkepError, type NodeLink } from '@skep/api';
import type { TestFramework } from '../conformance.js';
import {
  assignmentOf,
  codeOf,
  HELLO,
  largeAssignment,
  refusalOf,
  ScriptedManager,
  ScriptedNode,
  type LinkUnderTest,
  type Scene,
  type WithScene,
} from './link-actors.js';
import { cancellations, questions } from './link-questions.js';

/** Runs the suite against fresh links, each to the manager that it is given. */
export function nodeLinkConformance(
  framework: TestFramework,
  connect: (manager: NodeLink) => Promise<LinkUnderTest>,
): void {
  const withScene =
    (body: (scene: Scene) => Promise<void>): (() => Promise<void>) =>
    async () => {
      const manager = new ScriptedManager();
      const { link, settle, close } = await connect(manager);
      try {
        await body({
          manager,
          link,
          settle,
          open: async (ask) => {
            const node = new ScriptedNode(ask);
            return { node, session: await settle(node.open(link)) };
          },
        });
      } finally {
        await close();
      }
    };
  framework.describe('node link', () => {
    sessions(framework, withScene);
    endings(framework, withScene);
    questions(framework, withScene);
    cancellations(framework, withScene);
  });
}

function sessions({ it, expect }: TestFramework, withScene: WithScene): void {
  it(
    'opens a session, and passes on who comes',
    withScene(async ({ manager, open }) => {
      const { session } = await open();
      expect(manager.hellos).toEqual([HELLO]);
      expect([session.sessionId, session.heartbeatPeriodMs]).toEqual(['s1', 5_000]);
    }),
  );

  it(
    'passes on why a manager refuses a node, with code and details',
    withScene(async ({ manager, link, settle }) => {
      const details = { leader: 'm2', at: [1, 2] };
      manager.refusal = new SkepError('unavailable', 'does not lead', { details });
      const refusal = await settle(refusalOf(new ScriptedNode().open(link)));
      expect(refusal).toBe(`unavailable does not lead ${JSON.stringify(details)}`);
      manager.refusal = undefined;
      expect((await settle(new ScriptedNode().open(link))).sessionId).toBe('s1');
    }),
  );

  it(
    'passes on calls in their order, and what they answer',
    withScene(async ({ manager, settle, open }) => {
      const { session } = await open();
      const report = { taskId: 't1', state: 'running', timestamp: 1, message: 'ö' } as const;
      const notice = { type: 'warning', reason: 'TablesRepaired', message: 'a\nb' } as const;
      const calls = [
        session.report([report]),
        session.acknowledge({ appliedRevision: 7 }),
        session.describe(HELLO.description),
        session.tell?.([notice]) ?? Promise.resolve(),
        session.heartbeat(),
      ];
      const answers = await settle(Promise.all(calls));
      expect(answers[4]).toEqual({ periodMs: 4_321 });
      expect(manager.calls.items).toEqual([
        `report ${JSON.stringify([report])}`,
        'acknowledge {"appliedRevision":7}',
        `describe ${JSON.stringify(HELLO.description)}`,
        `tell ${JSON.stringify([notice])}`,
        'heartbeat',
      ]);
    }),
  );

  it(
    'passes on what a manager refuses, and the session goes on',
    withScene(async ({ manager, settle, open }) => {
      const { session } = await open();
      manager.fault = new SkepError('permission-denied', 'not yours', { details: { owner: 'n2' } });
      const refusal = 'permission-denied not yours {"owner":"n2"}';
      expect(await settle(refusalOf(session.report([])))).toBe(refusal);
      expect(await settle(refusalOf(session.tell?.([]) ?? Promise.resolve()))).toBe(refusal);
      manager.fault = undefined;
      expect(await settle(session.heartbeat())).toEqual({ periodMs: 4_321 });
    }),
  );

  it(
    'shows a manager that takes no notices as one',
    withScene(async ({ manager, open }) => {
      manager.takesNotices = false;
      const { session } = await open();
      expect(session.tell).toBe(undefined);
    }),
  );

  it(
    'brings assignments in their order, whole',
    withScene(async ({ manager, settle, open }) => {
      const sent = [assignmentOf(7), largeAssignment(), assignmentOf(10)];
      const { node } = await open();
      for (const assignment of sent) manager.node().assignment(assignment);
      await settle(node.heard.atLeast(3));
      expect(node.heard.items).toEqual(sent);
    }),
  );
}

function endings({ it, expect }: TestFramework, withScene: WithScene): void {
  it(
    'ends a session once when the manager does, after what was said before',
    withScene(async ({ manager, settle, open }) => {
      const { node, session } = await open();
      manager.node().assignment(assignmentOf(7));
      manager.node().closed('replaced');
      await settle(node.heard.atLeast(2));
      expect(node.heard.items).toEqual([assignmentOf(7), 'closed: replaced']);
      manager.fault = new SkepError('failed-precondition', 'the session is over: replaced');
      expect(await settle(codeOf(session.heartbeat()))).toBe('failed-precondition');
      expect(await settle(codeOf(session.acknowledge({ appliedRevision: 7 })))).toBe(
        'failed-precondition',
      );
      expect(node.heard.items.length).toBe(2);
    }),
  );

  it(
    'tells the manager when the node closes, who is not told then',
    withScene(async ({ manager, settle, open }) => {
      const { node, session } = await open();
      await settle(session.close());
      expect(manager.calls.items).toEqual(['close']);
      manager.fault = new SkepError('failed-precondition', 'the session is over');
      expect(await settle(codeOf(session.heartbeat()))).toBe('failed-precondition');
      expect(node.heard.items).toEqual([]);
    }),
  );

  it(
    'keeps two sessions of one node apart',
    withScene(async ({ manager, settle, open }) => {
      const first = await open();
      const second = await open();
      expect([first.session.sessionId, second.session.sessionId]).toEqual(['s1', 's2']);
      manager.node(0).closed('replaced');
      manager.node(1).assignment(assignmentOf(8));
      await settle(Promise.all([first.node.heard.atLeast(1), second.node.heard.atLeast(1)]));
      expect(first.node.heard.items).toEqual(['closed: replaced']);
      expect(second.node.heard.items).toEqual([assignmentOf(8)]);
      expect(await settle(second.session.heartbeat())).toEqual({ periodMs: 4_321 });
    }),
  );
}
