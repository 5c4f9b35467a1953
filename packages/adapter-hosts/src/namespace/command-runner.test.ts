import { describe, expect, it } from '@jest/globals';
import { runCommands } from './command-runner.js';

const here = (command: readonly string[], input?: string) => ({
  namespace: undefined,
  command,
  ...(input === undefined ? {} : { input }),
});

describe('running many programs', () => {
  it('keeps apart what each prints, and its status', async () => {
    const results = await runCommands([
      here(['sh', '-c', 'echo one; echo wrong >&2; exit 3']),
      here(['cat'], 'fed\ntwice'),
      here(['printf', '%s|', "it's", '$HOME', 'a b', '']),
      here(['true']),
    ]);
    expect(results).toEqual([
      { status: 3, output: 'one\n', errors: 'wrong\n' },
      { status: 0, output: 'fed\ntwice\n', errors: '' },
      { status: 0, output: "it's|$HOME|a b||", errors: '' },
      { status: 0, output: '', errors: '' },
    ]);
  });

  it('feeds nothing to a program that has no input: not the rest of the list', async () => {
    const results = await runCommands([here(['cat']), here(['echo', 'next'])]);
    expect(results.map(({ output }) => output)).toEqual(['', 'next\n']);
  });

  it('stops at the first failure when told to; a good status is none', async () => {
    const commands = [
      { ...here(['sh', '-c', 'exit 1']), goodStatus: 1 },
      here(['sh', '-c', 'exit 1']),
      here(['echo', 'never']),
    ];
    const stopped = await runCommands(commands, { isStopping: true });
    expect(stopped.map(({ status }) => status)).toEqual([1, 1]);
    expect(await runCommands(commands)).toHaveLength(3);
  });

  it('says 127 for a program that is not there', async () => {
    const [result] = await runCommands([here(['no-such-program-of-ours'])]);
    expect(result?.status).toBe(127);
  });

  it('ends what takes too long', async () => {
    const late = runCommands([here(['sleep', '600'])], { timeoutMs: 50 });
    await expect(late).rejects.toMatchObject({ code: 'deadline-exceeded' });
  });

  it('takes a large text', async () => {
    const input = 'x'.repeat(999).concat('\n').repeat(2_000);
    const [result] = await runCommands([here(['wc', '-c'], input)]);
    expect(result?.output.trim()).toBe('2000000');
  });
});
