/**
 * Which of many connections that are to be forgotten connection tracking knows at all. Each command
 * that removes some of them looks through all that the machine has, and mostly there are none; so
 * they are listed once, and only what is there is removed.
 *
 * **Source:** conntrack(8).
 */

/** From so many on it pays to list them first. */
export const LISTING_PAYS_MIN = 2;

const FORGET = /^-D -f (\S+) --orig-dst (\S+) --reply-src (\S+)$/;

/** Families that the lines are about, each to be listed by `conntrack -L -f FAMILY`. */
export function familiesOf(lines: readonly string[]): readonly string[] {
  return [...new Set(lines.flatMap((line) => FORGET.exec(line)?.[1] ?? []))].sort();
}

/**
 * The lines for which there are connections among those printed. Lines of another form are kept.
 * Cost: O(lines + connections).
 */
export function knownConnections(lines: readonly string[], printed: string): readonly string[] {
  const known = new Set<string>();
  for (const line of printed.split('\n')) {
    // What the client asked for comes first, then what it is answered by.
    const [, destination] = [...line.matchAll(/\b(?:src|dst)=(\S+)/g)].map(([, one]) => one);
    const answering = [...line.matchAll(/\bsrc=(\S+)/g)][1]?.[1];
    if (destination !== undefined && answering !== undefined) {
      known.add(`${destination} ${answering}`);
    }
  }
  return lines.filter((line) => {
    const [, , destination, source] = FORGET.exec(line) ?? [];
    return destination === undefined || known.has(`${destination} ${source}`);
  });
}
