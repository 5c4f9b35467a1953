/**
 * All about a node.
 */
import { Node, Task, type NodeDescription } from '@skep/api';
import { networkNameOf } from '../get/names.js';
import { tasksOn, usedText } from '../get/node-table.js';
import { headOf, rowOf, sortedObjects } from '../get/tables.js';
import { ageText, orDash } from '../words.js';
import {
  conditionSection,
  eventSection,
  identity,
  problemSection,
  type DescribeContext,
} from './common.js';
import { renderSheet, tableLines, type Entry } from './sheet.js';

/** Columns of the tasks of a node: it is the same node everywhere. */
const isShown = (head: string): boolean => head !== 'NODE';

/** A node: what it has, what runs there, what its kernel holds. */
export function describeNode(node: Node, context: DescribeContext): string {
  const { view, now } = context;
  const { meta, spec, status } = node;
  const heads = headOf(Task.name);
  const rows = sortedObjects(Task.name, tasksOn(view, node), context).map((task) =>
    rowOf(task, context).filter((_, at) => isShown(heads[at] ?? '')),
  );
  return renderSheet(
    [
      ...identity(node, context),
      ['Role', spec.role],
      ['Availability', spec.availability],
      ['State', `${status.state}${status.message === '' ? '' : `: ${status.message}`}`],
      [
        'Not heard of',
        status.downSince === undefined ? undefined : `for ${ageText(status.downSince, now)}`,
      ],
      ['Address', orDash(status.address)],
      [
        'Networks',
        (status.networks ?? []).map(
          ({ networkId, address }) => `${networkNameOf(view, networkId)} ${address}`,
        ),
      ],
      ['Tables', tablesText(node, context)],
      ['CPUs', `${usedText(view, node, 'cpuNanos')} reserved`],
      ['Memory', `${usedText(view, node, 'memoryBytes')} reserved`],
      ['Taints', spec.taints?.map(({ key, value = '', effect }) => `${key}=${value}:${effect}`)],
      ...(status.description === undefined ? [] : descriptionEntries(status.description)),
    ],
    [
      { title: 'Tasks', lines: tableLines(heads.filter(isShown), rows) },
      conditionSection(status.conditions, context),
      problemSection({ kind: Node.name, name: meta.name }, context),
      eventSection([node], context),
    ],
  );
}

function tablesText({ status }: Node, { view }: DescribeContext): string {
  const applied = status.tables?.appliedRevision;
  return applied === undefined ? 'none yet' : `as of revision ${applied} (of ${view.revision})`;
}

function descriptionEntries(description: NodeDescription): readonly Entry[] {
  const { hostname, platform, engine, resources, images = [] } = description;
  const { devices = [], generic = [] } = resources;
  return [
    ['Host name', hostname],
    ['Platform', `${platform.os}/${platform.architecture}`],
    ['Engine', orDash(engine.version)],
    ['Plugins', engine.plugins?.map(({ type, name }) => `${type}/${name}`).join(', ')],
    [
      'Devices',
      devices.length === 0
        ? undefined
        : devices.map(({ kind, model }) => [kind, model].join(' ').trim()),
    ],
    [
      'Resources',
      generic.length === 0
        ? undefined
        : generic.map((item) =>
            'count' in item ? `${item.count} ${item.kind}` : `${item.kind}: ${item.ids.join(', ')}`,
          ),
    ],
    ['Images', images.length === 0 ? undefined : String(images.length)],
  ];
}
