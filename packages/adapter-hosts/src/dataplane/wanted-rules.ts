/**
 * What rules look like when the kernel holds exactly a text: the text is given to the tools in a
 * namespace of its own, and they list what came of it. So two listings of one tool are compared,
 * and never a text with what a tool makes of it.
 */
import { SkepError } from '@skep/api';
import type { RenderedNamespace } from '@skep/network';
import type { CommandRunner, NamespaceCommand } from '../namespace/command-runner.js';
import { LISTING_COMMANDS, readListing, type RuleListing, type RuleTool } from './rule-listing.js';
import { commandsOf, failureOf, type StepCommand } from './tool-text.js';

interface Known {
  readonly text: string;
  readonly listing: RuleListing;
}

const WAY_TO_ALL = 'link set lo up\nroute add default dev lo\n';

/** A text whose listing is asked for. */
export interface RuleText {
  readonly rendered: RenderedNamespace;
  readonly tool: RuleTool;
}

/** Keeps the listing of each text until the text changes. */
export class WantedRules {
  readonly #run: CommandRunner;
  readonly #scratch: string;
  /** By `NAMESPACE TOOL`. */
  #known = new Map<string, Known>();

  /** `scratch`: name of a namespace that is made and removed for it. */
  constructor(run: CommandRunner, scratch: string) {
    this.#run = run;
    this.#scratch = scratch;
  }

  /**
   * The listings of the texts, in their order. Cost: two processes for each text that changed.
   * @throws unavailable when a tool refuses a text.
   */
  async listings(texts: readonly RuleText[]): Promise<readonly RuleListing[]> {
    const fresh = texts.filter(({ rendered, tool }) => {
      return this.#known.get(keyOf({ rendered, tool }))?.text !== rendered.texts[tool];
    });
    if (fresh.length > 0) await this.#load(fresh);
    return texts.map((text) => this.#known.get(keyOf(text))?.listing ?? new Map<string, string>());
  }

  /** Forgets namespaces that are no more. */
  keepOnly(namespaces: ReadonlySet<string>): void {
    this.#known = new Map(
      [...this.#known].filter(([key]) => namespaces.has(key.slice(0, key.lastIndexOf(' ')))),
    );
  }

  async #load(fresh: readonly RuleText[]): Promise<void> {
    const namespace = this.#scratch;
    const machine = (...words: string[]): NamespaceCommand => ({
      namespace: undefined,
      command: words,
    });
    const commands: NamespaceCommand[] = [machine('ip', 'netns', 'add', namespace)];
    const loads: { readonly text: RuleText; readonly at: number; readonly load: StepCommand }[] =
      [];
    for (const text of fresh) {
      const lines = text.rendered.texts[text.tool].trimEnd().split('\n');
      const step = { namespace: text.rendered.namespace, tool: text.tool, lines };
      const [load] = commandsOf([step], () => namespace);
      if (load === undefined) continue;
      // The kernel takes only backends that there is a way to.
      if (text.tool === 'ipvs') {
        commands.push({ namespace, command: ['ip', '-batch', '-'], input: WAY_TO_ALL });
      }
      loads.push({ text, at: commands.length, load });
      commands.push(load.command, { namespace, command: LISTING_COMMANDS[text.tool] });
      if (text.tool === 'nft') {
        commands.push({ namespace, command: ['nft', 'flush', 'ruleset'] });
      } else {
        const lines = `netns delete ${namespace}\nnetns add ${namespace}\n`;
        commands.push({ ...machine('ip', '-batch', '-'), input: lines });
      }
    }
    try {
      const results = await this.#run(commands, { isStopping: true });
      for (const { text, at, load } of loads) {
        const [loaded, listed] = [results[at], results[at + 1]];
        if (loaded !== undefined && loaded.status !== 0) throw failureOf(load, loaded);
        if (listed?.status !== 0) {
          const said = results[results.length - 1]?.errors.trim() ?? '';
          throw new SkepError('unavailable', `rules could not be listed: ${said}`);
        }
        const listing = readListing(text.tool, listed.output);
        this.#known.set(keyOf(text), { text: text.rendered.texts[text.tool], listing });
      }
    } finally {
      await this.#run([machine('ip', 'netns', 'delete', namespace)]);
    }
  }
}

function keyOf({ rendered, tool }: RuleText): string {
  return `${rendered.namespace.name} ${tool}`;
}
