/**
 * References between objects: services name networks, secrets and configs.
 */
import { compareText, type ServiceSpec } from '@skep/api';
import type { ComplaintCode, ComplaintCollector, PathStep } from '../complaint.js';
import type { ComposeConfig } from '../compose/model.js';
import type { ExternalObjects } from '../convert/convert.js';
import type { LoadedObject } from '../manifest/objects.js';
import { nearestName } from '../text/nearest-name.js';

/** Networks that are always there. That services may not name `ingress` is said elsewhere. */
const NODE_NETWORKS = new Set(['host', 'bridge', 'none', 'null', 'ingress']);

interface Reference {
  readonly kind: 'Network' | 'Secret' | 'Config';
  readonly name: string;
  readonly steps: readonly PathStep[];
}

/**
 * Complains about references of `services` to objects that neither the files nor `existing` have.
 * Without `existing` it is not known what the cluster has, and the complaint is a warning.
 */
export function checkReferences(
  services: readonly LoadedObject[],
  objects: readonly LoadedObject[],
  existing: Partial<ExternalObjects> | undefined,
  complaints: ComplaintCollector,
): void {
  const known = {
    Network: namesOf('Network', objects, existing?.networks),
    Secret: namesOf('Secret', objects, existing?.secrets),
    Config: namesOf('Config', objects, existing?.configs),
  };
  for (const object of services) {
    if (object.kind !== 'Service') continue;
    for (const { kind, name, steps } of referencesOf(object.spec as ServiceSpec)) {
      if (known[kind].has(name)) continue;
      if (kind === 'Network' && NODE_NETWORKS.has(name)) continue;
      const what = kind.toLowerCase();
      const code: ComplaintCode = `undefined-${what as 'network' | 'secret' | 'config'}`;
      const nearest = nearestName(name, known[kind]);
      const hint = nearest === undefined ? `declare the ${what}` : `did you mean ${nearest}?`;
      const severity = existing === undefined ? 'warning' : 'error';
      const where = existing === undefined ? 'is not in these files' : 'does not exist';
      const message = `the ${what} ${name} ${where}`;
      complaints.add(severity, code, object.locate(steps), message, hint);
    }
  }
}

/** Complains about external objects of a stack that do not exist. */
export function checkExternals(
  stack: ComposeConfig,
  externals: ExternalObjects,
  existing: Partial<ExternalObjects>,
  complaints: ComplaintCollector,
): void {
  for (const section of ['networks', 'secrets', 'configs'] as const) {
    const what = section.slice(0, -1) as 'network' | 'secret' | 'config';
    for (const [key, object] of stack[section]) {
      const { name } = object;
      const isUsed = object.isExternal && externals[section].includes(name);
      if (!isUsed || (existing[section] ?? []).includes(name)) continue;
      if (section === 'networks' && NODE_NETWORKS.has(name)) continue;
      const message = `the external ${what} ${name} does not exist`;
      const place = stack.locate([section, key]);
      complaints.error(`undefined-${what}`, place, message, `create it first`);
    }
  }
}

function namesOf(
  kind: string,
  objects: readonly LoadedObject[],
  existing: readonly string[] = [],
): ReadonlySet<string> {
  const own = objects.filter((object) => object.kind === kind).map((object) => object.name);
  return new Set([...own, ...existing].sort(compareText));
}

function referencesOf(spec: ServiceSpec): readonly Reference[] {
  const { networks = [], container } = spec.task;
  const at = (field: string, index: number): readonly PathStep[] => [
    'task',
    'container',
    field,
    index,
  ];
  return [
    ...networks.map(({ target }, index) => ({
      kind: 'Network' as const,
      name: target,
      steps: ['task', 'networks', index],
    })),
    ...(container?.secrets ?? []).map(({ secretName }, index) => ({
      kind: 'Secret' as const,
      name: secretName,
      steps: at('secrets', index),
    })),
    ...(container?.configs ?? []).map(({ configName }, index) => ({
      kind: 'Config' as const,
      name: configName,
      steps: at('configs', index),
    })),
  ];
}
