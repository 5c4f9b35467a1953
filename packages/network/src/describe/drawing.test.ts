import { describe, expect, it } from '@jest/globals';

import { VOTE_CLUSTER } from '../__fixtures__/vote.js';
import { tablesOf } from '../__fixtures__/world.js';
import type { Hop } from '../interpreter/result.js';
import { layoutDrawing, type DrawnBox } from './drawing-layout.js';
import { renderDrawing } from './drawing.js';

const NODES = [tablesOf(VOTE_CLUSTER, 'node1'), tablesOf(VOTE_CLUSTER, 'node2')];

function hop(node: string, namespace: string): Hop {
  return { node, namespace, hook: 'route', action: 'via', text: 'a <b> & "c"' };
}

const boxesOf = (): readonly DrawnBox[] =>
  layoutDrawing({ nodes: NODES }).nodes.flatMap(({ boxes }) => boxes);

describe('layoutDrawing', () => {
  it('draws every node with its host, its balancers and its tasks', () => {
    const { nodes, networks } = layoutDrawing({ nodes: NODES });
    expect(nodes.map(({ name }) => name)).toEqual(['node1', 'node2']);
    expect(networks[0]?.name).toBe('ingress');
    for (const [at, { boxes }] of nodes.entries()) {
      const tasks = NODES[at]?.tasks.size ?? 0;
      expect(boxes.filter(({ kind }) => kind === 'host')).toHaveLength(1);
      expect(boxes.filter(({ kind }) => kind === 'task')).toHaveLength(tasks);
      expect(boxes.filter(({ kind }) => kind === 'balancer').length).toBeGreaterThan(1);
    }
  });

  it('shows every address that a task has', () => {
    const drawn = boxesOf().flatMap(({ lines }) => lines.map(({ text }) => text));
    for (const tables of NODES) {
      for (const { endpoints } of tables.tasks.values()) {
        for (const { address } of endpoints) expect(drawn).toContain(address.split('/')[0]);
      }
    }
  });

  it('lets nothing overlap, and nothing stick out', () => {
    const layout = layoutDrawing({ nodes: NODES });
    for (const { x, y, width, height, boxes } of layout.nodes) {
      expect(x + width).toBeLessThan(layout.width);
      expect(y + height).toBeLessThan(layout.vipsY);
      for (const [at, box] of boxes.entries()) {
        expect(box.x).toBeGreaterThan(x);
        expect(box.x + box.width).toBeLessThan(x + width);
        expect(box.y + box.height).toBeLessThan(y + height);
        const next = boxes[at + 1];
        if (next !== undefined) expect(box.y + box.height).toBeLessThan(next.y);
      }
    }
  });

  it('follows a request from box to box, bridges being the lines between them', () => {
    const task = boxesOf().find(({ kind }) => kind === 'task');
    const [node = '', namespace = ''] = task?.key.split('/') ?? [];
    const hops = [
      hop('node1', 'host'),
      hop('node1', 'host'),
      hop('node1', 'ingress_sbox'),
      hop('node1', '1-ingress'),
      hop(node, namespace),
    ];
    const { path, steps, outside } = layoutDrawing({
      nodes: NODES,
      request: { title: 'a request', hops, isFromOutside: true },
    });
    expect(path.map(({ title }) => title)).toEqual([
      'client outside',
      'host',
      'ingress sandbox',
      task?.title,
    ]);
    expect(outside?.kind).toBe('outside');
    expect(steps).toHaveLength(hops.length);
  });

  it('goes by a balancer whose work is done on the bridge', () => {
    const client = boxesOf().find(({ key }) => key === 'node1/task_client1');
    const hops = [
      { ...hop('node1', '1-overlay1'), action: 'dnat to 10.0.9.3' },
      hop('node1', '1-overlay1'),
      hop('node2', 'task_vote1'),
    ];
    const origin = { node: 'node1', namespace: 'task_client1' };
    const { path } = layoutDrawing({ nodes: NODES, request: { title: 'a request', hops, origin } });
    expect(path.map(({ title }) => title)).toEqual([
      client?.title,
      'balancer of overlay1',
      'vote.1.vote1',
    ]);
  });

  it('draws nothing outside when nobody is there', () => {
    const request = { title: 'a request', hops: [hop('node1', 'host')] };
    expect(layoutDrawing({ nodes: NODES, request }).outside).toBeUndefined();
    expect(layoutDrawing({ nodes: [] })).toMatchObject({ nodes: [], vips: [], path: [] });
  });
});

describe('renderDrawing', () => {
  const svg = renderDrawing({
    nodes: NODES,
    request: { title: 'x < y & "z"', hops: [hop('node1', 'host'), hop('node1', 'ingress_sbox')] },
  });

  it('is one element that loads nothing, and the same every time', () => {
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" role="img"/);
    expect(svg.endsWith('</svg>\n')).toBe(true);
    expect(svg.match(/https?:\/\/[^"]+/g)).toEqual(['http://www.w3.org/2000/svg']);
    expect(svg).not.toMatch(/<script|@import|NaN|undefined/);
    expect(renderDrawing({ nodes: NODES })).toBe(renderDrawing({ nodes: NODES }));
  });

  it('closes every element that it opens', () => {
    const open: string[] = [];
    for (const [, end, name = '', isEmpty] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
      if (end === '/') expect(open.pop()).toBe(name);
      else if (isEmpty !== '/') open.push(name);
    }
    expect(open).toEqual([]);
  });

  it('escapes what names and rules may contain', () => {
    expect(svg).toContain('<title id="t">x &lt; y &amp; &quot;z&quot;</title>');
    expect(svg).toContain('a &lt;b&gt; &amp; &quot;c&quot;');
  });
});
