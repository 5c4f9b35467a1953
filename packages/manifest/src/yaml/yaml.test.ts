import { describe, expect, it } from '@jest/globals';
import { ComplaintCollector, formatComplaint } from '../complaint.js';
import { readDocuments } from './documents.js';
import { resolvePlain, scalarText } from './scalar.js';
import { READ_LIMITS, type ReadLimits } from './source.js';
import { plainValue } from './tree.js';

function read(text: string | Uint8Array, limits: Partial<ReadLimits> = {}, first = false) {
  const complaints = new ComplaintCollector();
  const file = { path: 'f.yml', text };
  const documents = readDocuments(file, { ...READ_LIMITS, ...limits }, complaints, { first });
  return {
    values: documents.map((document) => plainValue(document.root)),
    complaints: complaints.list(),
    texts: complaints.list().map(formatComplaint),
    documents,
  };
}

describe('scalars', () => {
  it.each([
    ['true', true],
    ['FALSE', false],
    ['yes', 'yes'],
    ['on', 'on'],
    ['~', null],
    ['', null],
    ['NULL', null],
    ['0444', 292],
    ['0o17', 15],
    ['0x1F', 31],
    ['0b101', 5],
    ['-0x10', -16],
    ['1_000', 1000],
    ['+5', 5],
    ['08', 8],
    ['3.10', 3.1],
    ['1e3', 1000],
    ['.5', 0.5],
    ['5.', 5],
    ['.', '.'],
    ['1.2.3', '1.2.3'],
    ['12:30', '12:30'],
    ['-', '-'],
    ['0x', '0x'],
    ['1e999', '1e999'],
    ['9007199254740993', 9007199254740993n],
    ['18446744073709551615', 18446744073709551615n],
  ])('%j is %p', (text, value) => {
    expect(resolvePlain(text).value).toBe(value);
  });

  it('reads special numbers', () => {
    expect(resolvePlain('.nan').value).toBeNaN();
    expect(resolvePlain('-.Inf').value).toBe(-Infinity);
    expect(resolvePlain('18446744073709551616').value).toBe(18446744073709552000);
  });

  it.each([
    ['2020-01-02', '2020-01-02 00:00:00 +0000 UTC'],
    ['2020-1-2', '2020-01-02 00:00:00 +0000 UTC'],
    ['2020-01-02 3:04:05.600', '2020-01-02 03:04:05.6 +0000 UTC'],
    ['2020-01-02T03:04:05Z', '2020-01-02 03:04:05 +0000 UTC'],
    ['2020-01-02T03:04:05+02:00', '2020-01-02 03:04:05 +0200 +0200'],
  ])('takes %s for a time', (text, value) => {
    expect(resolvePlain(text)).toEqual({ value, isTime: true });
  });

  it.each(['2020-13-01', '2020-02-30', '2020-01-02T25:00:00Z', '2020-01'])(
    'takes %s for a text',
    (text) => {
      expect(resolvePlain(text)).toEqual({ value: text });
    },
  );

  it.each([
    [2.5, '2.5'],
    [1e21, '1e+21'],
    [0.00001, '1e-05'],
    [Number.NaN, 'NaN'],
    [-Infinity, '-Inf'],
    [true, 'true'],
    [null, ''],
    [12345678901234567890n, '12345678901234567890'],
  ])('prints %p as Go does', (value, text) => {
    expect(scalarText(value)).toBe(text);
  });
});

describe('documents', () => {
  it('expands anchors and merge keys; what is written wins', () => {
    const { values, complaints } = read(
      [
        'base: &base {a: 1, b: 2}',
        'other: &other {b: 3, c: 4}',
        'one: {b: 9, <<: *base}',
        'two: {<<: [*base, *other]}',
        'three: *base',
      ].join('\n'),
    );
    expect(complaints).toEqual([]);
    expect(values).toEqual([
      {
        base: { a: 1, b: 2 },
        other: { b: 3, c: 4 },
        one: { b: 9, a: 1 },
        two: { a: 1, b: 2, c: 4 },
        three: { a: 1, b: 2 },
      },
    ]);
  });

  it('obeys tags and quotes', () => {
    const text =
      'a: !!str 1\nb: "1"\nc: !!int "7"\nd: !mine x\ne: "<<"\nf: !!binary aGk=\ng: !!float 3';
    expect(read(text).values).toEqual([{ a: '1', b: '1', c: 7, d: 'x', e: '<<', f: 'hi', g: 3 }]);
  });

  it('keeps a key named __proto__ harmless', () => {
    const [value] = read('__proto__: {x: 1}').values;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value as object)).toEqual(['__proto__']);
  });

  it.each<[string, string | Uint8Array, string]>([
    ['a tab', 'a:\n\tb: 1', 'f.yml:2:1: error: a tab cannot indent YAML'],
    ['a duplicate key', 'a: 1\nb: 2\na: 3', "f.yml:3:1: error: a: the key 'a' was given in line 1"],
    ['two merge keys', 'x: &x {}\ny:\n  <<: *x\n  <<: *x', '[duplicate-key]'],
    ['an unknown anchor', 'a: *b', 'f.yml:1:4: error: a: the alias *b has no anchor'],
    ['an alias of itself', 'a: &a [*a]', '[unknown-anchor]'],
    ['a number as key', 'a:\n  1: x', 'f.yml:2:3: error: a: the key 1 is not a text'],
    ['a mapping as key', '{a: 1}: x', '[non-string-key]'],
    ['a merge of a text', 'a:\n  <<: x', '[invalid-merge]'],
    ['an unclosed quote', 'a: "x', '[yaml-syntax]'],
    ['a wrong tag', 'a: !!int x', "'x' is not a value of the type !!int"],
    ['an empty file', '', 'f.yml:1:1: error: the file holds no value [empty-file]'],
    ['only comments', '# nothing\n', '[empty-file]'],
    ['only separators', '---\n# nothing\n---\n', '[empty-file]'],
    ['a control character', 'a: \u0001', 'f.yml:1:4: error: the character U+0001'],
    [
      'bytes that are not UTF-8',
      new Uint8Array([97, 58, 32, 0xff]),
      'f.yml:1:4: error: the text is not',
    ],
    ['text with a replacement', 'a: \ufffd', '[not-utf8]'],
  ])('complains about %s', (_, text, expected) => {
    expect(read(text).texts.join('\n')).toContain(expected);
  });

  it('reads UTF-8 and UTF-16 with a mark', () => {
    expect(read(new Uint8Array([0xef, 0xbb, 0xbf, 97, 58, 32, 49])).values).toEqual([{ a: 1 }]);
    expect(read(new Uint8Array([0xff, 0xfe, 97, 0, 58, 0, 32, 0, 49, 0])).values).toEqual([
      { a: 1 },
    ]);
    expect(read('\ufeffa: 1').values).toEqual([{ a: 1 }]);
  });

  it('reads several documents, or warns that only the first counts', () => {
    const text = 'a: 1\n---\nb: 2\n---\nc: [';
    expect(read('a: 1\n---\nb: 2\n').values).toEqual([{ a: 1 }, { b: 2 }]);
    const { values, texts } = read(text, {}, true);
    expect(values).toEqual([{ a: 1 }]);
    expect(texts).toEqual([
      'f.yml:2:1: warning: only the first of 3 documents is read (one stack, one document) [extra-documents]',
    ]);
  });

  it.each([
    ['a:\n  b: ["x",\n  "y"]\n  c: 1', { a: { b: ['x', 'y'], c: 1 } }],
    ['a:\n  b: [\n"x" # one ]\n]\n  c: 1', { a: { b: ['x'], c: 1 } }],
    ['a:\n  - {b: 1,\nc: "}"}\n  - d', { a: [{ b: 1, c: '}' }, 'd'] }],
    ['a:\n  b: "x\ny"\n  c: 1', { a: { b: 'x y', c: 1 } }],
    ["a:\n  b: 'it''s\n\n  y'\n  c: 1", { a: { b: "it's\ny", c: 1 } }],
    ['a:\n  b: |\n    ["\n  c: &q !!str "x\n  y"\n  it\'s: [', undefined],
    ['a:\n  b: |\n    ["\n  c: &q "x\n  y"\n', { a: { b: '["\n', c: 'x y' } }],
  ])('lets lines inside brackets and quotations begin anywhere: %j', (text, value) => {
    expect(read(text).values).toEqual(value === undefined ? [] : [value]);
  });

  it('lets a comment follow a quotation at once', () => {
    expect(read('a: "b"#c\nd: 1').values).toEqual([{ a: 'b', d: 1 }]);
  });

  it('still knows the places in such a text', () => {
    const [document] = read('a:\n  b: ["x",\n  "y"]\n  c: 1').documents;
    expect(document?.locate(['a', 'b', 1])).toMatchObject({ line: 3, column: 3 });
    expect(document?.locate(['a', 'c'])).toMatchObject({ line: 4, column: 6 });
  });

  it('places values and keys', () => {
    const [document] = read('a:\n  b: [1, 22]\n').documents;
    expect(document?.locate(['a', 'b', 1])).toEqual({
      path: 'f.yml',
      line: 2,
      column: 10,
      field: 'a.b[1]',
    });
    expect(document?.locate(['a', 'x', 'y'])).toMatchObject({ line: 2, column: 3, field: 'a.x.y' });
    expect(document?.locateKey(['a', 'b'])).toMatchObject({ line: 2, column: 3 });
  });
});

describe('limits', () => {
  it('refuses a large file at once', () => {
    const started = performance.now();
    const { texts } = read('a: x\n'.repeat(2_000_000));
    expect(texts[0]).toContain('[file-too-large]');
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('refuses alias bombs', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 12; i += 1) {
      lines.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(', ')}]`);
    }
    expect(read(lines.join('\n')).texts.join()).toContain('[alias-bomb]');
  });

  it.each(['[', '{a: ', '- ', '? '])('refuses deep nesting of %j', (piece) => {
    expect(read(piece.repeat(5000)).complaints.length).toBeGreaterThan(0);
    expect(read(piece.repeat(200) + 'x').texts.join()).toMatch(/too-deep|yaml-syntax/);
  });

  it('refuses nesting by aliases', () => {
    const lines = ['a0: &a0 {x: 1}'];
    for (let i = 1; i < 150; i += 1) lines.push(`a${i}: &a${i} {x: *a${i - 1}}`);
    expect(read(lines.join('\n')).texts.join()).toContain('[too-deep]');
  });
});
