/**
 * Which nodes a simulation has: so many by number, each as its Node manifest says, and one more for
 * every Node manifest of another name.
 */
import { Node, type NodeSpec } from '@skep/api';
import type { LoadedObject } from '@skep/manifest';
import type { NodeOptions } from 'skep';
import { CommandFault } from '../surroundings.js';

/** How many nodes, and how many of them are managers. */
export interface NodeCounts {
  readonly nodes: number;
  readonly managers: number;
}

/**
 * `node1` to `nodeN`, managers first, then the nodes that only a manifest names, in the order of
 * their names. What a manifest says about a node counts; what it leaves out stays as it was.
 * @throws CommandFault when two manifests name one node, when more managers than nodes are asked
 * for, or when no node is a manager.
 */
export function simulatedNodes(
  counts: NodeCounts,
  objects: readonly LoadedObject[],
): readonly NodeOptions[] {
  if (counts.managers > counts.nodes) {
    throw new CommandFault(
      `--managers ${counts.managers} of --nodes ${counts.nodes}: ` +
        'there are fewer nodes than managers (raise --nodes, or lower --managers)',
    );
  }
  const declared = new Map<string, LoadedObject>();
  for (const object of objects) {
    if (object.kind !== Node.name) continue;
    const first = declared.get(object.name);
    if (first !== undefined) throw twice(object, first);
    declared.set(object.name, object);
  }
  const numbered = Array.from({ length: counts.nodes }, (_, index): NodeOptions => {
    const name = `node${index + 1}`;
    const object = declared.get(name);
    declared.delete(name);
    const plain: NodeOptions = { name, role: index < counts.managers ? 'manager' : 'worker' };
    return object === undefined ? plain : { ...plain, ...declaredNode(object) };
  });
  const others = [...declared.values()].map((object): NodeOptions => {
    return { role: 'worker', ...declaredNode(object) };
  });
  const nodes = [...numbered, ...others];
  if (nodes.some(({ role }) => role === 'manager')) return nodes;
  throw new CommandFault(
    'no node is a manager (raise --managers, or give a Node manifest the role manager)',
  );
}

function declaredNode(object: LoadedObject): NodeOptions {
  const { role, availability, description } = object.spec as NodeSpec;
  return {
    name: object.name,
    labels: object.labels,
    availability,
    ...(isWritten(object, 'role') ? { role } : {}),
    ...(description === undefined ? {} : { description }),
  };
}

/** Whether the field is in the file, rather than filled in by the schema. */
function isWritten({ locate }: LoadedObject, field: string): boolean {
  const [whole, part] = [locate([]), locate([field])];
  return whole.line !== part.line || whole.column !== part.column;
}

function twice({ name, place }: LoadedObject, first: LoadedObject): CommandFault {
  const where = `${place.path}:${place.line}:${place.column}`;
  const { path, line } = first.place;
  return new CommandFault(
    `${where}: error: the node ${name} is declared in ${path}:${line} already ` +
      '(give it another name)',
  );
}
