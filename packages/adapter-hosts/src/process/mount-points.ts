/**
 * Mount points that the host does not have.
 */
import { existsSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';

/** Folders in a task's root that are its own anyway. */
const OWN = /^\/(run|proc|sys|dev\/shm)(\/|$)/;

/**
 * The deepest folders of the host in which a mount point is missing, sorted. A task gets a layer of
 * its own over each, so that the host is left as it is. Top-level ones need none.
 */
export function layersFor(
  targets: readonly string[],
  mounted: readonly string[],
): readonly string[] {
  const layers = new Set<string>();
  for (const target of targets) {
    if (existsSync(target) || OWN.test(target)) continue;
    if (mounted.some((other) => other !== target && target.startsWith(`${other}/`))) continue;
    let parent = dirname(target);
    while (!existsSync(parent)) parent = dirname(parent);
    const real = realpathSync(parent);
    if (real !== '/' && !OWN.test(real)) layers.add(real);
  }
  return [...layers].sort();
}
