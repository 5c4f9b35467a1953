/**
 * Scripts: what happens to a cluster, one step after the other. Data, so that a script that broke a
 * law can be printed and pasted into a test.
 */
import type { NetworkSpec, NodeAvailability, ServiceSpec } from '@skep/api';
import type { TestNode } from './test-cluster.js';

/** One thing that happens. A step that makes no sense where it stands does nothing. */
export type Step =
  /** Declares a service, with those of its networks that are missing. */
  | { readonly type: 'apply'; readonly service: string; readonly spec: ServiceSpec }
  | { readonly type: 'scale'; readonly service: string; readonly replicas: number }
  | { readonly type: 'image'; readonly service: string; readonly image: string }
  | { readonly type: 'remove'; readonly service: string }
  | { readonly type: 'remove-network'; readonly network: string }
  /** A container of the service ends by itself: the `index`-th that runs, counted around. */
  | {
      readonly type: 'crash';
      readonly service: string;
      readonly index: number;
      readonly exitCode: number;
    }
  /** The machine loses its power, or has it again. */
  | { readonly type: 'lose' | 'recover'; readonly node: string }
  /** The machine cannot reach the manager, or can again; everything on it goes on. */
  | { readonly type: 'disconnect' | 'reconnect'; readonly node: string }
  | {
      readonly type: 'availability';
      readonly node: string;
      readonly availability: NodeAvailability;
    }
  | { readonly type: 'add-node' | 'remove-node'; readonly node: string }
  | { readonly type: 'wait'; readonly ms: number };

/** A cluster to begin with, and what happens to it. */
export interface ClusterScript {
  /** Nodes to begin with: the first so many of {@link ClusterScript.machines}. */
  readonly nodes: number;
  /** All nodes that steps may name. */
  readonly machines: readonly TestNode[];
  /** All networks that services may name. */
  readonly networks: Readonly<Record<string, NetworkSpec>>;
  readonly steps: readonly Step[];
}

/** A script as text that can be pasted into a test: a step a line. */
export function renderScript(script: ClusterScript): string {
  const steps = script.steps.map((step) => `    ${render(step)},`);
  return [
    '{',
    `  nodes: ${script.nodes},`,
    `  machines: ${render(script.machines)},`,
    `  networks: ${render(script.networks)},`,
    '  steps: [',
    ...steps,
    '  ],',
    '}',
  ].join('\n');
}

/** A value as TypeScript. */
function render(value: unknown): string {
  if (typeof value === 'string')
    return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  if (Array.isArray(value)) return `[${value.map(render).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([name, field]) => `${/^\w+$/.test(name) ? name : render(name)}: ${render(field)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}
