/**
 * `expect` of jest with the matchers for policies. Importing this module makes jest's own `expect`
 * know them, too, the global one and that of `@jest/globals`.
 */
import { expect as jestExpect } from '@jest/globals';
import { policyMatchers, type PolicyMatchers } from './policy/matchers/policy-matchers.js';
import type { TaskSelection } from './policy/placement-result.js';

jestExpect.extend(policyMatchers);

type JestExpect = typeof jestExpect;

/** What `expect(result)` can do, also where the types of jest itself cannot be extended. */
type PolicyExpectation = ReturnType<JestExpect> & PolicyMatchers & { readonly not: PolicyMatchers };

/** `expect` of jest that knows the matchers for policies. */
export const expect = jestExpect as ((actual: TaskSelection) => PolicyExpectation) & JestExpect;

export { policyMatchers } from './policy/matchers/policy-matchers.js';
export type { PolicyMatchers } from './policy/matchers/policy-matchers.js';

declare global {
  // The types of the global `expect`, as @types/jest declares them.
  namespace jest {
    // eslint-disable-next-line @typescript-eslint/no-unused-vars -- the parameters must be the same
    interface Matchers<R, T> extends PolicyMatchers<R> {}
  }
}

/** Types of the `expect` of `@jest/globals`. Where that package is not found, nothing is lost.
 * @ts-ignore */
declare module 'expect' {
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- the parameters must be the same
  interface Matchers<R, T> extends PolicyMatchers<R> {}
}
