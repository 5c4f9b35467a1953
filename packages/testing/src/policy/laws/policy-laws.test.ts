import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { messageOf } from '@skep/api';
import { swarmPolicy, type Policy } from '@skep/scheduler';
import { node } from '../build/node.js';
import { service } from '../build/service.js';
import { place } from '../place.js';
import { BROKEN_POLICIES } from './__fixtures__/broken-policies.js';
import { lawDrafts } from './arbitrary.js';
import { buildDraft, draftCode } from './draft.js';
import type { PolicyLawName } from './law.js';
import { checkPolicyLaw, policyLaws, POLICY_LAWS } from './policy-laws.js';

/** More runs by `LAW_RUNS=2000`; another seed by `LAW_SEED`. */
const RUNS = Number(process.env['LAW_RUNS'] ?? 40);
const SEED = Number(process.env['LAW_SEED'] ?? 7);

function failureOf(act: () => unknown): string {
  try {
    act();
  } catch (thrown) {
    return messageOf(thrown);
  }
  return '';
}

/** The call in a failure, evaluated: what it says is wrong. */
function replayed(text: string, policy: Policy): string {
  const code = /^checkPolicyLaw\([\s\S]*?^\}\);$/m.exec(text)?.[0] ?? '';
  const run = new Function('checkPolicyLaw', 'node', 'service', 'policy', code) as (
    ...args: readonly unknown[]
  ) => void;
  return failureOf(() => run(checkPolicyLaw, node, service, policy));
}

/** The line that says what is wrong. */
function faultIn(text: string): string {
  return /^ {2}(?=\S)(.*)$/m.exec(text)?.[1] ?? '';
}

describe('policyLaws', () => {
  it("holds for Swarm's policy", () => {
    const report = policyLaws(swarmPolicy(), { runs: RUNS, seed: SEED });
    expect(report.laws).toEqual(POLICY_LAWS.map(({ name }) => name));
    expect(report).toMatchObject({ runs: RUNS * POLICY_LAWS.length, seed: SEED });
  });

  it.each(Object.keys(BROKEN_POLICIES) as PolicyLawName[])(
    'finds a policy that breaks %s, and prints code that shows it again',
    (law) => {
      const text = failureOf(() =>
        policyLaws(BROKEN_POLICIES[law](), { only: [law], runs: 300, seed: 1 }),
      );
      expect(text).toContain(`law '${law}'`);
      expect(text).toContain('seed: 1');
      const again = replayed(text, BROKEN_POLICIES[law]());
      expect(again).toContain(`breaks the law '${law}'`);
      expect(faultIn(again)).toBe(faultIn(text));
      // A least cluster is a small one.
      expect(text.match(/ node\('n/g)?.length ?? 0).toBeLessThanOrEqual(3);
    },
  );

  it('finds a filter that says that it ignores the use of nodes, and does not', () => {
    const forgetful: Policy = {
      ...swarmPolicy(),
      name: 'forgetful',
      filters: [
        ...swarmPolicy().filters,
        {
          name: 'alone',
          describe: (nodes) => `tasks on ${nodes} nodes`,
          prepare: () => ({
            key: 'alone',
            ignoresUse: true,
            check: ({ activeTasks }) =>
              activeTasks === 0
                ? undefined
                : [{ what: 'tasks', needed: 0, available: activeTasks }],
          }),
        },
      ],
    };
    const text = failureOf(() => policyLaws(forgetful, { only: ['cache'], runs: 300, seed: 1 }));
    expect(text).toContain("law 'cache'");
  });

  it('leaves nothing in the code that does not matter', () => {
    const { capacity } = BROKEN_POLICIES;
    const options = { only: ['capacity'], runs: 300 } as const;
    for (const seed of [1, 2, 3, 4, 5]) {
      const text = failureOf(() => policyLaws(capacity(), { ...options, seed }));
      const lines = /^checkPolicyLaw[\s\S]*?^\}\);$/m.exec(text)?.[0].split('\n') ?? [];
      // One node, one service, and at most one option of either beside the amount.
      expect(lines).toHaveLength(8);
      expect(text.match(/\w+: ['\d]/g)?.length ?? 0).toBeLessThanOrEqual(4);
    }
  });

  it('tells a policy that throws', () => {
    const angry: Policy = {
      ...swarmPolicy(),
      name: 'angry',
      spread: () => {
        throw new Error('no');
      },
    };
    const text = failureOf(() => policyLaws(angry, { only: ['capacity'], seed: 1 }));
    expect(text).toContain('it threw: no');
  });

  it('leaves out what is excepted, and refuses a law that does not exist', () => {
    const { capacity } = BROKEN_POLICIES;
    const report = policyLaws(capacity(), { except: ['capacity', 'again'], runs: 3, seed: 1 });
    expect(report.laws).not.toContain('capacity');
    const wrong = ['gravity'] as unknown as PolicyLawName[];
    expect(() => policyLaws(swarmPolicy(), { only: wrong })).toThrow(/no law 'gravity'.*capacity/);
  });

  it('tries a policy on nodes and services of its own kind', () => {
    const seen = new Set<number>();
    const policy: Policy = {
      ...swarmPolicy(),
      spread: ({ requirements }) => {
        seen.add(requirements.cpuNanos);
        return [];
      },
    };
    policyLaws(policy, {
      only: ['capacity'],
      runs: 20,
      seed: 1,
      node: fc.constant({ cpus: 2 }),
      service: fc.constant({ cpus: 2 }),
    });
    expect([...seen]).toEqual([2e9]);
  });
});

describe('random clusters', () => {
  it('are printed as code that builds the same', () => {
    fc.assert(
      fc.property(lawDrafts(), (draft) => {
        const code = draftCode('more-nodes', draft);
        let got: unknown;
        const run = new Function('checkPolicyLaw', 'node', 'service', 'policy', code) as (
          ...args: readonly unknown[]
        ) => void;
        run((_law: string, _policy: Policy, input: unknown) => (got = input), node, service, 0);
        const wanted = buildDraft(draft);
        const { services = [], running = {} } = got as typeof wanted;
        expect({ ...(got as object), services, running }).toEqual(wanted);
      }),
      { numRuns: 50, seed: SEED },
    );
  });

  it('have tight ones, busy ones, and ones where all fits', () => {
    const results = fc
      .sample(lawDrafts(), { numRuns: 200, seed: SEED })
      .map((draft) => place(swarmPolicy(), buildDraft(draft)));
    expect(results.filter(({ pending }) => pending.length > 0).length).toBeGreaterThan(30);
    expect(results.filter(({ placements }) => placements.length > 3).length).toBeGreaterThan(30);
    expect(results.filter(({ cluster }) => cluster.running.length > 0).length).toBeGreaterThan(20);
  });
});
