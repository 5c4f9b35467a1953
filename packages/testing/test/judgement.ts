/**
 * What is wrong with a cluster after a script.
 */
import { canonicalJson } from '@skep/api';
import {
  buildFrom,
  comparable,
  runScript,
  type ClusterScript,
  type RunOptions,
  type ScriptRun,
} from '../src/cluster.js';

/** Runs a script, and lets `verdict` say what is wrong with the settled cluster. */
export async function judge(
  script: ClusterScript,
  options: RunOptions,
  verdict: (run: ScriptRun) => readonly string[] | Promise<readonly string[]>,
): Promise<readonly string[]> {
  const run = await runScript(script, options);
  const { isSettled, waitingFor } = run.settlement;
  const faults = [
    ...run.violations.map(({ step, text }) => `at step ${step}: ${text}`),
    ...(isSettled ? [] : [`not settled: ${waitingFor.join('; ')}`]),
    ...(await verdict(run)),
  ];
  await run.cluster.stop();
  return faults;
}

/** How a settled cluster differs from the one that its declaration alone makes. */
export async function differences({ cluster, declaration }: ScriptRun): Promise<readonly string[]> {
  const fresh = await buildFrom(declaration);
  const wanted = comparable(fresh.view());
  const found = comparable(cluster.view());
  await fresh.stop();
  return [...difference('', found, wanted), ...found.leaks];
}

/** What differs, with the way to it. */
function difference(path: string, found: unknown, wanted: unknown): readonly string[] {
  if (canonicalJson(found ?? null) === canonicalJson(wanted ?? null)) return [];
  if (typeof found !== 'object' || typeof wanted !== 'object' || !found || !wanted) {
    return [`${path} is ${JSON.stringify(found)}, should be ${JSON.stringify(wanted)}`];
  }
  const keys = [...new Set([...Object.keys(found), ...Object.keys(wanted)])];
  const at = (value: object, key: string): unknown => (value as Record<string, unknown>)[key];
  return keys.flatMap((key) => difference(`${path}/${key}`, at(found, key), at(wanted, key)));
}
