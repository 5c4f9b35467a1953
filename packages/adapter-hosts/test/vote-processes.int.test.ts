/**
 * The main job with tasks as processes, behind this machine's kernel; and what somebody may do to
 * that kernel.
 */
import { expect, it } from '@jest/globals';
import { suiteThatNeeds } from '../../../scripts/test-needs.js';
import { missingForKernel } from './kernel-cluster.js';
import { missingPrograms } from '../../../scripts/missing-programs.js';
import { processes, VOTE_PORT } from './real-runtimes.js';
import { voteScenario } from './vote-scenario.js';

const missing = [...missingForKernel(), ...missingPrograms(['wrk', 'setpriv', 'pivot_root'])];
const { suite, lack } = suiteThatNeeds([...new Set(missing)]);

suite(`vote as processes${lack}`, () => {
  const { cluster, expectInTurn } = voteScenario({
    mark: `skt-${process.pid}-vote`,
    isContainer: false,
    runtime: () => Promise.resolve(processes()),
  });

  const REPLICAS = 3;
  const node = (): string => cluster().hosts[0]?.name ?? '';
  const sandbox = (): string => {
    const onNode = cluster()
      .manager.tasks('vote')
      .find(({ meta }) => cluster().hostOf(meta.id).name === node());
    return cluster().sandbox(onNode?.meta.id ?? '');
  };
  const bridge = (): string => {
    const networks = cluster().hosts[0]?.dataplane.tables?.networks.values() ?? [];
    const id = networks.find(({ name }) => name === 'net')?.id ?? '';
    return `${cluster().node(node())}.1-${id}`;
  };

  const HARM: readonly (readonly [string, () => string, string, RegExp])[] = [
    ['rules of a task flushed', sandbox, 'nft flush ruleset', /task_.*table inet skep is missing/],
    ['rules of a network flushed', bridge, 'nft flush ruleset', /table inet skep is missing/],
    ['a bridge removed', bridge, 'ip link delete br0', /br0 is missing/],
    ['a tunnel removed', bridge, 'ip link delete vxlan0', /vxlan0 is missing/],
  ];
  for (const [what, place, command, finding] of HARM) {
    it(`what is declared comes back: ${what}`, async () => {
      cluster().told.length = 0;
      expect(await cluster().run(place(), command.split(' '))).toEqual(['']);
      cluster().repairNow();
      await cluster().until('the repair', () => cluster().told.some((text) => finding.test(text)));
      await expectInTurn(REPLICAS, 1);
    }, 120_000);
  }

  it('what is declared comes back: the link of a node down, and up again', async () => {
    const namespace = cluster().node(node());
    const link = async (state: string): Promise<void> => {
      const printed = await cluster().run(namespace, ['ip', 'link', 'set', 'eth0', state]);
      expect(printed).toEqual(['']);
    };
    const url = `http://${cluster().hosts[0]?.address}:${VOTE_PORT}/`;
    await link('down');
    const ask = ['curl', '-s', '-S', '--max-time', '1', url];
    expect(await cluster().run(cluster().node('client'), ask)).toEqual([
      expect.stringMatching(/^(7|28): curl/),
    ]);
    await link('up');
    cluster().repairNow();
    await expectInTurn(REPLICAS, 1);
  }, 120_000);
});
