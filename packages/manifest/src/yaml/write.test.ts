import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { writeYaml } from './write.js';

describe('writeYaml', () => {
  it('writes blocks, in the order of the fields', () => {
    expect(writeYaml({ kind: 'Service', args: ['a', 'b'], spec: { replicas: 2 } })).toBe(
      'kind: Service\nargs:\n  - a\n  - b\nspec:\n  replicas: 2\n',
    );
  });

  it('quotes what would be read as something else, and leaves out what is undefined', () => {
    expect(writeYaml({ a: 'yes', b: '0x10', c: undefined, d: 'true' })).toBe(
      'a: "yes"\nb: "0x10"\nd: "true"\n',
    );
  });

  it('repeats what is shared instead of naming it', () => {
    const shared = { x: 1 };
    expect(writeYaml({ a: shared, b: shared })).toBe('a:\n  x: 1\nb:\n  x: 1\n');
  });

  it('is read again as it was', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value));
        expect(parse(writeYaml(plain))).toEqual(plain);
      }),
      { numRuns: 50 },
    );
  });
});
