/**
 * The reader that the other tests rely on refuses what is wrong.
 */
import { describe, expect, it } from '@jest/globals';
import { parseExposition, valueOf } from './__fixtures__/exposition.js';

const GOOD = `# HELP jobs_total Jobs.
# TYPE jobs_total counter
jobs_total{kind="a\\"b\\\\\\n",size="1"} 3
jobs_total{kind="b",size="1"} 1e3

# HELP wait_seconds Waits.
# TYPE wait_seconds histogram
wait_seconds_bucket{le="0.1"} 1
wait_seconds_bucket{le="+Inf"} 2
wait_seconds_sum 0.7
wait_seconds_count 2
`;

describe('the strict reader of expositions', () => {
  it('reads names, labels with escapes, and values', () => {
    const families = parseExposition(GOOD);
    expect([...families.keys()]).toEqual(['jobs_total', 'wait_seconds']);
    expect(valueOf(families, 'jobs_total', { size: '1', kind: 'a"b\\\n' })).toBe(3);
    expect(valueOf(families, 'jobs_total', { kind: 'b', size: '1' })).toBe(1000);
    expect(valueOf(families, 'wait_seconds_sum')).toBe(0.7);
    expect(() => valueOf(families, 'other')).toThrow(/no series/);
  });

  const bad: readonly (readonly [string, string, RegExp])[] = [
    ['no end', '# HELP a A.', /no end/],
    ['a sample without a family', 'a 1\n', /line 1: a sample outside/],
    ['a type without help', '# TYPE a counter\n', /without its help/],
    ['an unknown type', '# HELP a A.\n# TYPE a thing\n', /no type/],
    ['a family twice', '# HELP a A.\n# TYPE a gauge\n# HELP a A.\n', /a family twice/],
    ['a series twice', '# HELP a A.\n# TYPE a gauge\na 1\na 2\n', /a series twice/],
    ['a foreign sample', '# HELP a A.\n# TYPE a gauge\nb 1\n', /outside its family/],
    ['no number', '# HELP a A.\n# TYPE a gauge\na one\n', /no sample/],
    ['a label without quotes', '# HELP a A.\n# TYPE a gauge\na{x=1} 1\n', /no sample/],
    ['a label twice', '# HELP a A.\n# TYPE a gauge\na{x="1",x="1"} 1\n', /no sample/],
    ['a counter below 0', '# HELP a A.\n# TYPE a counter\na -1\n', /below 0/],
    [
      'falling buckets',
      GOOD.replace('le="+Inf"} 2', 'le="+Inf"} 0').replace('count 2', 'count 0'),
      /do not rise/,
    ],
    ['a wrong count', GOOD.replace('count 2', 'count 3'), /not the last bucket/],
    ['no last bucket', GOOD.replace('le="+Inf"', 'le="9"'), /no last bucket/],
    ['no sum', GOOD.replace('wait_seconds_sum 0.7\n', ''), /no sum/],
  ];

  it.each(bad)('refuses %s', (_what, text, expected) => {
    expect(() => parseExposition(text)).toThrow(expected);
  });
});
