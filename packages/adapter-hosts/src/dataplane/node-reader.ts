/**
 * Reads what the namespaces of a node hold. What was read of a namespace is kept with a fingerprint
 * that was taken before, and read again only when that has changed.
 */
import { SkepError, isEqual } from '@skep/api';
import type { NamespaceReference, RenderedNamespace } from '@skep/network';
import type { CommandResult, CommandRunner } from '../namespace/command-runner.js';
import type { FingerprintTaker } from '../namespace/fingerprints.js';
import { listNamespaces } from '../namespace/netns-list.js';
import { settingsOf, type NodeRenderer } from './node-texts.js';
import { LISTING_COMMANDS, readListing, type RuleListing, type RuleTool } from './rule-listing.js';
import { readSnapshot, snapshotCommands, type Snapshot, type SnapshotRequest } from './snapshot.js';

/** What was read of a node. */
export interface Look {
  /** Mounted namespaces that begin with the node's prefix. */
  readonly names: ReadonlySet<string>;
  /** Names for which there is no namespace. */
  readonly broken: readonly string[];
  readonly snapshots: ReadonlyMap<string, Snapshot>;
  /** By `NAMESPACE TOOL`. */
  readonly listings: ReadonlyMap<string, RuleListing>;
  /** Everything is as it was the last time that everything was looked at. */
  readonly isSame: boolean;
}

/** What a reader needs. */
export interface NodeReaderOptions {
  /** The namespace that is the node; undefined: the machine's own. */
  readonly namespace: string | undefined;
  readonly namespacePrefix: string;
  readonly renderer: NodeRenderer;
  readonly run: CommandRunner;
  readonly fingerprints: FingerprintTaker;
}

interface Target {
  readonly name: string;
  readonly kind: NamespaceReference['kind'];
  readonly request: SnapshotRequest;
  readonly tools: readonly RuleTool[];
}

interface Reading {
  /** What was asked, and the fingerprint. */
  readonly key: string;
  readonly snapshot: Snapshot;
  readonly listings: readonly RuleListing[];
}

/** See the module comment. */
export class NodeReader {
  readonly #options: NodeReaderOptions;
  #readings = new Map<string, Reading>();
  /** All that the last look at everything was about. */
  #whole: readonly unknown[] = [];

  constructor(options: NodeReaderOptions) {
    this.#options = options;
  }

  /**
   * Reads the namespaces of the texts that there are; `only`: of these.
   * Cost: a process that takes fingerprints, and some five for each namespace that changed.
   * @throws unavailable when the node itself cannot be looked at.
   */
  async look(
    rendered: readonly RenderedNamespace[],
    only: ReadonlySet<string> | undefined,
  ): Promise<Look> {
    const named = await listNamespaces(this.#options.namespacePrefix);
    const names = new Set(named.filter(({ isMounted }) => isMounted).map(({ name }) => name));
    const targets = rendered
      .filter(({ namespace: { kind, name } }) => {
        return (kind === 'host' || names.has(name)) && only?.has(name) !== false;
      })
      .map((one) => this.#target(one));
    const readings = await this.#read(targets);
    const snapshots = new Map<string, Snapshot>();
    const listings = new Map<string, RuleListing>();
    for (const [at, { name, tools }] of targets.entries()) {
      const reading = readings[at];
      if (reading === undefined) {
        // It ended while we looked: it is missing.
        names.delete(name);
        continue;
      }
      snapshots.set(name, reading.snapshot);
      for (const [index, tool] of tools.entries()) {
        listings.set(`${name} ${tool}`, reading.listings[index] ?? new Map<string, string>());
      }
    }
    this.#readings = new Map([...this.#readings].filter(([name]) => isHeld(name, names)));
    const broken = named.filter(({ isMounted }) => !isMounted).map(({ name }) => name);
    const keys = readings.map((reading) => reading?.key);
    const whole = [...keys, ...targets.map(({ name }) => name), ...names, ...broken];
    const isSame = !keys.includes('') && isEqual(whole, this.#whole);
    if (only === undefined) this.#whole = whole;
    return { names, broken, snapshots, listings, isSame };
  }

  /** The rules read of a namespace are equal to these: the same are then kept once. */
  share(name: string, tool: RuleTool, listing: RuleListing): void {
    const reading = this.#readings.get(name);
    if (reading === undefined || tool !== 'nft') return;
    this.#readings.set(name, { ...reading, listings: [listing] });
  }

  #target(one: RenderedNamespace): Target {
    const { kind, name } = one.namespace;
    return {
      name,
      kind,
      request: {
        namespace: kind === 'host' ? this.#options.namespace : name,
        hasForwarding: kind === 'bridge',
        hasRules6: one.texts.ip6 !== '',
        settings: [...settingsOf(one).keys()],
      },
      tools: this.#options.renderer.ruleTools.filter((tool) => one.texts[tool] !== ''),
    };
  }

  async #read(targets: readonly Target[]): Promise<readonly (Reading | undefined)[]> {
    // Taken before: what changes while we read differs from it the next time.
    const prints = await this.#options.fingerprints(targets.map(({ request }) => request));
    const keys = targets.map((target, at) => keyOf(target, prints[at]));
    const known = targets.map(({ name }, at) => {
      const reading = this.#readings.get(name);
      return reading !== undefined && reading.key === keys[at] ? reading : undefined;
    });
    const fresh = targets.flatMap((target, at) =>
      known[at] === undefined ? [{ target, at }] : [],
    );
    const plans = fresh.map(({ target }) => commandsOf(target));
    const results = await this.#options.run(plans.flat());
    const readings = [...known];
    let from = 0;
    for (const [number, { target, at }] of fresh.entries()) {
      const length = plans[number]?.length ?? 0;
      const reading = readingOf(target, keys[at], results.slice(from, from + length));
      from += length;
      readings[at] = reading;
      if (reading === undefined || reading.key === '') this.#readings.delete(target.name);
      else this.#readings.set(target.name, reading);
    }
    return readings;
  }
}

/** '' when there is no fingerprint, or it does not hold all that is looked at. */
function keyOf({ request, tools }: Target, print: string | undefined): string {
  if (print === undefined || tools.some((tool) => tool !== 'nft')) return '';
  return JSON.stringify([print, request, tools]);
}

function commandsOf({ request, tools }: Target) {
  const { namespace } = request;
  return [
    ...snapshotCommands(request),
    ...tools.map((tool) => ({ namespace, command: LISTING_COMMANDS[tool] })),
  ];
}

/** Undefined when the namespace is not there any more; the node itself has to be. */
function readingOf(
  { name, kind, request, tools }: Target,
  key: string | undefined,
  results: readonly CommandResult[],
): Reading | undefined {
  if (results[0]?.status !== 0) {
    if (kind === 'host') throw lookFailure(request.namespace, results[0]);
    return undefined;
  }
  const listed = results.slice(results.length - tools.length);
  const listings = tools.map((tool, index) => {
    const result = listed[index];
    if (result?.status !== 0) throw lookFailure(name, result);
    return readListing(tool, result.output);
  });
  return { key: key ?? '', snapshot: readSnapshot(request, results), listings };
}

function isHeld(name: string, names: ReadonlySet<string>): boolean {
  return name === 'host' || names.has(name);
}

function lookFailure(place: string | undefined, result: CommandResult | undefined): SkepError {
  const said = result?.errors.trim() ?? '';
  const text = `namespace ${place ?? 'of this machine'} cannot be looked at: ${said}`;
  return new SkepError('unavailable', text, { details: { namespace: place } });
}
