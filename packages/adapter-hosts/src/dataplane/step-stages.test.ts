import { describe, expect, it } from '@jest/globals';
import type { RenderedStep, Tool } from '@skep/network';
import { stagesOf } from './step-stages.js';

const step = (kind: 'bridge' | 'task', name: string, tool: Tool, line = ''): RenderedStep => ({
  namespace: { name, kind },
  tool,
  lines: [line],
});
const task = (number: number, line = ''): RenderedStep => step('task', `t${number}`, 'nft', line);
const names = (stages: ReturnType<typeof stagesOf>): string =>
  stages
    .map((stage) =>
      stage.map((list) => list.map(({ namespace }) => namespace.name).join(' ')).join(' & '),
    )
    .join(' | ');

describe('steps at the same time', () => {
  it.each([
    ['nothing', [], ''],
    ['few', [step('bridge', 'b', 'ip'), task(1), task(2), step('bridge', 'b', 'ip')], 'b t1 t2 b'],
    [
      'rules of tasks between others',
      [
        step('bridge', 'b', 'ip'),
        task(1),
        step('bridge', 'b1', 'nft'),
        task(2),
        task(3),
        step('bridge', 'b2', 'nft'),
        step('bridge', 'b', 'conntrack'),
      ],
      'b b1 b2 | t1 & t2 & t3 | b',
    ],
    [
      'two texts of a namespace, and other tools between',
      [task(1, 'a'), task(2), task(1, 'b'), step('task', 't4', 'ip'), task(5), task(6)],
      't1 t1 & t2 | t4 t5 t6',
    ],
  ])('%s', (_, steps, wanted) => {
    expect(names(stagesOf(steps))).toBe(wanted);
  });

  it('has every step once, at most eight lists, and a namespace in one of them', () => {
    const steps = Array.from({ length: 60 }, (_, at) => task(at % 20, String(at)));
    const [stage = []] = stagesOf(steps);
    expect(stage).toHaveLength(8);
    const lines = stage.flatMap((list) => list.map(({ lines: [line] }) => Number(line)));
    expect([...lines].sort((a, b) => a - b)).toEqual(steps.map((_, at) => at));
    for (const list of stage) {
      const own = new Set(list.map(({ namespace }) => namespace.name));
      expect(list).toHaveLength(own.size * 3);
    }
  });
});
