/**
 * The drawing of a cluster's network as one SVG: nodes, their sandboxes, networks, virtual
 * addresses, and the way of one request through them.
 *
 * It stands for itself: no script, no font, nothing to load; light or dark as the reader's screen.
 */
import {
  layoutDrawing,
  SIZES,
  type DrawingInput,
  type DrawingLayout,
  type DrawnBox,
  type DrawnNode,
} from './drawing-layout.js';

export type { DrawingInput } from './drawing-layout.js';

/** Colours that people with any kind of sight tell apart. **Source:** Okabe and Ito, 2008. */
const COLORS: readonly string[] = Object.freeze([
  '#d55e00',
  '#0072b2',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
]);

const STYLE = `
text { white-space: pre }
svg { background: #ffffff; font: 12px system-ui, sans-serif; fill: #1a1a1a }
.node { fill: #f4f4f2; stroke: #8a8a86 }
.box { fill: #ffffff; stroke: #b9b9b4 }
.balancer { stroke-width: 2 }
.outside { stroke-dasharray: 4 3 }
.title { font-weight: 600 }
.small { font-size: 11px }
.mono { font-family: ui-monospace, monospace; font-size: 11px }
.path { fill: none; stroke: #b00020; stroke-width: 2; marker-end: url(#tip) }
.tip { fill: #b00020 }
.number { fill: #ffffff; font-size: 10px; text-anchor: middle }
.badge { fill: #b00020 }
@media (prefers-color-scheme: dark) {
  svg { background: #16181c; fill: #e8e8e6 }
  .node { fill: #202328; stroke: #6d7178 }
  .box { fill: #2a2e35; stroke: #585d66 }
  .path { stroke: #ff6b81 }
  .tip, .badge { fill: #ff6b81 }
  .number { fill: #16181c }
}
`;

/**
 * Draws the nodes with the tables that they hold. Same input, same bytes.
 * Cost: that of the layout; the text grows with sandboxes, addresses and steps.
 */
export function renderDrawing(input: DrawingInput): string {
  const layout = layoutDrawing(input);
  const { width, height } = layout;
  const title = input.request?.title ?? 'The network of the cluster';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="t d" ` +
      `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<title id="t">${escaped(title)}</title>`,
    `<desc id="d">${escaped(describe(layout))}</desc>`,
    `<style>${STYLE}</style>`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" ' +
      'orient="auto"><path class="tip" d="M0 0 L8 4 L0 8 z"/></marker></defs>',
    ...legend(layout, title),
    ...(layout.outside === undefined ? [] : boxElements(layout.outside, layout)),
    ...layout.nodes.flatMap((node) => nodeElements(node, layout)),
    ...vipRows(layout),
    ...pathElements(layout.path),
    ...stepRows(layout),
    '</svg>',
    '',
  ].join('\n');
}

function describe({ nodes, networks, vips, path }: DrawingLayout): string {
  const parts = [
    `${nodes.length} nodes: ${nodes.map(({ name }) => name).join(', ')}.`,
    `${networks.length} networks: ${networks.map(({ name }) => name).join(', ')}.`,
    `${vips.length} virtual addresses.`,
  ];
  if (path.length > 0) parts.push(`The request: ${path.map(({ title }) => title).join(', ')}.`);
  return parts.join(' ');
}

function legend(layout: DrawingLayout, title: string): readonly string[] {
  const { margin, row } = SIZES;
  const rows = layout.networks.flatMap(({ id, name, text }, at) => {
    const y = margin + 40 + at * row;
    return [
      swatch(margin, y, colorOf(layout, id)),
      textAt(margin + 16, y, `${name}  ${text}`, 'small'),
    ];
  });
  return [textAt(margin, margin + 12, title, 'title'), ...rows];
}

function nodeElements(node: DrawnNode, layout: DrawingLayout): readonly string[] {
  const { x, y, width, height, name, boxes } = node;
  return [
    `<rect class="node" x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>`,
    textAt(x + SIZES.nodePadding, y + 20, name, 'title'),
    ...boxes.flatMap((box) => boxElements(box, layout)),
  ];
}

function boxElements(box: DrawnBox, layout: DrawingLayout): readonly string[] {
  const { x, y, width, height, kind, title, lines } = box;
  return [
    `<rect class="box ${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="5"/>`,
    textAt(x + 8, y + 17, title, 'title'),
    ...lines.flatMap(({ network, text }, at) => {
      const lineY = y + SIZES.title + 12 + at * SIZES.line;
      const left = x + 8;
      return network === undefined
        ? [textAt(left + 14, lineY, text, 'mono')]
        : [swatch(left, lineY, colorOf(layout, network)), textAt(left + 14, lineY, text, 'mono')];
    }),
  ];
}

function vipRows(layout: DrawingLayout): readonly string[] {
  const { vips, vipsY } = layout;
  if (vips.length === 0) return [];
  const rows = vips.flatMap(({ network, services, address, ports, backends }, at) => {
    const y = vipsY + (at + 1) * SIZES.row;
    const many = backends === 1 ? '1 backend' : `${backends} backends`;
    return [
      swatch(SIZES.margin, y, colorOf(layout, network)),
      textAt(SIZES.margin + 16, y, `${services}  ${address}  ${ports}  ${many}`, 'mono'),
    ];
  });
  return [textAt(SIZES.margin, vipsY, 'virtual addresses', 'title'), ...rows];
}

function stepRows({ steps, stepsY }: DrawingLayout): readonly string[] {
  if (steps.length === 0) return [];
  return [
    textAt(SIZES.margin, stepsY, 'the request, step by step', 'title'),
    ...steps.map((step, at) =>
      textAt(SIZES.margin + 16, stepsY + (at + 1) * SIZES.row, `${at + 1}  ${step}`, 'mono'),
    ),
  ];
}

/** Arrows between the boxes of a path, from edge to edge, numbered. */
function pathElements(path: readonly DrawnBox[]): readonly string[] {
  return path.slice(1).flatMap((to, at) => {
    const from = path[at];
    if (from === undefined) return [];
    const [start, end] = edgesBetween(from, to, at);
    const middleX = (start.x + end.x) / 2;
    const middleY = (start.y + end.y) / 2;
    return [
      `<path class="path" d="M${start.x} ${start.y} L${end.x} ${end.y}"/>`,
      `<circle class="badge" cx="${middleX}" cy="${middleY}" r="8"/>`,
      `<text class="number" x="${middleX}" y="${middleY + 3.5}">${at + 1}</text>`,
    ];
  });
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Within a column along the right side, between columns from side to side. */
function edgesBetween(from: DrawnBox, to: DrawnBox, step: number): readonly [Point, Point] {
  const middle = (box: DrawnBox): number => box.y + box.height / 2;
  if (from.x === to.x) {
    const x = from.x + from.width - 12 - (step % 4) * 16;
    return from.y < to.y
      ? [
          { x, y: from.y + from.height },
          { x, y: to.y },
        ]
      : [
          { x, y: from.y },
          { x, y: to.y + to.height },
        ];
  }
  const isRight = to.x > from.x;
  return [
    { x: isRight ? from.x + from.width : from.x, y: middle(from) },
    { x: isRight ? to.x : to.x + to.width, y: middle(to) },
  ];
}

function colorOf({ networks }: DrawingLayout, id: string): string {
  const at = networks.findIndex((network) => network.id === id);
  return COLORS[Math.max(at, 0) % COLORS.length] ?? '';
}

function swatch(x: number, y: number, color: string): string {
  return `<rect x="${x}" y="${y - 9}" width="10" height="10" rx="2" fill="${color}"/>`;
}

function textAt(x: number, y: number, text: string, style: string): string {
  return `<text class="${style}" x="${x}" y="${y}">${escaped(text)}</text>`;
}

const ENTITIES: Readonly<Record<string, string>> = Object.freeze({
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
});

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
}
