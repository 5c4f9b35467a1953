/** Services and their tasks, whatever the order in which they come and go. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NodeRecord } from './node-info.js';
import { ServiceTable } from './service-table.js';
import { faultyService } from './__fixtures__/builders.js';

const IDS = ['s0', 's1', 's2'];

describe('ServiceTable', () => {
  it('knows services and counts apart from each other, in any order of events', () => {
    const nodes = [new NodeRecord('n1'), new NodeRecord('n2')] as const;
    const step = fc.record({
      node: fc.constantFrom(...nodes),
      act: fc.constantFrom('upsert', 'remove', 'add', 'add', 'end', 'ask'),
      id: fc.constantFrom(...IDS),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const table = new ServiceTable();
        const services = new Set<string>();
        const tasks = new Map<string, number>();
        const countOf = (id: string, node: NodeRecord): number =>
          tasks.get(`${id} ${node.id}`) ?? 0;
        for (const { act, id, node } of steps) {
          const count = countOf(id, node);
          if (act === 'upsert') {
            table.upsert(faultyService(id, []));
            services.add(id);
          } else if (act === 'remove') {
            table.remove(id);
            services.delete(id);
          } else if (act === 'add') {
            table.step(id, node, 1);
            tasks.set(`${id} ${node.id}`, count + 1);
          } else if (act === 'end' && count > 0) {
            table.step(id, node, -1);
            tasks.set(`${id} ${node.id}`, count - 1);
          } else if (act === 'ask') {
            expect(table.countsOf(id).on(node)).toBe(count);
          }
        }
        for (const id of IDS) {
          expect(table.get(id)?.meta.id).toBe(services.has(id) ? id : undefined);
          for (const node of nodes) {
            expect(table.countsOf(id).on(node)).toBe(countOf(id, node));
          }
          expect(table.idOf(id)).toBe(id);
        }
        expect(Array.from(table.values(), ({ meta }) => meta.id).sort()).toEqual(
          [...services].sort(),
        );
      }),
    );
  });
});
