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
import type { CommandResult, CommandRunner } from '../namespace/command-runner.js';
import { listNamespaces } from '../namespace/netns-list.js';
import { segmentDrift, type Drift } from './drift.js';
import { settingsOf, wholeTexts, type NodeRenderer } from './node-texts.js';
import {
  LISTING_COMMANDS,
  ipvsRepair,
  listingDifference,
  readListing,
  type RuleListing,
} from './rule-listing.js';
import { readSnapshot, snapshotCommands, type Snapshot } from './snapshot.js';
import { commandsOf, failureOf } from './tool-text.js';
import { WantedRules, type RuleText } from './wanted-rules.js';

/** What a node's kernel is reached by. */
export interface NodeKernelOptions {
  /** The namespace that is the node; undefined: the machine's own. */
  readonly namespace: string | undefined;
  /** What the names of all namespaces begin with that the node makes. */
  readonly namespacePrefix: string;
  readonly renderer: NodeRenderer;
  readonly run: CommandRunner;
}

/** Looking and mending is given up after so many times, and tried again later. */
const PASSES_MAX = 4;
/** Findings that are told one by one. */
const FINDINGS_MAX = 20;

/** What was read of a node. */
interface Look {
  /** Mounted namespaces that begin with the node's prefix. */
  readonly names: ReadonlySet<string>;
  /** Names for which there is no namespace. */
  readonly broken: readonly string[];
  readonly snapshots: ReadonlyMap<string, Snapshot>;
  /** By `NAMESPACE TOOL`. */
  readonly listings: ReadonlyMap<string, RuleListing>;
}

/** Reads and writes the namespaces of one node. */
export class NodeKernel {
  readonly #options: NodeKernelOptions;
  readonly #wantedRules: WantedRules;
  #limits: readonly string[] = [];

  constructor(options: NodeKernelOptions) {
    this.#options = options;
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
   * Runs the steps; none after one that fails.
   * @throws unavailable with the line that was refused.
   */
  async run(steps: readonly RenderedStep[]): Promise<void> {
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
    const rendered = wholeTexts(this.#options.renderer, tables);
    this.#wantedRules.keepOnly(new Set(rendered.map(({ namespace }) => namespace.name)));
    let findings: readonly string[] | undefined;
    /** Rules that were set as a whole just now: the tool said that the kernel has them. */
    const settled = new Set<string>();
    for (let pass = 0; pass < PASSES_MAX; pass += 1) {
      const look = await this.#look(rendered, only);
      const drift = await this.#drift(rendered, look, { settled, only });
      findings ??= drift.findings;
      if (drift.steps.length === 0) {
        this.#limits = limitsOf(rendered, look);
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

  /** Removes every namespace that the node made. */
  async removeAll(): Promise<void> {
    const names = await listNamespaces(this.#options.namespacePrefix);
    const lines = names.map(({ name }) => `netns delete ${name}`);
    if (lines.length > 0) await this.run([{ namespace: HOST, tool: 'ip', lines }]);
  }

  async #look(
    rendered: readonly RenderedNamespace[],
    only: ReadonlySet<string> | undefined,
  ): Promise<Look> {
    const { namespace: own, namespacePrefix, renderer, run } = this.#options;
    const named = await listNamespaces(namespacePrefix);
    const names = new Set(named.filter(({ isMounted }) => isMounted).map(({ name }) => name));
    const targets = rendered.filter(({ namespace }) => {
      const isThere = namespace.kind === 'host' || names.has(namespace.name);
      return isThere && only?.has(namespace.name) !== false;
    });
    const plans = targets.map((target) => {
      const request = {
        namespace: this.place(target.namespace),
        hasForwarding: target.namespace.kind === 'bridge',
        hasRules6: target.texts.ip6 !== '',
        settings: [...settingsOf(target).keys()],
      };
      const tools = renderer.ruleTools.filter((tool) => target.texts[tool] !== '');
      const commands = [
        ...snapshotCommands(request),
        ...tools.map((tool) => ({ namespace: request.namespace, command: LISTING_COMMANDS[tool] })),
      ];
      return { target, request, tools, commands };
    });
    const results = await run(plans.flatMap(({ commands }) => commands));
    const snapshots = new Map<string, Snapshot>();
    const listings = new Map<string, RuleListing>();
    let at = 0;
    for (const { target, request, tools, commands } of plans) {
      const part = results.slice(at, at + commands.length);
      at += commands.length;
      const { name, kind } = target.namespace;
      if (part[0]?.status !== 0) {
        // It ended while we looked: it is missing. The node itself cannot be.
        if (kind === 'host') throw lookFailure(own, part[0]);
        names.delete(name);
        continue;
      }
      snapshots.set(name, readSnapshot(request, part));
      const listed = part.slice(part.length - tools.length);
      for (const [index, tool] of tools.entries()) {
        const result = listed[index];
        if (result?.status !== 0) throw lookFailure(name, result);
        listings.set(`${name} ${tool}`, readListing(tool, result.output));
      }
    }
    const broken = named.filter(({ isMounted }) => !isMounted).map(({ name }) => name);
    return { names, broken, snapshots, listings };
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
      if (found.length === 0) return { findings: [], steps: [] };
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
  if (actual === undefined || tool === 'nft') return { namespace, tool, lines };
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
    return actual !== undefined && actual !== value;
  });
  if (wrong.length === 0) return { findings: [], steps: [] };
  const lines = wrong.map(([key, value]) => `${key} = ${value}`);
  const findings =
    snapshot === undefined
      ? []
      : wrong.map(
          ([key]) => `${namespace.name}: ${key} is ${snapshot.settings.get(key) ?? 'missing'}`,
        );
  return { findings, steps: [{ namespace, tool: 'sysctl', lines }] };
}

function limitsOf(rendered: readonly RenderedNamespace[], look: Look): readonly string[] {
  const missing = rendered.flatMap((one) => {
    const snapshot = look.snapshots.get(one.namespace.name);
    if (snapshot === undefined) return [];
    return [...settingsOf(one).keys()].filter((key) => !snapshot.settings.has(key));
  });
  return [...new Set(missing)].sort().map((key) => `the kernel has no setting ${key} here`);
}

function lookFailure(place: string | undefined, result: CommandResult | undefined): SkepError {
  const said = result?.errors.trim() ?? '';
  const text = `namespace ${place ?? 'of this machine'} cannot be looked at: ${said}`;
  return new SkepError('unavailable', text, { details: { namespace: place } });
}

function shortened(findings: readonly string[]): readonly string[] {
  if (findings.length <= FINDINGS_MAX) return findings;
  const rest = findings.length - FINDINGS_MAX;
  return [...findings.slice(0, FINDINGS_MAX), `and ${rest} more`];
}
