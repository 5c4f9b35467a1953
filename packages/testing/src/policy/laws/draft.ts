/**
 * A cluster as options of builders: what is drawn at random, built, and printed as code.
 */
import { node } from '../build/node.js';
import { service } from '../build/service.js';
import type { NodeOptions, ServiceOptions } from '../build/options.js';
import { codeOf } from './code.js';
import type { LawInput, PolicyLawName } from './law.js';

/** A node or a service: its name and what is said about it. */
export interface Named<Options> {
  readonly name: string;
  readonly options: Options;
}

/** A cluster to try a law on, before it is built. */
export interface LawDraft {
  readonly nodes: readonly Named<NodeOptions>[];
  readonly services: readonly Named<ServiceOptions>[];
  /** By name of the node. */
  readonly running: Readonly<Record<string, readonly Named<ServiceOptions>[]>>;
  readonly extra: Named<NodeOptions>;
}

/** Builds what `place` takes. */
export function buildDraft({ nodes, services, running, extra }: LawDraft): LawInput {
  return {
    nodes: nodes.map(({ name, options }) => node(name, options)),
    services: services.map(({ name, options }) => service(name, options)),
    running: Object.fromEntries(
      Object.entries(running).map(([name, list]) => [
        name,
        list.map((one) => service(one.name, one.options)),
      ]),
    ),
    extra: node(extra.name, extra.options),
  };
}

/** The call that tries the law on this cluster: TypeScript, ready to be pasted into a test. */
export function draftCode(law: PolicyLawName, draft: LawDraft): string {
  const { nodes, services, extra } = draft;
  const running = Object.entries(draft.running).filter(([, list]) => list.length > 0);
  return [
    `checkPolicyLaw('${law}', policy, {`,
    ...listLines('nodes', nodes.map(nodeCode)),
    ...(services.length === 0 ? [] : listLines('services', services.map(serviceCode))),
    ...(running.length === 0
      ? []
      : [
          '  running: {',
          ...running.map(([name, list]) => {
            return `    ${codeOf(name, true)}: [${list.map(serviceCode).join(', ')}],`;
          }),
          '  },',
        ]),
    ...(law === 'more-nodes' ? [`  extra: ${nodeCode(extra)},`] : []),
    '});',
  ].join('\n');
}

function listLines(key: string, items: readonly string[]): readonly string[] {
  if (items.length === 0) return [`  ${key}: [],`];
  return [`  ${key}: [`, ...items.map((item) => `    ${item},`), '  ],'];
}

function nodeCode({ name, options }: Named<NodeOptions>): string {
  return callOf('node', name, options);
}

function serviceCode({ name, options }: Named<ServiceOptions>): string {
  return callOf('service', name, options);
}

function callOf(builder: string, name: string, options: object): string {
  const isPlain = Object.values(options).every((value) => value === undefined);
  return `${builder}(${codeOf(name)}${isPlain ? '' : `, ${codeOf(options)}`})`;
}
