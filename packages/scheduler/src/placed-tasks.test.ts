/** Tasks that count, whatever the order in which they are added, asked for and taken away. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NodeRecord } from './node-info.js';
import { countedTask, PlacedTasks, type CountedTask } from './placed-tasks.js';
import { claimOf, NO_RESERVATION } from './task-claim.js';
import { NO_REQUIREMENTS } from './requirements.js';
import { task } from './__fixtures__/builders.js';

const node = new NodeRecord('n1');

function counted(id: string): CountedTask {
  const claim = claimOf(NO_REQUIREMENTS, NO_RESERVATION);
  return countedTask(task({ id }), { node, claim, reservation: NO_RESERVATION, isActive: true });
}

describe('PlacedTasks', () => {
  it('answers as a map does, in any order of additions, questions and removals', () => {
    const step = fc.record({
      act: fc.constantFrom('add', 'get', 'get', 'delete', 'values'),
      id: fc.integer({ min: 0, max: 6 }).map((number) => `t${number}`),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const tasks = new PlacedTasks();
        const model = new Map<string, CountedTask>();
        for (const { act, id } of steps) {
          const known = model.get(id);
          if (act === 'add' && known === undefined) {
            const added = counted(id);
            tasks.add(added);
            model.set(id, added);
          } else if (act === 'get') {
            expect(tasks.get(id)).toBe(known);
          } else if (act === 'delete' && known !== undefined) {
            tasks.delete(known);
            model.delete(id);
          } else if (act === 'values') {
            expect(new Set(tasks.values())).toEqual(new Set(model.values()));
          }
        }
        expect(tasks.on(node).map(({ id }) => id)).toEqual([...model.keys()].sort());
      }),
    );
  });
});
