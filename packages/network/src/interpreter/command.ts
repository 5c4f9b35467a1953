/**
 * Texts as commands: parsed once, executed as often as needed. Execution is as strict as the tools:
 * what is there already cannot be added, what is not there cannot be removed.
 */
import type { Tool } from '../render/rendered.js';
import { notUnderstood, type Command } from './command-base.js';
import { parseConntrackLine } from './command-conntrack.js';
import { parseBridgeLine, parseIpLine } from './command-ip.js';
import { parseFilterText } from './command-iptables.js';
import { parseIpvsLine } from './command-ipvs.js';
import { parseNftText } from './nft/command-nft.js';
import type { NamespaceConfig } from './namespace-config.js';

/**
 * Parses a text for one of the tools. Empty lines and comments are passed over.
 * @throws invalid-argument with the line for what is not understood.
 */
export function parseCommands(tool: Tool, text: string): readonly Command[] {
  if (tool === 'iptables' || tool === 'ip6tables') {
    return parseFilterText(text, tool === 'iptables' ? 4 : 6);
  }
  if (tool === 'nft') return parseNftText(text);
  const commands: Command[] = [];
  for (const line of contentLines(text)) {
    const execute =
      tool === 'ip' || tool === 'ip6'
        ? parseIpLine(line, tool === 'ip' ? 4 : 6)
        : tool === 'bridge'
          ? parseBridgeLine(line)
          : tool === 'ipvs'
            ? parseIpvsLine(line)
            : tool === 'conntrack'
              ? parseConntrackLine(line)
              : parseSysctlLine(line);
    commands.push({ text: line, execute });
  }
  return commands;
}

/** Lines that say something. */
export function contentLines(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** Executes commands one after another. */
export function executeAll(commands: readonly Command[], config: NamespaceConfig): void {
  for (const command of commands) command.execute(config);
}

function parseSysctlLine(line: string): Command['execute'] {
  const [key, value, ...rest] = line.split('=').map((part) => part.trim());
  if (key === undefined || value === undefined || rest.length > 0) {
    throw notUnderstood('sysctl', line);
  }
  return (config) => {
    config.sysctls.set(key, value);
  };
}
