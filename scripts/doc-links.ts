/**
 * Links between the pages of the repository: each relative one has to lead to a file, and one with
 * `#` to a heading of it.
 *
 * **Source:** headings become anchors in GitHub's way.
 */
import { dirname, join, normalize } from 'node:path';

/** A link that leads nowhere. */
export interface LinkFault {
  readonly line: number;
  readonly fault: string;
}

/** The lines of a page, without those of its code blocks. */
function proseOf(text: string): readonly (readonly [line: number, text: string])[] {
  let isCode = false;
  return text.split('\n').flatMap((line, index) => {
    const isFence = /^\s*(```|~~~)/.test(line);
    if (isFence) isCode = !isCode;
    return isFence || isCode ? [] : [[index + 1, line.replace(/`[^`]*`/g, '``')] as const];
  });
}

/** The anchors of a page's headings. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const lines = text.split('\n');
  const anchors = new Set<string>();
  for (const [number] of proseOf(text)) {
    const heading = /^#{1,6} +(.*)$/.exec(lines[number - 1] ?? '')?.[1];
    if (heading === undefined) continue;
    const plain = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .trim()
      .toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N}_ -]/gu, '').replace(/ /g, '-');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/**
 * What is wrong with the links of a page. `read` gives the text of a file of the repository, the
 * empty text for a folder, and undefined where there is nothing.
 */
export function linkFaults(
  page: string,
  text: string,
  read: (path: string) => string | undefined,
): readonly LinkFault[] {
  return proseOf(text).flatMap(([line, prose]) =>
    [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
      if (/^[a-z]+:/.test(target)) return [];
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : normalize(join(dirname(page), path));
      const found = file === page ? text : read(file);
      if (found === undefined) return [{ line, fault: `the link ${target} leads to no file` }];
      if (anchor === undefined || anchorsOf(found).has(anchor)) return [];
      return [{ line, fault: `the link ${target} leads to no heading of ${file}` }];
    }),
  );
}
