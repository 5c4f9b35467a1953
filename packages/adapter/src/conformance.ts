/**
 * What every task runtime, and every link to a manager, has to do, as suites:
 * `@skep/adapter/conformance`.
 * The functions of the test framework are arguments, so it runs under any of them.
 */
import { isSkepError, type AssignedTask } from '@skep/api';
import type { TaskContext, TaskRuntime } from './contract.js';

export { nodeLinkConformance } from './conformance/node-link.js';
export type { LinkUnderTest } from './conformance/link-actors.js';

/** The functions of a test framework that the suite uses; jest's fit. */
export interface TestFramework {
  readonly describe: (name: string, body: () => void) => void;
  readonly it: (name: string, body: () => Promise<void>) => void;
  readonly expect: (actual: unknown) => {
    toBe(expected: unknown): void;
    toEqual(expected: unknown): void;
    toContain(expected: unknown): void;
  };
}

/** A runtime under test, and tasks that do what the suite needs on it. */
export interface RuntimeUnderTest {
  readonly runtime: TaskRuntime;
  readonly context: TaskContext;
  /** A task that runs until it is stopped. */
  readonly server: (id: string) => AssignedTask;
  /** A task that ends by itself soon after its start, with this exit code. */
  readonly exiting: (id: string, exitCode: number) => AssignedTask;
  /** A task whose image does not exist. */
  readonly missingImage: (id: string) => AssignedTask;
  /** Waits for a promise; a simulated runtime moves its clock meanwhile. */
  readonly settle: <T>(promise: Promise<T>) => Promise<T>;
  /** A new runtime object on the same host, as after a crash of the agent. */
  readonly reopen: () => Promise<TaskRuntime>;
  readonly close: () => Promise<void>;
}

const never = (): AbortSignal => new AbortController().signal;

/** Runs the suite against fresh runtimes. */
export function taskRuntimeConformance(
  { describe, it, expect }: TestFramework,
  open: () => Promise<RuntimeUnderTest>,
): void {
  const withRuntime =
    (body: (under: RuntimeUnderTest) => Promise<void>): (() => Promise<void>) =>
    async () => {
      const under = await open();
      try {
        await body(under);
      } finally {
        await under.close();
      }
    };
  const rejection = async (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );

  describe('task runtime', () => {
    it(
      'describes its host',
      withRuntime(async ({ runtime, settle }) => {
        const description = await settle(runtime.describe());
        expect(description.hostname.length > 0).toBe(true);
        expect((description.resources.memoryBytes ?? 0) > 0).toBe(true);
      }),
    );

    it(
      'prepares, starts, stops and removes a task, each step twice without harm',
      withRuntime(async ({ runtime, context, server, settle }) => {
        const handle = runtime.task(server('t1'), context);
        await settle(handle.prepare(never()));
        await settle(handle.prepare(never()));
        const started = await settle(handle.start(never()));
        const again = await settle(handle.start(never()));
        expect(typeof started.container.containerId).toBe('string');
        expect(again.container.containerId).toBe(started.container.containerId);
        expect(await settle(runtime.known())).toEqual(['t1']);
        await settle(handle.shutdown(never()));
        await settle(handle.shutdown(never()));
        await settle(handle.remove());
        await settle(handle.remove());
        expect(await settle(runtime.known())).toEqual([]);
      }),
    );

    for (const exitCode of [0, 3]) {
      it(
        `says that a task ended with exit code ${exitCode}`,
        withRuntime(async ({ runtime, context, exiting, settle }) => {
          const handle = runtime.task(exiting('t1', exitCode), context);
          await settle(handle.prepare(never()));
          await settle(handle.start(never()));
          const exit = await settle(handle.wait(never()));
          expect(exit.exitCode).toBe(exitCode);
          await settle(handle.remove());
        }),
      );
    }

    it(
      'rejects a task whose image does not exist, for good',
      withRuntime(async ({ runtime, context, missingImage, settle }) => {
        const handle = runtime.task(missingImage('t1'), context);
        const thrown = await settle(rejection(handle.prepare(never())));
        expect(thrown instanceof Error).toBe(true);
        expect(isSkepError(thrown, 'unavailable')).toBe(false);
        await settle(handle.remove());
      }),
    );

    it(
      'lets a wait be aborted, and the task runs on',
      withRuntime(async ({ runtime, context, server, settle }) => {
        const handle = runtime.task(server('t1'), context);
        await settle(handle.prepare(never()));
        await settle(handle.start(never()));
        const abort = new AbortController();
        const waiting = rejection(handle.wait(abort.signal));
        abort.abort();
        expect(isSkepError(await settle(waiting), 'aborted')).toBe(true);
        expect(await settle(runtime.known())).toEqual(['t1']);
        await settle(handle.remove());
      }),
    );

    it(
      'lets a preparation be aborted, and leaves nothing once it is removed',
      withRuntime(async ({ runtime, context, server, settle }) => {
        const handle = runtime.task(server('t1'), context);
        const abort = new AbortController();
        const preparing = settle(rejection(handle.prepare(abort.signal)));
        abort.abort();
        await preparing;
        await settle(handle.shutdown(never()));
        await settle(handle.remove());
        expect(await settle(runtime.known())).toEqual([]);
        await settle(handle.prepare(never()));
        expect(await settle(runtime.known())).toEqual(['t1']);
        await settle(handle.remove());
      }),
    );

    it(
      'ends a wait when the task is stopped by another call',
      withRuntime(async ({ runtime, context, server, settle }) => {
        const handle = runtime.task(server('t1'), context);
        await settle(handle.prepare(never()));
        await settle(handle.start(never()));
        const waiting = handle.wait(never());
        await settle(handle.shutdown(never()));
        expect(typeof (await settle(waiting)).exitCode).toBe('number');
        await settle(handle.remove());
      }),
    );

    it(
      'takes over what runs after a crash of the agent',
      withRuntime(async ({ runtime, context, server, settle, reopen }) => {
        const task = server('t1');
        const first = runtime.task(task, context);
        await settle(first.prepare(never()));
        const started = await settle(first.start(never()));
        const next = await settle(reopen());
        expect(await settle(next.known())).toContain('t1');
        const second = next.task({ ...task, knownState: 'running' }, context);
        const resumed = await settle(second.start(never()));
        expect(resumed.container.containerId).toBe(started.container.containerId);
        await settle(second.remove());
        expect(await settle(next.known())).toEqual([]);
      }),
    );

    it(
      'keeps tasks apart',
      withRuntime(async ({ runtime, context, server, settle }) => {
        const handles = ['t1', 't2'].map((id) => runtime.task(server(id), context));
        for (const handle of handles) {
          await settle(handle.prepare(never()));
          await settle(handle.start(never()));
        }
        await settle(handles[0]?.remove() ?? Promise.resolve());
        expect(await settle(runtime.known())).toEqual(['t2']);
        await settle(handles[1]?.remove() ?? Promise.resolve());
      }),
    );
  });
}
