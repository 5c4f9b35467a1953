/**
 * Nodes for tests.
 */
import { Node, SkepError, newObject } from '@skep/api';
import { wholeAmount } from './amount.js';
import { checkOptions, type NodeOptions } from './options.js';
import { nodeResources } from './resources.js';

const ADDRESS = '10.1.0.1';

/**
 * A node: ready, active, a worker on linux/amd64 with 4 cores and 8 GiB, but for what the options
 * say.
 *
 * @throws invalid-argument for an option that does not exist, or an amount that is none.
 */
export function node(name: string, options: NodeOptions = {}): Node {
  const where = `node('${name}')`;
  checkOptions('node', options, where);
  const { labels, taints, plugins, images, topology } = options;
  return newObject(Node, {
    id: options.id ?? name,
    name,
    ...(labels === undefined ? {} : { labels }),
    spec: {
      role: options.role ?? 'worker',
      availability: options.availability ?? 'active',
      ...(taints === undefined ? {} : { taints }),
    },
    status: {
      state: options.state ?? 'ready',
      message: '',
      address: options.address ?? ADDRESS,
      description: {
        hostname: name,
        platform: {
          os: options.os ?? 'linux',
          architecture: options.architecture ?? 'amd64',
        },
        resources: nodeResources(options, where),
        engine: {
          version: '28.2.2',
          labels: options.engineLabels ?? {},
          ...(plugins === undefined ? {} : { plugins }),
        },
        ...(topology === undefined ? {} : { topology }),
        ...(images === undefined ? {} : { images }),
      },
    },
  });
}

/** Nodes that are alike. */
export interface ClusterOptions extends Omit<NodeOptions, 'id'> {
  /** How many; named n1, n2, … Default: 3. */
  readonly nodes?: number;
  /** Their zones in turn, as the label `zone`: so many (a, b, c, …), or these. Default: none. */
  readonly zones?: number | readonly string[];
  /** What is different about one of them, by its number from 0. */
  readonly each?: (index: number) => NodeOptions;
}

/** Nodes for {@link place}: `place(policy, { ...cluster({ nodes: 5, zones: 2 }), services })`. */
export interface BuiltCluster {
  readonly nodes: readonly Node[];
}

/**
 * So many nodes that are alike, but for their zone and for what `each` says.
 * @throws invalid-argument as {@link node} does.
 */
export function cluster(options: ClusterOptions = {}): BuiltCluster {
  const { nodes: count = 3, zones, each, ...common } = options;
  wholeAmount(count, 'cluster(): nodes');
  const names = typeof zones === 'number' ? zoneNames(zones) : (zones ?? []);
  const nodes = Array.from({ length: count }, (_, index) => {
    const zone = names.length === 0 ? undefined : names[index % names.length];
    const own = each?.(index) ?? {};
    const labels = {
      ...common.labels,
      ...(zone === undefined ? {} : { zone }),
      ...own.labels,
    };
    return node(`n${index + 1}`, { ...common, ...own, labels });
  });
  return { nodes };
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

function zoneNames(count: number): readonly string[] {
  if (wholeAmount(count, 'cluster(): zones') <= LETTERS.length) return [...LETTERS.slice(0, count)];
  throw new SkepError(
    'invalid-argument',
    `cluster(): zones is ${count}; write at most ${LETTERS.length}, or their names`,
  );
}
