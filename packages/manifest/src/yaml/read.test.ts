import { describe, expect, it } from '@jest/globals';
import { readYaml } from './read.js';

describe('readYaml', () => {
  it.each([
    ['YAML', 'a: 1\nb: [x, y]\n'],
    ['JSON', '{ "a": 1, "b": ["x", "y"] }'],
  ])('reads %s as plain data', (_form, text) => {
    const { value, complaints } = readYaml({ path: 'f', text });
    expect({ value, complaints }).toEqual({ value: { a: 1, b: ['x', 'y'] }, complaints: [] });
  });

  it('knows where a field was written, or the nearest part above it', () => {
    const { locate } = readYaml({ path: 'f.yml', text: 'a: 1\nb:\n  c: 2\n' });
    expect(locate(['b', 'c'])).toMatchObject({ path: 'f.yml', line: 3, column: 6 });
    expect(locate(['b', 'd'])).toMatchObject({ line: 3, column: 3 });
  });

  it.each([
    ['a: [', 1],
    ['', 1],
  ])('complains about %j, and gives no value', (text, line) => {
    const read = readYaml({ path: 'f.yml', text });
    expect(read).not.toHaveProperty('value');
    expect(read.complaints).toEqual([
      expect.objectContaining({ severity: 'error', path: 'f.yml', line }),
    ]);
    expect(read.locate(['a'])).toMatchObject({ path: 'f.yml', line: 1 });
  });
});
