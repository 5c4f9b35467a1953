import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SortedMap, type TableContent, type TaskSandbox } from '@skep/network';
import type { CommandRunner, NamespaceCommand } from '../namespace/command-runner.js';
import { suiteThatNeeds, missingPrograms } from '../../../../scripts/test-needs.js';
import { AdoptedTasks } from './adopted-tasks.js';

const PREFIX = 'c.node1.';
const { suite, lack } = suiteThatNeeds(missingPrograms(['unshare', 'sh']));

function tablesOf(...ids: readonly string[]): TableContent {
  const tasks = ids.map((taskId) => [taskId, { taskId } as TaskSandbox] as const);
  // Nothing else of the tables is looked at.
  return { tasks: SortedMap.from(tasks) } as TableContent;
}

describe('tasks whose namespaces somebody else makes', () => {
  it('are in no table before they are adopted, unless an earlier agent did', () => {
    const adopted = new AdoptedTasks(PREFIX);
    const tables = tablesOf('a', 'b');
    expect(adopted.visible(tables).tasks.keys()).toEqual([]);
    adopted.takeOver([`${PREFIX}task_b`]);
    expect(adopted.visible(tables).tasks.keys()).toEqual(['b']);
    adopted.takeOver([`${PREFIX}task_a`]);
    expect(adopted.visible(tables)).toBe(tables);
    adopted.keepOnly(tablesOf('a'));
    expect(adopted.visible(tables).tasks.keys()).toEqual(['a']);
  });

  it('are none of a process that is gone, or has no namespace of its own', async () => {
    const adopted = new AdoptedTasks(PREFIX);
    await expect(adopted.add('a', 2 ** 30)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(adopted.add('a', process.pid)).rejects.toMatchObject({
      code: 'failed-precondition',
    });
    expect(adopted.visible(tablesOf('a')).tasks.keys()).toEqual([]);
  });
});

suite(`names for namespaces of processes${lack}`, () => {
  let child: ReturnType<typeof spawn>;

  beforeEach(async () => {
    const line = 'echo there; exec sleep 600';
    child = spawn('unshare', ['--net', 'sh', '-c', line], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(child.stdout!, 'data');
  });

  afterEach(async () => {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : [];
    child.kill('SIGKILL');
    await ended;
  });

  it('are given where one would be made, as long as the process lives', async () => {
    const pid = child.pid ?? 0;
    const adopted = new AdoptedTasks(PREFIX);
    await adopted.add('a', pid);
    const ran: (readonly NamespaceCommand[])[] = [];
    const run: CommandRunner = (commands) => {
      ran.push(commands);
      return Promise.resolve([]);
    };
    const ip = ['ip', '-batch', '-'];
    const input = `netns add ${PREFIX}task_a\nnetns add ${PREFIX}task_b\nlink set lo up\n`;
    const commands = [
      { namespace: undefined, command: ip, input },
      { namespace: 'x', command: ['nft', '-f', '-'], input: `netns add ${PREFIX}task_a\n` },
    ];
    await adopted.over(run)(commands);
    const lines = [`netns attach ${PREFIX}task_a ${pid}`, `netns add ${PREFIX}task_b`];
    const attached = `${lines.join('\n')}\nlink set lo up\n`;
    expect(ran[0]).toEqual([{ ...commands[0], input: attached }, commands[1]]);
    expect(await adopted.isNamed('a')).toBe(false);
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    await adopted.over(run)(commands);
    expect(ran[1]).toEqual(commands);
  });
});
