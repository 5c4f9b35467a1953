/**
 * All about an object of any kind.
 */
import {
  Config,
  Event,
  Network,
  Node,
  Secret,
  Service,
  Task,
  type AnyKind,
  type Condition,
  type StoredObject,
} from '@skep/api';
import { writeYaml } from '@skep/manifest';
import { fileSize } from '../get/other-tables.js';
import {
  conditionSection,
  eventSection,
  identity,
  problemSection,
  type DescribeContext,
} from './common.js';
import { describeNetwork } from './network.js';
import { describeNode } from './node.js';
import { describeService } from './service.js';
import { renderSheet, type Section } from './sheet.js';
import { describeTask } from './task.js';

/** Other kinds that the description of a kind looks at. */
export function describeKinds(kind: string): readonly AnyKind[] {
  const isKnown = [Service, Task, Node, Network].some(({ name }) => name === kind);
  return isKnown ? [Service, Task, Node, Network, Event] : [Event];
}

/** The description of an object, several lines, each ended by a line feed. */
export function describeObject(object: StoredObject, context: DescribeContext): string {
  switch (object.kind) {
    case Service.name:
      return describeService(object as Service, context);
    case Task.name:
      return describeTask(object as Task, context);
    case Node.name:
      return describeNode(object as Node, context);
    case Network.name:
      return describeNetwork(object as Network, context);
    default:
      return describeAny(object, context);
  }
}

/** Kinds of which nothing more is known: the spec and the status as they are. */
function describeAny(object: StoredObject, context: DescribeContext): string {
  const { kind, meta, status } = object;
  const { conditions, ...rest } = (status ?? {}) as { readonly conditions?: unknown };
  return renderSheet(identity(object, context), [
    yamlSection('Spec', shownSpec(object)),
    yamlSection('Status', rest),
    conditionSection(Array.isArray(conditions) ? (conditions as Condition[]) : [], context),
    problemSection({ kind, name: meta.name }, context),
    eventSection([object], context),
  ]);
}

/** What a file holds is told by its size: descriptions end up in tickets and on screens. */
function shownSpec({ kind, spec }: StoredObject): unknown {
  if (kind !== Secret.name && kind !== Config.name) return spec;
  const { data, ...rest } = spec as { readonly data?: string };
  return data === undefined ? rest : { ...rest, data: `(${fileSize(data)})` };
}

function yamlSection(title: string, value: unknown): Section {
  const isEmpty =
    value === undefined ||
    value === null ||
    (typeof value === 'object' && Object.keys(value).length === 0);
  return { title, lines: isEmpty ? [] : writeYaml(value).trimEnd().split('\n') };
}
