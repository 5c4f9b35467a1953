/**
 * Nodes that can run one of the image's platforms.
 *
 * **Source:** SwarmKit manager/scheduler/filter.go, PlatformFilter.
 */
import { normalArchitecture, type Platform } from '@skep/api';
import type { Filter, PreparedFilter } from '../policy.js';
import type { NodeInfo } from '../node-info.js';
import { onNodes } from './wording.js';

/**
 * Refuses nodes of other platforms, and those that do not say which they are. Active when the
 * placement lists platforms. Empty fields of a wanted platform match anything; `x86_64` is `amd64`
 * and `aarch64` is `arm64`.
 */
export const platformFilter: Filter = Object.freeze({
  name: 'platform',
  prepare: ({ template }): PreparedFilter | undefined => {
    const listed = template.placement?.platforms;
    if (listed === undefined || listed.length === 0) return undefined;
    const wanted = listed.map(normalised);
    const needed = wanted.map(textOf).join(' or ');
    return {
      key: JSON.stringify(wanted),
      ignoresUse: true,
      check: (node) => {
        const actual = platformOf(node);
        if (actual !== undefined && wanted.some((one) => matches(one, actual))) return undefined;
        return [{ what: 'platform', needed, available: actual ? textOf(actual) : 'unknown' }];
      },
    };
  },
  describe: (nodes) => `unsupported platform on ${onNodes(nodes)}`,
} satisfies Filter);

function platformOf({ node }: NodeInfo): Platform | undefined {
  const { description } = node.status;
  return description === undefined ? undefined : normalised(description.platform);
}

function normalised({ os, architecture }: Platform): Platform {
  return { os, architecture: normalArchitecture(architecture) };
}

function matches(wanted: Platform, actual: Platform): boolean {
  return (
    (wanted.os === '' || wanted.os === actual.os) &&
    (wanted.architecture === '' || wanted.architecture === actual.architecture)
  );
}

function textOf({ os, architecture }: Platform): string {
  return `${os || '*'}/${architecture || '*'}`;
}
