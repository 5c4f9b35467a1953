/**
 * A strict reader of the Prometheus text format, for tests: what it takes, every server takes.
 *
 * **Source:** the description of the text exposition format, version 0.0.4, in the Prometheus
 * documentation.
 */

/** One line with a value. */
export interface ExposedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with all its lines. */
export interface ExposedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ExposedSample[];
}

const HELP = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) ((?:[^\\\n]|\\\\|\\n)*)$/;
const TYPE = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$)/;
const NUMBER = /^(?:[+-]?Inf|NaN|[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/i;
const ESCAPES: Readonly<Record<string, string>> = { '\\n': '\n', '\\"': '"', '\\\\': '\\' };

/**
 * Reads a whole exposition.
 * @throws Error with the number of the line, for the first thing that is not as the format says: a
 * line that is none, a sample before its HELP and TYPE or outside its family, a family or a series
 * twice, buckets that do not rise or do not end with +Inf, a counter below 0, no final newline.
 */
export function parseExposition(text: string): ReadonlyMap<string, ExposedFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, ExposedFamily & { samples: ExposedSample[] }>();
  const seen = new Set<string>();
  let help: { name: string; text: string } | undefined;
  let current: (ExposedFamily & { samples: ExposedSample[] }) | undefined;
  for (const [at, line] of text.slice(0, -1).split('\n').entries()) {
    const fail = (why: string): never => {
      throw new Error(`line ${at + 1}: ${why}: ${line}`);
    };
    if (line === '') continue;
    if (line.startsWith('# HELP')) {
      const [, name = fail('no help'), said = ''] = HELP.exec(line) ?? [];
      if (families.has(name)) fail('a family twice');
      help = { name, text: unescape(said) };
      current = undefined;
    } else if (line.startsWith('# TYPE')) {
      const [, name = fail('no type'), type = ''] = TYPE.exec(line) ?? [];
      if (help?.name !== name) return fail('a type without its help');
      current = { name, type, help: help.text, samples: [] };
      families.set(name, current);
    } else {
      const sample = parseSample(line) ?? fail('no sample');
      if (current === undefined || !belongs(sample.name, current)) {
        return fail('a sample outside its family');
      }
      const series = seriesOf(sample);
      if (seen.has(series)) fail('a series twice');
      seen.add(series);
      current.samples.push(sample);
    }
  }
  for (const family of families.values()) checkFamily(family);
  return families;
}

/** The value of one series. @throws Error when it is not there. */
export function valueOf(
  families: ReadonlyMap<string, ExposedFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const wanted = seriesOf({ name, labels, value: 0 });
  for (const { samples } of families.values()) {
    const found = samples.find((sample) => seriesOf(sample) === wanted);
    if (found !== undefined) return found.value;
  }
  throw new Error(`no series ${wanted}`);
}

function parseSample(line: string): ExposedSample | undefined {
  const [, name, inner = '', value] = SAMPLE.exec(line) ?? [];
  if (name === undefined || value === undefined || !NUMBER.test(value)) return undefined;
  const labels: Record<string, string> = {};
  let rest = inner;
  while (rest !== '') {
    const [whole, label, said = '', end] = LABEL.exec(rest) ?? [];
    if (whole === undefined || label === undefined || label in labels) return undefined;
    if (end === '' && whole.length < rest.length) return undefined;
    labels[label] = unescape(said);
    rest = rest.slice(whole.length);
  }
  return { name, labels, value: numberOf(value) };
}

function numberOf(text: string): number {
  if (/inf$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  return Number(text);
}

function unescape(text: string): string {
  return text.replaceAll(/\\[n"\\]/g, (escaped) => ESCAPES[escaped] ?? escaped);
}

function belongs(sample: string, { name, type }: ExposedFamily): boolean {
  if (type !== 'histogram') return sample === name;
  return [`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(sample);
}

function seriesOf({ name, labels }: ExposedSample): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${name}${JSON.stringify(sorted)}`;
}

function checkFamily({ name, type, samples }: ExposedFamily): void {
  if (type === 'counter' && samples.some(({ value }) => !(value >= 0))) {
    throw new Error(`${name}: a counter below 0`);
  }
  if (type !== 'histogram') return;
  const groups = new Map<string, ExposedSample[]>();
  for (const sample of samples) {
    const labels = Object.fromEntries(
      Object.entries(sample.labels).filter(([label]) => label !== 'le'),
    );
    const key = seriesOf({ name, labels, value: 0 });
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [sample]);
    else group.push(sample);
  }
  for (const group of groups.values()) checkHistogram(name, group);
}

function checkHistogram(name: string, group: readonly ExposedSample[]): void {
  const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
  const counts = group.filter((sample) => sample.name === `${name}_count`);
  const sums = group.filter((sample) => sample.name === `${name}_sum`);
  if (counts.length !== 1 || sums.length !== 1) throw new Error(`${name}: no count or no sum`);
  let before: ExposedSample | undefined;
  for (const bucket of buckets) {
    const isRising =
      before === undefined ||
      (numberOf(before.labels['le'] ?? '') < numberOf(bucket.labels['le'] ?? '') &&
        before.value <= bucket.value);
    if (!isRising) throw new Error(`${name}: buckets do not rise`);
    before = bucket;
  }
  if (before?.labels['le'] !== '+Inf') throw new Error(`${name}: no last bucket`);
  if (before.value !== counts[0]?.value) throw new Error(`${name}: the count is not the last bucket`);
}
