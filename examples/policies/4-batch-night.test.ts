import { describe, it } from '@jest/globals';
import { swarmPolicy } from '@skep/scheduler';
import { comparePolicies, parseTraceCsv, policyLaws } from '@skep/testing';
import { expect } from '@skep/testing/jest';
import { NIGHT, packing } from './4-batch-night.js';

describe('a night of batch work', () => {
  const trace = parseTraceCsv({ path: 'night.csv', text: NIGHT }, 'night');
  const comparison = comparePolicies(trace, [swarmPolicy(), packing]);
  const [spread, packed] = comparison.data.policies;

  it('has room for large jobs when small ones are packed', () => {
    expect(spread).toMatchObject({ placed: 12, pending: 3 });
    expect(packed).toMatchObject({ placed: 14, pending: 1 });
  });

  it('has its price: more tasks move when the fullest node is drained', () => {
    expect(packed?.moves).toBeGreaterThan(spread?.moves ?? 0);
  });

  it('is a table for people and a page with plots for their superiors', () => {
    expect(comparison.toTable()).toContain('night: 4 nodes, 15 arrivals and 2 departures');
    expect(comparison.toHtml()).toContain('<h2 id="fragmentation-heading">Fragmentation</h2>');
  });

  it('keeps all laws', () => {
    policyLaws(packing, { runs: 30 });
  });
});
