/**
 * `skep tables NODE`: what the kernel of a node would hold, as people or its own tools read it.
 */
import { canonicalJson } from '@skep/api';
import {
  renderNftables,
  renderNode,
  renderTables,
  tablesJson,
  type NodeTables,
  type RenderedNamespace,
  type Tool,
} from '@skep/network';
import { CommandFault, type ExitCode, EXIT, type Surroundings } from '../surroundings.js';
import type { NetworkLook } from '../views/network-look.js';
import { withNetwork, type NetworkOptions } from './network-source.js';

/** Forms in which tables are shown. */
export const TABLE_FORMATS = ['table', 'ipvsadm', 'nft', 'iptables', 'json'] as const;

/** Options of `skep tables`. */
export type TablesOptions = NetworkOptions & {
  readonly network?: string;
  readonly format: (typeof TABLE_FORMATS)[number];
};

interface ToolFormat {
  readonly render: (tables: NodeTables) => readonly RenderedNamespace[];
  /** Tools whose texts the format shows. */
  readonly tools: readonly Tool[];
}

/** Forms that are texts of tools, each by the renderer that writes for them. */
const TOOL_FORMATS: Readonly<Record<'ipvsadm' | 'nft' | 'iptables', ToolFormat>> = Object.freeze({
  ipvsadm: { render: renderNode, tools: ['ipvs'] },
  nft: { render: renderNftables, tools: ['nft'] },
  iptables: { render: renderNode, tools: ['iptables', 'ip6tables'] },
});

/** Shows the tables of one node: settled from files, or of the running cluster. */
export function tables(
  node: string,
  options: TablesOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  return withNetwork(options, surroundings, async (look) => {
    const { tables: held } = await look.node(node);
    if (held === undefined) throw new CommandFault(`node ${node} was assigned nothing`);
    checkNetwork(held, options.network);
    surroundings.out(textOf(look, held, options));
    return EXIT.ok;
  });
}

function checkNetwork({ networks, nodeName }: NodeTables, wanted: string | undefined): void {
  const known = networks.values();
  if (wanted === undefined || known.some(({ id, name }) => id === wanted || name === wanted)) {
    return;
  }
  const names = known.map(({ name }) => name).join(', ');
  throw new CommandFault(
    `no network '${wanted}' on node ${nodeName} (there are: ${names || 'none'})`,
  );
}

function textOf(look: NetworkLook, held: NodeTables, { format, network }: TablesOptions): string {
  const only = network === undefined ? {} : { network };
  switch (format) {
    case 'json':
      return `${canonicalJson(tablesJson(held, only), 2)}\n`;
    case 'table':
      return renderTables(held, { ...only, nodeName: look.nodeName });
    case 'ipvsadm':
    case 'nft':
    case 'iptables':
      return toolTexts(held, TOOL_FORMATS[format], network);
  }
}

/** The texts of these tools, each under the namespace that it belongs to. */
function toolTexts(
  held: NodeTables,
  { render, tools }: ToolFormat,
  network: string | undefined,
): string {
  const ids = held.networks.values().filter(({ id, name }) => [id, name].includes(network ?? id));
  const shown = new Set(ids.map(({ id }) => id));
  return render(held)
    .filter(({ namespace }) => network === undefined || shown.has(namespace.networkId ?? ''))
    .flatMap(({ namespace, texts }) =>
      tools
        .filter((tool) => texts[tool] !== '')
        .map((tool) => `# ${tool} in namespace ${namespace.name}\n${texts[tool]}`),
    )
    .join('\n');
}
