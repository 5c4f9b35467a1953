/**
 * Plain data as YAML for people, ready to be read again.
 */
import { stringify } from 'yaml';

/** Columns after which a long text is folded. */
const LINE_WIDTH = 100;

/**
 * One YAML document, in block style, ended by a line feed. Fields stand in the order of the value;
 * what is undefined is left out. Texts that YAML would read as something else (`yes`, `0x10`,
 * `1_000`) are quoted for readers of YAML 1.1, too.
 */
export function writeYaml(value: unknown): string {
  return stringify(value, {
    lineWidth: LINE_WIDTH,
    compat: 'yaml-1.1',
    aliasDuplicateObjects: false,
  });
}
