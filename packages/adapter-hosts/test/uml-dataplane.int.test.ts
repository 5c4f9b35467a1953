/**
 * The dataplane `ipvs` through the adapter, in a real kernel with IPVS: in user-mode-linux, for not
 * every kernel has it. What the kernel then holds is what a real Docker Swarm programmed, and real
 * connections take turns.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { buildSync } from 'esbuild';
import { missingPrograms, suiteThatNeeds } from '../../../scripts/test-needs.js';
import {
  HOST_NAMESPACE,
  bridgeNamespace,
  recordedReference,
  type NamespaceReference,
} from '@skep/network';
import { parseRecorded } from '../../network/src/interpreter/recorded.js';
import { GOLDEN_FILES, goldenTest, goldenText } from '../../network/test/golden-files.js';
import { tunnelsOf, view } from '../../network/test/golden-view.js';
import { missingForKernel, runProgramInKernel } from '../../network/test/uml-kernel.js';
import type { UmlResults } from './uml-results.js';

const missing = [...missingForKernel(), ...missingPrograms(['curl', 'bash', 'nsenter', 'sysctl'])];
const { suite, lack } = suiteThatNeeds(missing);
/** Which task of ours a recorded task file is about. */
const TASKS: Readonly<Record<string, string>> = {
  'node1/vote-task.txt': 'task_vote2',
  'node2/vote-task.txt': 'task_vote1',
  'node1/client-task.txt': 'task_client1',
};
const TURNS = /^(A B A B|B A B A)$/;

suite(`the dataplane ipvs in user-mode-linux${lack}`, () => {
  const folder = mkdtempSync(join(tmpdir(), `skt-${process.pid}-uml-`));
  let results: UmlResults;

  beforeAll(async () => {
    if (missing.length > 0) throw new Error(`missing on this machine: ${missing.join(', ')}`);
    const program = join(folder, 'program.cjs');
    buildSync({
      entryPoints: [join(process.cwd(), 'packages/adapter-hosts/test/uml-program.ts')],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      conditions: ['@skep/source'],
      logLevel: 'error',
      // Native code of the container engine's client; nothing here speaks to one.
      external: ['cpu-features', '*.node'],
    });
    // Everything was loaded: the kernel need not ask for what it does not have, again and again.
    const quiet = 'echo > /proc/sys/kernel/modprobe';
    // As on every machine with a container engine; new namespaces have it from there.
    const forward = 'echo 1 > /proc/sys/net/ipv4/ip_forward';
    const command = `${quiet}; ${forward}; ${process.execPath} ${program} ${folder}/results.json`;
    results = (await runProgramInKernel(folder, command, 300_000)) as UmlResults;
  }, 330_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const nameOf = (file: string): string =>
    TASKS[file] ?? recordedReference(file.split('/')[1] ?? '').name;
  const configOf = (tables: UmlResults['tables'], node: string, reference: NamespaceReference) => {
    const name = reference.kind === 'host' ? node : `${node}.${reference.name}`;
    return parseRecorded(reference, tables[name] ?? `nothing of ${name}`);
  };
  const letters = (answers: readonly string[] = []): string =>
    answers.map((answer) => answer.split(' ')[0]).join(' ');
  const sources = (answers: readonly string[] = []): readonly string[] => [
    ...new Set(answers.map((answer) => (answer.split(' ')[1] ?? answer).replace('::ffff:', ''))),
  ];

  goldenTest.each(GOLDEN_FILES)('the kernel holds what a Swarm programmed: %s', (file) => {
    const [node = '', name = ''] = file.split('/');
    const golden = parseRecorded(recordedReference(name), goldenText(file));
    const reference = { ...recordedReference(name), name: nameOf(file) };
    const ours = configOf(results.tables, node, reference);
    expect(view(ours, tunnelsOf(ours.links.values()))).toEqual(
      view(golden, tunnelsOf(golden.links.values())),
    );
    const settings = [...golden.sysctls.keys()].map((key) => [key, ours.sysctls.get(key)]);
    expect(settings).toEqual([...golden.sysctls]);
  });

  goldenTest('the firewall of the host is that of a Swarm', () => {
    const rulesOf = (config: ReturnType<typeof parseRecorded>): unknown =>
      (['nat', 'filter'] as const).map((table) =>
        [...config.table(table)]
          .flatMap(([chain, { rules }]) => rules.map(({ text }) => `${chain} ${text}`))
          .filter((text) => !/docker0|ISOLATION/.test(text))
          .sort(),
      );
    const text = goldenText('host-firewall.txt');
    // In the recorded run another task had the address .2 before.
    const recorded = text.replaceAll('172.18.0.3', '172.18.0.2');
    const golden = parseRecorded(HOST_NAMESPACE, `# iptables-save\n${recorded}`);
    expect(rulesOf(configOf(results.tables, 'node1', HOST_NAMESPACE))).toEqual(rulesOf(golden));
  });

  it.each([
    'the client by the virtual address',
    'the client by the virtual address, udp',
    'node1:8080 from outside',
    'node2:8080 from outside',
    'node2:8080 from node1',
    '127.0.0.1:8080 on node2',
  ])('backends take turns strictly: %s', (way) => {
    expect([way, letters(results.answers[way])]).toEqual([way, expect.stringMatching(TURNS)]);
  });

  it('servers see the balancer of the network, as in a Swarm; other ports are closed', () => {
    expect(sources(results.answers['the client by the virtual address'])).toEqual(['10.0.9.6']);
    expect(sources(results.answers['node2:8080 from outside'])).toEqual(['10.0.0.3']);
    expect(results.answers['a port that nobody published']?.[0]).toMatch(/connect/i);
  });

  it('a backend that drains gets nothing new and keeps what it has', () => {
    const { whileDraining, underWay, afterwards } = results.drain;
    expect(letters(whileDraining)).toBe('B B B B');
    expect(letters(underWay)).toBe('A B');
    expect(letters(afterwards)).toMatch(TURNS);
  });

  it('what somebody breaks is found, told and put right', () => {
    const { harmed, findings, answers, mesh, again } = results.repair;
    expect(harmed).toEqual(['', '', '', '']);
    const bridge = bridgeNamespace('uml.node1.', 'overlay1').name;
    for (const part of [
      /lb_overlay1: ipvs: service -f 256 is missing/,
      /ingress_sbox: iptables: rules mangle PREROUTING is missing/,
      new RegExp(`${bridge}: interface br0 is down`),
      /task_client1: the route to default by eth1 is missing/,
    ]) {
      expect(findings.join('\n')).toMatch(part);
    }
    expect(again).toEqual([]);
    expect([letters(answers), letters(mesh)]).toEqual([
      expect.stringMatching(TURNS),
      expect.stringMatching(TURNS),
    ]);
  });

  it('another agent changes nothing, connections go on, and in the end nothing is left', () => {
    const name = 'node1.lb_overlay1';
    const before = { [name]: results.tables[name] ?? 'nothing' };
    expect(configsOf(results.successor.tables)).toEqual(configsOf(before));
    expect(letters(results.successor.during)).toMatch(/^[AB]$/);
    expect(results.left).toEqual([]);
  });

  /** Everything that is compared, of every namespace. */
  function configsOf(tables: UmlResults['tables']): unknown {
    return Object.entries(tables).map(([name, text]) => {
      const config = parseRecorded({ name, kind: 'task' }, text);
      return [name, view(config, tunnelsOf(config.links.values()))];
    });
  }
});
