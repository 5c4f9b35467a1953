/** Unit tests for scheduling policies: builders, `place`, matchers, laws, comparisons. */
export { cluster, node } from './policy/build/node.js';
export { service, task, tasksOf } from './policy/build/service.js';
export { comparePolicies, Comparison } from './policy/compare/compare-policies.js';
export { explainTrace } from './policy/compare/explain-trace.js';
export { place } from './policy/place.js';
export { PlacementResult } from './policy/placement-result.js';
export { policyMatchers } from './policy/matchers/policy-matchers.js';
export { lawDrafts } from './policy/laws/arbitrary.js';
export { checkPolicyLaw, policyLaws } from './policy/laws/policy-laws.js';
export { parseTraceCsv, renderTraceCsv, TRACE_COLUMNS } from './policy/trace/csv-trace.js';
export { parseTraceJson, renderTraceJson } from './policy/trace/json-trace.js';
export type { MemoryAmount } from './policy/build/amount.js';
export type { BuiltCluster, ClusterOptions } from './policy/build/node.js';
export type {
  DemandOptions,
  GpuDemand,
  GpuOptions,
  NodeOptions,
  ServiceOptions,
  TaskOptions,
} from './policy/build/options.js';
export type { CompareOptions, CompareProgress } from './policy/compare/compare-policies.js';
export type { ComparisonData, PolicyRun } from './policy/compare/comparison-data.js';
export type { ArrivalExplanation, ExplainTraceOptions } from './policy/compare/explain-trace.js';
export type { PolicySeries } from './policy/compare/history.js';
export type { DraftOptions } from './policy/laws/arbitrary.js';
export type { LawDraft, Named } from './policy/laws/draft.js';
export type { LawInput, PolicyLawName } from './policy/laws/law.js';
export type { PolicyLawsOptions, PolicyLawsReport } from './policy/laws/policy-laws.js';
export type { MatcherResult } from './policy/matchers/matcher.js';
export type { PendingOptions } from './policy/matchers/pending.js';
export type { PreferOptions } from './policy/matchers/placed.js';
export type { PolicyMatchers } from './policy/matchers/policy-matchers.js';
export type { SpreadOptions } from './policy/matchers/spread.js';
export type { PlaceInput } from './policy/place.js';
export type { Decision, PlacedCluster } from './policy/placed-cluster.js';
export type { TaskSelection } from './policy/placement-result.js';
export type { TextFile } from './policy/trace/place-in-text.js';
export { openbColumns, OPENB_COLUMNS } from './policy/replay/openb-columns.js';
export type { OpenbColumns } from './policy/replay/openb-columns.js';
export { OPENB_POLICIES, openbPolicy } from './policy/replay/openb-policies.js';
export type { OpenbPolicyName } from './policy/replay/openb-policies.js';
export { INFLATION, openbTrace, shuffledOrder } from './policy/replay/openb-trace.js';
export { parseOpenbNodes, parseOpenbPods, parseOrders } from './policy/replay/openb.js';
export type { OpenbOrder, OpenbPod } from './policy/replay/openb.js';
export { replay } from './policy/replay/replay.js';
export type {
  ReplayOptions,
  ReplayPlacement,
  ReplayResult,
  ReplaySamples,
  ReplayTotals,
} from './policy/replay/replay.js';
export { arrivalsOf } from './policy/replay/trace.js';
export type { Trace, TraceEvent } from './policy/replay/trace.js';
