/** The map of texts against the engine's own. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TextMap } from './text-map.js';

/** What a map says about itself and about each of these keys. */
function picture(map: TextMap<number> | Map<string, number>, keys: readonly string[]): unknown {
  return { size: map.size, values: [...map.values()], found: keys.map((key) => map.get(key)) };
}

describe('TextMap', () => {
  it('answers as a map does, whatever is put in and taken out, in the same order', () => {
    const key = fc.oneof(
      fc.integer({ max: 60, min: 0 }).map((number) => `key-${number}`),
      fc.string({ unit: 'binary', maxLength: 3 }),
    );
    const step = fc.record({ key, value: fc.option(fc.nat(), { nil: undefined }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
        const [mine, its] = [new TextMap<number>(), new Map<string, number>()];
        const keys = steps.map((one) => one.key);
        for (const { key: at, value } of steps) {
          if (value === undefined) {
            expect(mine.delete(at)).toBe(its.delete(at));
          } else {
            mine.set(at, value);
            its.set(at, value);
          }
        }
        expect(picture(mine, keys)).toEqual(picture(its, keys));
      }),
    );
  });

  it('keeps many, and texts that share a hash', () => {
    // Both have the 32-bit FNV-1a hash 0x5e4daa9d.
    const twins = ['costarring', 'liquid'];
    const keys = [...Array.from({ length: 50_000 }, (_, at) => `id-${at}`), ...twins];
    const map = new TextMap<string>();
    for (const key of keys) map.set(key, key);
    expect(keys.filter((key) => map.get(key) !== key)).toEqual([]);
    expect(map.delete('liquid')).toBe(true);
    expect([map.get('costarring'), map.get('liquid')]).toEqual(['costarring', undefined]);
    expect(map.size).toBe(keys.length - 1);
  });

  it('serves as a queue for ever: what was taken out leaves', () => {
    const map = new TextMap<number>();
    let missed = 0;
    for (let at = 0; at < 100_000; at += 1) {
      map.set(`id-${at}`, at);
      if (at >= 10 && !map.delete(`id-${at - 10}`)) missed += 1;
    }
    expect(missed).toBe(0);
    expect([...map.values()]).toEqual(Array.from({ length: 10 }, (_, at) => 99_990 + at));
  });
});
