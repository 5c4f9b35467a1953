/** Rows of a table, whatever the order in which they come, are asked for and go. */
import { describe, expect, it } from '@jest/globals';
import { Config, newObject } from '@skep/api';
import fc from 'fast-check';
import { Table, type Row } from './table.js';

describe('Table', () => {
  it('finds the rows that are there, in any order of insertions, questions and removals', () => {
    const step = fc.record({
      act: fc.constantFrom('insert', 'insert', 'row', 'row', 'next', 'remove'),
      id: fc.integer({ min: 0, max: 6 }).map((number) => `c${number}`),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = new Table(Config);
        const model = new Map<string, Row>();
        const look = (id: string): void => expect(table.row(id)).toBe(model.get(id));
        for (const { act, id } of steps) {
          const known = model.get(id);
          if (act === 'insert' && known === undefined) {
            const object = newObject(Config, { id, name: id, spec: { data: '' } });
            table.insert(object, table.keysOf(object));
            model.set(id, [...table.rows()].find((row) => row.id === id) as Row);
          } else if (act === 'row') {
            look(id);
          } else if (act === 'next') {
            // As a burst is asked for: all of them in the order in which they came.
            for (const next of model.keys()) look(next);
          } else if (act === 'remove' && known !== undefined) {
            table.remove(known);
            model.delete(id);
          }
        }
        for (const id of ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6']) look(id);
        expect([...table.rows()]).toEqual([...model.values()]);
      }),
    );
  });
});
