/**
 * Line charts as SVG text: axes with round numbers, a line for each series, nothing that moves.
 */

/** A line. */
export interface ChartLine {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** A chart. */
export interface Chart {
  /** Unique on the page. */
  readonly id: string;
  readonly title: string;
  /** A sentence for those who cannot see it. */
  readonly description: string;
  readonly xLabel: string;
  readonly unit: string;
  readonly lines: readonly ChartLine[];
}

const SIZE = { width: 640, height: 320, left: 56, right: 12, top: 12, bottom: 40 };
/** Lines of the classes `line0` to `line7`; more begin again. */
export const LINE_STYLES = 8;

/** The chart as an SVG element, styled by classes: `axis`, `grid`, `tick`, `line0` … `line7`. */
export function renderChart(chart: Chart): string {
  const { id, title, description, lines, unit, xLabel } = chart;
  const points = lines.flatMap((line) => line.points);
  const xTicks = ticksTo(Math.max(0, ...points.map(([x]) => x)));
  const yTicks = ticksTo(Math.max(0, ...points.map(([, y]) => y)));
  const x = scale(xTicks, SIZE.left, SIZE.width - SIZE.right);
  const y = scale(yTicks, SIZE.height - SIZE.bottom, SIZE.top);
  const paths = lines.map(
    (line, at) =>
      `<path class="line line${at % LINE_STYLES}" d="${pathOf(line, x, y)}">` +
      `<title>${escapeText(line.name)}</title></path>`,
  );
  return [
    `<svg viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" ` +
      `aria-labelledby="${id}-title ${id}-desc">`,
    `<title id="${id}-title">${escapeText(title)}</title>`,
    `<desc id="${id}-desc">${escapeText(description)}</desc>`,
    ...yTicks.map((tick) => yTick(tick, y(tick), unit)),
    ...xTicks.map((tick) => xTick(tick, x(tick))),
    `<text class="label" x="${(SIZE.left + SIZE.width) / 2}" y="${SIZE.height - 6}" ` +
      `text-anchor="middle">${escapeText(xLabel)}</text>`,
    ...paths,
    '</svg>',
  ].join('\n');
}

/** Round steps from 0 to at least the value: five to eight of them. */
export function ticksTo(most: number): readonly number[] {
  if (!(most > 0)) return [0, 1];
  const rough = most / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((factor) => factor * power >= rough * 0.7) ?? 10) * power;
  const count = Math.ceil(most / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, at) => Number((at * step).toPrecision(12)));
}

function scale(ticks: readonly number[], from: number, to: number): (value: number) => number {
  const last = ticks.at(-1) ?? 1;
  return (value) => Math.round((from + (value / last) * (to - from)) * 10) / 10;
}

function pathOf(
  { points }: ChartLine,
  x: (value: number) => number,
  y: (value: number) => number,
): string {
  return points.map(([px, py], at) => `${at === 0 ? 'M' : 'L'}${x(px)} ${y(py)}`).join('');
}

function yTick(value: number, at: number, unit: string): string {
  return (
    `<line class="grid" x1="${SIZE.left}" x2="${SIZE.width - SIZE.right}" y1="${at}" y2="${at}"/>` +
    `<text class="tick" x="${SIZE.left - 6}" y="${at + 4}" text-anchor="end">` +
    `${value.toLocaleString('en')}${unit}</text>`
  );
}

function xTick(value: number, at: number): string {
  const bottom = SIZE.height - SIZE.bottom;
  return (
    `<line class="axis" x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 4}"/>` +
    `<text class="tick" x="${at}" y="${bottom + 18}" text-anchor="middle">` +
    `${value.toLocaleString('en')}</text>`
  );
}

/** The text with everything replaced that means something in HTML. */
export function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
