/** Services and their tasks, whatever the order in which they come and go. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NodeRecord } from './node-info.js';
import { ServiceTable } from './service-table.js';
import { faultyService } from './__fixtures__/builders.js';

const IDS = ['s0', 's1', 's2'];

describe('ServiceTable', () => {
  it('knows services and counts apart from each other, in any order of events', () => {
    const node = new NodeRecord('n1');
    const step = fc.record({
      act: fc.constantFrom('upsert', 'remove', 'add', 'add', 'end', 'ask'),
      id: fc.constantFrom(...IDS),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const table = new ServiceTable();
        const services = new Set<string>();
        const tasks = new Map<string, number>();
        for (const { act, id } of steps) {
          const count = tasks.get(id) ?? 0;
          if (act === 'upsert') {
            table.upsert(faultyService(id, []));
            services.add(id);
          } else if (act === 'remove') {
            table.remove(id);
            services.delete(id);
          } else if (act === 'add') {
            table.step(id, node, 1);
            tasks.set(id, count + 1);
          } else if (act === 'end' && count > 0) {
            table.step(id, node, -1);
            tasks.set(id, count - 1);
          } else if (act === 'ask') {
            expect(table.countsOf(id).on(node)).toBe(count);
          }
        }
        for (const id of IDS) {
          expect(table.get(id)?.meta.id).toBe(services.has(id) ? id : undefined);
          expect(table.countsOf(id).on(node)).toBe(tasks.get(id) ?? 0);
          expect(table.idOf(id)).toBe(id);
        }
        expect(Array.from(table.values(), ({ meta }) => meta.id).sort()).toEqual(
          [...services].sort(),
        );
      }),
    );
  });
});
