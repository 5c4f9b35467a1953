/**
 * The kernel's side of one node: what is there is looked at, compared with what the tables say, and
 * put right. The same for the first application, after a crash, and for a repair.
 */
import { SkepError } from '@skep/api';
import {
  type NamespaceReference,
  type RenderedNamespace,
  type RenderedStep,
  type TableContent,
} from '@skep/network';
import { listNamespaces } from '../namespace/netns-list.js';
import { segmentDrift, type Drift } from './drift.js';
import { freshLines, settingsOf, wholeTexts } from './node-texts.js';
import { LISTING_PAYS_MIN, familiesOf, knownConnections } from './known-connections.js';
import { NodeReader, type Look, type NodeReaderOptions } from './node-reader.js';
import { ipvsRepair, listingDifference, type RuleListing } from './rule-listing.js';
import type { Snapshot } from './snapshot.js';
import { stagesOf } from './step-stages.js';
import { commandsOf, failureOf } from './tool-text.js';
import { WantedRules, type RuleText } from './wanted-rules.js';

/** What a node's kernel is reached by. */
export interface NodeKernelOptions extends NodeReaderOptions {
  /** What the names of all namespaces begin with that the node makes. */
  readonly namespacePrefix: string;
}

/** Looking and mending is given up after so many times, and tried again later. */
const PASSES_MAX = 4;
/** Findings that are told one by one. */
const FINDINGS_MAX = 20;

/** Reads and writes the namespaces of one node. */
export class NodeKernel {
  readonly #options: NodeKernelOptions;
  readonly #wantedRules: WantedRules;
  readonly #reader: NodeReader;
  #limits: readonly string[] = [];
  /** Tables that everything was last found to be as, with their texts. */
  #clean:
    { readonly tables: TableContent; readonly rendered: readonly RenderedNamespace[] } | undefined;

  constructor(options: NodeKernelOptions) {
    this.#options = options;
    this.#reader = new NodeReader(options);
    this.#wantedRules = new WantedRules(options.run, `${options.namespacePrefix}scratch`);
  }

  /** Settings that the kernel does not have, for people. */
  get limits(): readonly string[] {
    return this.#limits;
  }

  /** The name of a namespace as `ip netns` knows it; undefined: that of the machine. */
  place(namespace: NamespaceReference): string | undefined {
    return namespace.kind === 'host' ? this.#options.namespace : namespace.name;
  }

  /**
   * Runs the steps; none of those that may depend on one that fails.
   * @throws unavailable with the line that was refused.
   */
  async run(steps: readonly RenderedStep[]): Promise<void> {
    for (const stage of stagesOf(steps)) {
      await Promise.all(stage.map((list) => this.#runInOrder(list)));
    }
  }

  async #runInOrder(steps: readonly RenderedStep[]): Promise<void> {
    const at = steps.findIndex(
      ({ tool, lines }) => tool === 'conntrack' && lines.length >= LISTING_PAYS_MIN,
    );
    const step = steps[at];
    if (step === undefined) return await this.#runAll(steps);
    await this.#runAll(steps.slice(0, at));
    await this.#runAll([await this.#withoutUnknown(step)]);
    await this.#runInOrder(steps.slice(at + 1));
  }

  /** Connections to forget, without those that there are none of. */
  async #withoutUnknown(step: RenderedStep): Promise<RenderedStep> {
    const namespace = this.place(step.namespace);
    const commands = familiesOf(step.lines).map((family) => ({
      namespace,
      command: ['conntrack', '-L', '-f', family],
    }));
    const listed = await this.#options.run(commands);
    if (listed.some(({ status }) => status !== 0)) return step;
    const printed = listed.map(({ output }) => output).join('\n');
    return { ...step, lines: knownConnections(step.lines, printed) };
  }

  async #runAll(steps: readonly RenderedStep[]): Promise<void> {
    const commands = commandsOf(steps, (namespace) => this.place(namespace));
    const results = await this.#options.run(
      commands.map(({ command }) => command),
      { isStopping: true },
    );
    for (const [index, step] of commands.entries()) {
      const result = results[index];
      if (result === undefined) throw new SkepError('unavailable', 'the shell ended early');
      const { goodStatus = 0 } = step.command;
      if (result.status !== 0 && result.status !== goodStatus) throw failureOf(step, result);
    }
  }

  /**
   * Brings the kernel to what the tables say, whatever it holds; returns what was wrong.
   * `only`: the namespaces to look at; default: all, and then those that no table has are removed.
   * @throws unavailable when it cannot be had.
   */
  async converge(tables: TableContent, only?: ReadonlySet<string>): Promise<readonly string[]> {
    const rendered = this.#rendered(tables);
    this.#wantedRules.keepOnly(new Set(rendered.map(({ namespace }) => namespace.name)));
    let findings: readonly string[] | undefined;
    /** Rules that were set as a whole just now: the tool said that the kernel has them. */
    const settled = new Set<string>();
    for (let pass = 0; pass < PASSES_MAX; pass += 1) {
      const look = await this.#reader.look(rendered, only);
      // Nothing was wrong then, and nothing is other than it was.
      if (look.isSame && this.#clean?.tables === tables) return [];
      const drift = await this.#drift(rendered, look, { settled, only });
      findings ??= drift.findings;
      if (drift.steps.length === 0) {
        this.#limits = limitsOf(rendered, look);
        if (only === undefined) this.#clean = { tables, rendered };
        return shortened(findings);
      }
      await this.run(drift.steps);
      for (const { namespace, tool } of drift.steps) settled.add(`${namespace.name} ${tool}`);
    }
    throw new SkepError(
      'unavailable',
      `the node's tables do not stay as they are set: ${shortened(findings ?? []).join('; ')}`,
    );
  }

  #rendered(tables: TableContent): readonly RenderedNamespace[] {
    if (this.#clean?.tables === tables) return this.#clean.rendered;
    return wholeTexts(this.#options.renderer, tables);
  }

  /** Removes every namespace that the node made. */
  async removeAll(): Promise<void> {
    const names = await listNamespaces(this.#options.namespacePrefix);
    const lines = names.map(({ name }) => `netns delete ${name}`);
    if (lines.length > 0) await this.run([{ namespace: HOST, tool: 'ip', lines }]);
  }

  async #drift(
    rendered: readonly RenderedNamespace[],
    look: Look,
    { settled, only }: { settled: ReadonlySet<string>; only: ReadonlySet<string> | undefined },
  ): Promise<Drift> {
    const isMeant = (name: string): boolean => only?.has(name) !== false;
    const stale = staleNamespaces(rendered, look, only);
    const segments = segmentDrift(rendered, look.snapshots, only);
    const meant = rendered.filter(({ namespace }) => isMeant(namespace.name));
    const settings = meant.map((one) => settingDrift(one, look.snapshots.get(one.namespace.name)));
    const rules = await this.#ruleDrift(meant, look, settled);
    const parts = [stale, segments, ...settings, rules];
    return {
      findings: parts.flatMap(({ findings }) => findings),
      steps: parts.flatMap(({ steps }) => steps),
    };
  }

  async #ruleDrift(
    rendered: readonly RenderedNamespace[],
    look: Look,
    settled: ReadonlySet<string>,
  ): Promise<Drift> {
    const texts = rendered.flatMap((one): RuleText[] =>
      this.#options.renderer.ruleTools
        .filter((tool) => one.texts[tool] !== '' && !settled.has(`${one.namespace.name} ${tool}`))
        .map((tool) => ({ rendered: one, tool })),
    );
    const isThere = ({ rendered: one }: RuleText): boolean =>
      look.snapshots.has(one.namespace.name);
    const checked = texts.filter(isThere);
    const wanted = await this.#wantedRules.listings(checked);
    const parts = checked.map((text, index): Drift => {
      const { namespace } = text.rendered;
      const actual = look.listings.get(`${namespace.name} ${text.tool}`) ?? new Map();
      const expected = wanted[index] ?? new Map<string, string>();
      const found = listingDifference(text.tool, expected, actual);
      if (found.length === 0) {
        this.#reader.share(namespace.name, text.tool, expected);
        return { findings: [], steps: [] };
      }
      return {
        findings: found.map((finding) => `${namespace.name}: ${text.tool}: ${finding}`),
        steps: [ruleStep(text, expected, actual)],
      };
    });
    const fresh = texts
      .filter((text) => !isThere(text))
      .map((text): RenderedStep => ruleStep(text, new Map(), undefined));
    return {
      findings: parts.flatMap(({ findings }) => findings),
      steps: [...parts.flatMap(({ steps }) => steps), ...fresh],
    };
  }
}

const HOST: NamespaceReference = { name: 'host', kind: 'host' };

/** Sets rules as a whole; those of IPVS one by one, for its connections would end. */
function ruleStep(
  { rendered, tool }: RuleText,
  wanted: RuleListing,
  actual: RuleListing | undefined,
): RenderedStep {
  const { namespace, texts } = rendered;
  const lines = texts[tool].trimEnd().split('\n');
  if (actual === undefined) return { namespace, tool, lines: freshLines(lines) };
  if (tool === 'nft') return { namespace, tool, lines };
  if (tool === 'ipvs') return { namespace, tool, lines: ipvsRepair(wanted, actual) };
  const tables = [...new Set(lines.filter((line) => line.startsWith('*')))];
  const flushed = tables.flatMap((table) => [table, '-F', '-X', 'COMMIT']);
  return { namespace, tool, lines: [...flushed, ...lines] };
}

/** Namespaces that begin with the node's prefix and that no table has, or that are none. */
function staleNamespaces(
  rendered: readonly RenderedNamespace[],
  look: Look,
  only: ReadonlySet<string> | undefined,
): Drift {
  const wanted = new Set(rendered.map(({ namespace }) => namespace.name));
  const stale = only === undefined ? [...look.names].filter((name) => !wanted.has(name)) : [];
  const gone = [...look.broken, ...stale];
  if (gone.length === 0) return { findings: [], steps: [] };
  return {
    findings: gone.map((name) => `namespace ${name} should not be there`),
    steps: [{ namespace: HOST, tool: 'ip', lines: gone.map((name) => `netns delete ${name}`) }],
  };
}

function settingDrift(rendered: RenderedNamespace, snapshot: Snapshot | undefined): Drift {
  const { namespace } = rendered;
  const wanted = settingsOf(rendered);
  const wrong = [...wanted].filter(([key, value]) => {
    if (snapshot === undefined) return true;
    const actual = snapshot.settings.get(key);
    // Those of an interface that is missing come with it.
    if (actual === undefined) return isMissing(snapshot, key);
    return actual !== value;
  });
  if (wrong.length === 0) return { findings: [], steps: [] };
  const lines = wrong.map(([key, value]) => `${key} = ${value}`);
  const findings = wrong.flatMap(([key]) => {
    const actual = snapshot?.settings.get(key);
    return actual === undefined ? [] : [`${namespace.name}: ${key} is ${actual}`];
  });
  return { findings, steps: [{ namespace, tool: 'sysctl', lines }] };
}

/** Whether a setting belongs to an interface that is not there. */
function isMissing({ links }: Snapshot, key: string): boolean {
  const device = /^net\.ipv[46]\.(?:conf|neigh)\.([^.]+)\./.exec(key)?.[1];
  return device !== undefined && !['all', 'default'].includes(device) && !links.has(device);
}

function limitsOf(rendered: readonly RenderedNamespace[], look: Look): readonly string[] {
  const missing = rendered.flatMap((one) => {
    const snapshot = look.snapshots.get(one.namespace.name);
    if (snapshot === undefined) return [];
    return [...settingsOf(one).keys()].filter((key) => !snapshot.settings.has(key));
  });
  return [...new Set(missing)].sort().map((key) => `the kernel has no setting ${key} here`);
}

function shortened(findings: readonly string[]): readonly string[] {
  if (findings.length <= FINDINGS_MAX) return findings;
  const rest = findings.length - FINDINGS_MAX;
  return [...findings.slice(0, FINDINGS_MAX), `and ${rest} more`];
}
