import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { clusterScripts } from './scripts.js';
import { shortestScript } from './shortest-script.js';
import { renderScript, type ClusterScript, type Step } from './step.js';

const APPLY = {
  type: 'apply',
  service: 'web',
  spec: {
    mode: { type: 'replicated', replicas: 3 },
    task: { container: { image: 'app:1' }, networks: [{ target: 'a' }, { target: 'b' }] },
    update: { order: 'start-first' },
  },
} as const satisfies Step;
const LOSE: Step = { type: 'lose', node: 'node2' };
const wait = (ms: number): Step => ({ type: 'wait', ms });

function scriptOf(...steps: readonly Step[]): ClusterScript {
  return { nodes: 1, machines: [{ name: 'node1' }], networks: { a: {}, 'b-1': {} }, steps };
}

describe('renderScript', () => {
  it('is TypeScript, a step a line', () => {
    const spec = { ...APPLY.spec, task: {} };
    const script = scriptOf({ type: 'apply', service: "it's", spec }, LOSE);
    expect(renderScript(script).split('\n')).toEqual([
      '{',
      '  nodes: 1,',
      "  machines: [{ name: 'node1' }],",
      "  networks: { a: {}, 'b-1': {} },",
      '  steps: [',
      "    { type: 'apply', service: 'it\\'s', spec: { mode: { type: 'replicated', " +
        "replicas: 3 }, task: {}, update: { order: 'start-first' } } },",
      "    { type: 'lose', node: 'node2' },",
      '  ],',
      '}',
    ]);
  });
});

describe('shortestScript', () => {
  it('leaves out and simplifies all that is not needed', async () => {
    const long = scriptOf(wait(900), LOSE, APPLY, wait(1_234), wait(7), LOSE, wait(5), APPLY);
    // Broken: a loss after a declaration with network b, more than a second later.
    const isBroken = ({ steps }: ClusterScript): Promise<boolean> => {
      const at = steps.findIndex(
        (step) =>
          step.type === 'apply' && step.spec.task.networks?.some(({ target }) => target === 'b'),
      );
      const end = steps.findLastIndex((step) => step.type === 'lose');
      if (at < 0 || end < at) return Promise.resolve(false);
      const waits = steps.slice(at, end).map((step) => (step.type === 'wait' ? step.ms : 0));
      return Promise.resolve(waits.reduce((sum, ms) => sum + ms, 0) > 1_000);
    };
    const { steps } = await shortestScript(long, isBroken);
    expect(steps).toEqual([
      {
        type: 'apply',
        service: 'web',
        spec: {
          mode: { type: 'replicated', replicas: 1 },
          task: { container: { image: 'app:1' }, networks: [{ target: 'b' }] },
        },
      },
      wait(1_200),
      LOSE,
    ]);
  });

  it('ends, however long the script is', async () => {
    let runs = 0;
    const steps = Array.from({ length: 300 }, (_, ms) => wait(ms));
    await shortestScript(scriptOf(...steps), () => {
      runs += 1;
      return Promise.resolve(runs % 2 === 0);
    });
    expect(runs).toBeLessThanOrEqual(400);
  });
});

describe('clusterScripts', () => {
  it('begins with declarations, and the same seed gives the same', () => {
    const [one, other] = [1, 1].map((seed) => fc.sample(clusterScripts(), { seed, numRuns: 20 }));
    expect(one).toEqual(other);
    for (const { steps } of one ?? []) {
      expect(steps[0]?.type).toBe('apply');
      expect(steps.length).toBeLessThanOrEqual(4 + 1 + 16 * 5);
    }
  });

  it('asks for more than there is only when told', () => {
    const largest = (isTight: boolean): number =>
      Math.max(
        ...fc
          .sample(clusterScripts({ isTight }), { seed: 1, numRuns: 50 })
          .flatMap(({ steps }) => steps)
          .map((step) =>
            step.type === 'apply' ? (step.spec.task.resources?.reservations?.cpuNanos ?? 0) : 0,
          ),
      );
    expect([largest(false), largest(true)]).toEqual([5e7, 2e9]);
  });
});
