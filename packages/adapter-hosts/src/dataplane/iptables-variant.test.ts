import { describe, expect, it } from '@jest/globals';
import type { CommandRunner } from '../namespace/command-runner.js';
import { workingIptables } from './iptables-variant.js';

/** A machine on which these programs fail; `ran` are the programs that were called. */
function machine(...failing: readonly string[]): { run: CommandRunner; ran: string[] } {
  const ran: string[] = [];
  const run: CommandRunner = (commands) => {
    ran.push(...commands.map(({ command }) => command[0] ?? ''));
    const statusOf = (program = ''): number => (failing.includes(program) ? 1 : 0);
    const results = commands.map(({ command }) => statusOf(command[0]));
    return Promise.resolve(results.map((status) => ({ status, output: '', errors: '' })));
  };
  return { run, ran };
}

const commands = ['iptables-restore', 'ip6tables-save', 'ipvsadm'].map((program) => ({
  namespace: 'x',
  command: [program, '--flag'],
}));

describe('programs of iptables', () => {
  it('are the ordinary ones when they work, and are tried once', async () => {
    const { run, ran } = machine();
    const working = workingIptables(run, 'x');
    await working(commands);
    await working(commands);
    const names = commands.map(({ command }) => command[0]);
    expect(ran).toEqual(['iptables', 'iptables-legacy', ...names, ...names]);
  });

  it('are the legacy ones when only those work', async () => {
    const { run, ran } = machine('iptables');
    await workingIptables(run, 'x')(commands);
    expect(ran.slice(2)).toEqual(['iptables-legacy-restore', 'ip6tables-legacy-save', 'ipvsadm']);
  });

  it('are the ordinary ones when none work: their complaint is the better one', async () => {
    const { run, ran } = machine('iptables', 'iptables-legacy');
    await workingIptables(run, 'x')(commands);
    expect(ran.slice(2)).toEqual(['iptables-restore', 'ip6tables-save', 'ipvsadm']);
  });

  it('are not tried for other programs', async () => {
    const { run, ran } = machine();
    await workingIptables(run, 'x')([{ namespace: 'x', command: ['ip', 'link'] }]);
    expect(ran).toEqual(['ip']);
  });
});
