import { describe, expect, it } from '@jest/globals';
import { runCommand } from '../__fixtures__/run-command.js';
import { EXIT } from '../surroundings.js';
import { completionScript, SHELLS } from './scripts.js';

async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const { code, out, err } = await runCommand(['complete', '--', ...words]);
  expect({ code, err }).toEqual({ code: EXIT.ok, err: '' });
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t')[0] ?? '');
}

describe('skep complete', () => {
  it.each([
    [['dr'], ['drain']],
    [
      ['policy', ''],
      ['compare', 'explain', 'help'],
    ],
    [['trace', 'p'], ['packet']],
    [['get', '--fi'], ['--field-selector']],
    [['get', 'svc', '-o', ''], ['table', 'wide', 'json', 'yaml', 'manifest', 'name'].sort()],
    [['get', '--output=j'], ['--output=json']],
    [['up', '--hosts', 'n'], ['namespaces']],
    [['up', '-f', ''], [':files']],
    [['apply', '--file='], [':files']],
    [
      ['completion', ''],
      ['bash', 'fish', 'zsh'],
    ],
    [['get', 'serv'], ['services']],
    [
      ['get', 'svc', ''],
      ['db', 'web'],
    ],
    [['get', 'svc', 'web', ''], ['db']],
    [
      ['describe', 'no/'],
      ['no/node1', 'no/node2'],
    ],
    [['describe', 'svc', '--cluster', 'x', 'w'], ['web']],
    [
      ['scale', ''],
      ['db=', 'web='],
    ],
    [
      ['drain', 'node'],
      ['node1', 'node2'],
    ],
    [
      ['logs', 'web'],
      ['web', 'web.1', 'web.2'],
    ],
    [['rm', 'web', ''], ['db']],
    [['label', 'ta'], ['task/']],
    [
      ['status', '--cluster', ''],
      ['second', 'skep'],
    ],
    [['tables', 'node1', '--network', ''], ['front']],
    [['update', 'web', '--image', ''], []],
  ])('%j', async (words, expected) => {
    expect(await offered(...words)).toEqual(expected);
  });

  it('offers no hidden commands, and says what each is for', async () => {
    const { out } = await runCommand(['complete', '--', '']);
    expect(out).not.toMatch(/^(?:internal|complete)\t/m);
    expect(out).toMatch(/^drain\ttake all tasks away/m);
  });

  it('has no names, and no complaints, when nobody answers in time', async () => {
    const connect = () => ({ info: () => new Promise(() => undefined) }) as never;
    const outcome = await runCommand(['complete', '--', 'drain', ''], {}, { connect });
    expect(outcome).toMatchObject({ code: EXIT.ok, out: '', err: '' });
  });

  it('asks the cluster that the line names', async () => {
    const asked: unknown[] = [];
    const local = () =>
      Promise.resolve({
        placeOf: (place: unknown) => (asked.push(place), { controlSocket: '/x' }),
      } as never);
    await runCommand(['complete', '--', 'drain', '--cluster', 'two', ''], {}, { local });
    await runCommand(['complete', '--', 'drain', '--state=/s', ''], {}, { local });
    expect(asked).toEqual([{ cluster: 'two' }, { stateRoot: '/s' }]);
  });
});

describe('skep completion', () => {
  it.each(SHELLS)('%s: a script that asks skep complete', async (shell) => {
    const { code, out } = await runCommand(['completion', shell]);
    expect(code).toBe(EXIT.ok);
    expect(out).toBe(completionScript(shell));
    expect(out).toContain('complete --');
  });

  it('refuses other shells', async () => {
    expect(await runCommand('completion tcsh')).toMatchObject({ code: EXIT.badInput });
  });
});
