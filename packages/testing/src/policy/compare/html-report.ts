/**
 * A comparison as one HTML file: plots, tables for those who would rather read or cannot see them,
 * and the data. It loads nothing, runs nothing, and follows the reader's choice of light or dark.
 */
import { escapeText, LINE_STYLES, renderChart, type Chart } from './chart.js';
import type { ComparisonData, PolicyRun } from './comparison-data.js';
import { figuresOf, summaryOf } from './comparison-table.js';
import { samplePoints, type PolicySeries } from './history.js';

/** Rows of the table below a plot. */
const ROWS_MAX = 12;

interface Plot {
  readonly key: Exclude<keyof PolicySeries, 'arrivals' | 'demand'>;
  readonly title: string;
  readonly meaning: string;
  readonly unit: string;
}

function plotsOf({ resource }: ComparisonData): readonly Plot[] {
  return [
    {
      key: 'allocation',
      title: 'Allocation',
      meaning: `What tasks hold of all ${resource} of the cluster. More is better.`,
      unit: '%',
    },
    {
      key: 'fragmentation',
      title: 'Fragmentation',
      meaning:
        `What is idle of all ${resource} and of no use to typical tasks of the trace, since they ` +
        'do not fit there. Less is better.',
      unit: '%',
    },
    {
      key: 'pending',
      title: 'Pending',
      meaning: 'Arrivals that found no place so far. Less is better.',
      unit: '',
    },
    {
      key: 'moves',
      title: 'Moves',
      meaning:
        'Tasks that would have to move if the fullest node were drained. Less is better when ' +
        'nodes come and go.',
      unit: '',
    },
  ];
}

/** The page. Deterministic: it has no date in it. */
export function renderComparisonHtml(data: ComparisonData): string {
  const title = `Policies on ${data.trace}`;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<title>${escapeText(title)}</title>`,
    `<style>\n${STYLE}</style>`,
    '</head>',
    '<body>',
    '<main>',
    `<h1>${escapeText(title)}</h1>`,
    `<p>${escapeText(summaryOf(data))}.</p>`,
    resultTable(data),
    legend(data),
    ...plotsOf(data).map((plot) => plotSection(data, plot)),
    '</main>',
    // Data, not a program: for those who want to draw something else.
    `<script type="application/json" id="data">${jsonIn(data)}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function jsonIn(data: ComparisonData): string {
  return JSON.stringify(data).replaceAll('<', '\\u003c');
}

function resultTable(data: ComparisonData): string {
  const figures = figuresOf(data);
  return table({
    caption: 'At the end of the trace',
    heads: ['policy', ...figures.map(({ head }) => head)],
    meanings: ['', ...figures.map(({ meaning }) => meaning)],
    rows: data.policies.map((run) => [run.policy, ...figures.map(({ text }) => text(run))]),
  });
}

function legend({ policies }: ComparisonData): string {
  const items = policies.map(
    ({ policy }, at) =>
      '<li><svg class="key" viewBox="0 0 36 10" aria-hidden="true">' +
      `<path class="line line${at % LINE_STYLES}" d="M1 5H35"/></svg> ${escapeText(policy)}</li>`,
  );
  return `<ul class="legend" aria-label="Lines of the plots">${items.join('')}</ul>`;
}

function plotSection(data: ComparisonData, plot: Plot): string {
  const { key, title, meaning, unit } = plot;
  const chart: Chart = {
    id: key,
    title,
    description: descriptionOf(data, plot),
    xLabel: `${data.resource} asked for by the arrivals, in per cent of the cluster`,
    unit,
    lines: data.policies.map(({ policy, series }) => ({
      name: policy,
      points: series[key].map((value, at) => [series.demand[at] ?? 0, value] as const),
    })),
  };
  return [
    `<section aria-labelledby="${key}-heading">`,
    `<h2 id="${key}-heading">${title}</h2>`,
    `<p>${escapeText(meaning)}</p>`,
    renderChart(chart),
    '<details>',
    `<summary>${title} as a table</summary>`,
    seriesTable(data, plot),
    '</details>',
    '</section>',
  ].join('\n');
}

function descriptionOf({ policies }: ComparisonData, { key, unit }: Plot): string {
  const ends = policies.map(({ policy, series }) => {
    return `${policy} ends at ${number(series[key].at(-1) ?? 0)}${unit}`;
  });
  return `A line for each policy over the arrivals. ${ends.join(', ')}.`;
}

function seriesTable(data: ComparisonData, { key, title, unit }: Plot): string {
  const [first] = data.policies;
  const points = samplePoints(first?.series.arrivals.length ?? 0, ROWS_MAX);
  const value = (run: PolicyRun | undefined, of: keyof PolicySeries, at: number): string =>
    number(run?.series[of][at] ?? 0);
  return table({
    caption: `${title}${unit === '' ? '' : ` in ${unit}`} over the arrivals`,
    heads: ['arrivals', 'asked for in %', ...data.policies.map(({ policy }) => policy)],
    rows: points.map((at) => [
      value(first, 'arrivals', at),
      value(first, 'demand', at),
      ...data.policies.map((run) => value(run, key, at)),
    ]),
  });
}

function number(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 2 });
}

function table(parts: {
  readonly caption: string;
  readonly heads: readonly string[];
  readonly meanings?: readonly string[];
  readonly rows: readonly (readonly string[])[];
}): string {
  const heads = parts.heads.map((head, at) => {
    const meaning = parts.meanings?.[at] ?? '';
    const hint = meaning === '' ? '' : ` title="${escapeText(meaning)}"`;
    return `<th scope="col"${hint}>${escapeText(head)}</th>`;
  });
  const rows = parts.rows.map(([name = '', ...cells]) => {
    const values = cells.map((cell) => `<td>${escapeText(cell)}</td>`);
    return `<tr><th scope="row">${escapeText(name)}</th>${values.join('')}</tr>`;
  });
  return [
    '<div class="scroll"><table>',
    `<caption>${escapeText(parts.caption)}</caption>`,
    `<thead><tr>${heads.join('')}</tr></thead>`,
    `<tbody>${rows.join('\n')}</tbody>`,
    '</table></div>',
  ].join('\n');
}

/**
 * Colours that people with any kind of colour vision can tell apart, on light and on dark; and
 * dashes, so that colour is not needed. **Source:** Okabe and Ito, Color Universal Design.
 */
const STYLE = `:root {
  --paper: #fff; --ink: #1b1f24; --faint: #d6dae0; --soft: #57606a;
  --c0: #0072b2; --c1: #d55e00; --c2: #007a5a; --c3: #b0408a;
  --c4: #8a6a00; --c5: #1a7fb8; --c6: #444c56; --c7: #a11212;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --ink: #e6e8eb; --faint: #333a43; --soft: #9aa4af;
    --c0: #56b4e9; --c1: #ff9e4a; --c2: #2fc79a; --c3: #e39ac8;
    --c4: #f0e442; --c5: #7fc4ff; --c6: #c3c9d1; --c7: #ff7b72;
  }
}
body {
  margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
}
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
svg { width: 100%; height: auto; }
svg.key { width: 36px; height: 10px; }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding: 0.25rem 0; }
th, td { padding: 0.2rem 0.75rem; border-bottom: 1px solid var(--faint); text-align: right; }
th:first-child { text-align: left; }
.grid { stroke: var(--faint); } .axis { stroke: var(--soft); }
.tick, .label { fill: var(--soft); font-size: 12px; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.line0 { stroke: var(--c0); } .line1 { stroke: var(--c1); stroke-dasharray: 8 3; }
.line2 { stroke: var(--c2); stroke-dasharray: 2 3; }
.line3 { stroke: var(--c3); stroke-dasharray: 10 3 2 3; }
.line4 { stroke: var(--c4); stroke-dasharray: 14 4; }
.line5 { stroke: var(--c5); stroke-dasharray: 5 5; }
.line6 { stroke: var(--c6); stroke-dasharray: 1 4; }
.line7 { stroke: var(--c7); stroke-dasharray: 12 3 2 3 2 3; }
`;
