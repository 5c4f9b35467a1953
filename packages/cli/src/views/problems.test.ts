import { describe, expect, it } from '@jest/globals';
import type { Problem } from 'skep';
import { renderProblems } from './problems.js';

const LACK = "constraint needs node.labels.disk == ssd, has ''";

function pending(name: string, nodes: readonly string[], lacks: readonly string[]): Problem {
  const message = `no suitable node (of ${nodes.length})`;
  return { kind: 'Task', name, code: 'no-suitable-node', message, shortfalls: [{ nodes, lacks }] };
}

describe('renderProblems', () => {
  it('gives each a line with its code', () => {
    expect(
      renderProblems([
        { kind: 'Network', name: 'a', code: 'NoMoreSubnets', message: 'no free /24' },
        { kind: 'Node', name: 'node2', code: 'node-down', message: 'node is down' },
      ]),
    ).toBe('  Network a: no free /24 [NoMoreSubnets]\n  Node node2: node is down [node-down]');
  });

  it('says what nodes lack below the line, the same lacks once', () => {
    const problem: Problem = {
      ...pending('web.1.x', ['node1'], [LACK, 'plugin Volume/nfs is missing']),
      shortfalls: [
        { nodes: ['node1'], lacks: [LACK, 'plugin Volume/nfs is missing'] },
        { nodes: ['node2', 'node3'], lacks: [LACK] },
      ],
    };
    expect(renderProblems([problem]).split('\n').slice(1)).toEqual([
      `    node1: ${LACK}; plugin Volume/nfs is missing`,
      `    node2, node3: ${LACK}`,
    ]);
  });

  it('names ten nodes and counts the others', () => {
    const nodes = Array.from({ length: 12 }, (_, index) => `n${index}`);
    const [, line] = renderProblems([pending('web.1.x', nodes, [LACK])]).split('\n');
    expect(line).toBe(`    n0, n1, n2, n3, n4, n5, n6, n7, n8, n9 and 2 more: ${LACK}`);
  });

  it('puts tasks of a service with the same trouble on one line', () => {
    const text = renderProblems([
      pending('web.1.x', ['node1'], [LACK]),
      pending('api.1.x', ['node1'], [LACK]),
      pending('web.2.y', ['node1'], [LACK]),
      pending('web.3.z', ['node1'], ['cpu needs 9 cores, has 4 cores']),
    ]);
    expect(text.split('\n').filter((line) => line.startsWith('  Task'))).toEqual([
      '  Task web.1.x and 1 more: no suitable node (of 1) [no-suitable-node]',
      '  Task api.1.x: no suitable node (of 1) [no-suitable-node]',
      '  Task web.3.z: no suitable node (of 1) [no-suitable-node]',
    ]);
  });
});
