/**
 * All about a network.
 */
import {
  compareText,
  Network,
  networkDriver,
  Node,
  servicesByNetwork,
  Service,
  Task,
  tasksByNetwork,
  isRunnable,
} from '@skep/api';
import { nodeNameOf } from '../get/names.js';
import { networkFlags } from '../get/other-tables.js';
import { orDash, plainAddress, shortName } from '../words.js';
import {
  conditionSection,
  eventSection,
  identity,
  pairs,
  problemSection,
  type DescribeContext,
} from './common.js';
import { renderSheet, tableLines } from './sheet.js';

/** A network: its ranges, and who has which address in it. */
export function describeNetwork(network: Network, context: DescribeContext): string {
  const { meta, spec, status } = network;
  return renderSheet(
    [
      ...identity(network, context),
      ['Driver', networkDriver(spec)],
      ['Options', spec.driver?.options === undefined ? undefined : pairs(spec.driver.options)],
      ['Flags', orDash(networkFlags(network).join(', '))],
      [
        'Subnets',
        status.subnets.map(({ subnet, gateway, vxlanId }) => {
          return `${subnet}, gateway ${gateway}, VXLAN id ${vxlanId}`;
        }),
      ],
      ['In quarantine', String(status.quarantine.length)],
    ],
    [
      {
        title: 'Addresses',
        lines: tableLines(['ADDRESS', 'OF', 'NODE'], owners(network, context)),
      },
      conditionSection(status.conditions, context),
      problemSection({ kind: Network.name, name: meta.name }, context),
      eventSection([network], context),
    ],
  );
}

/** Virtual addresses of services, then tasks, then what nodes have for themselves. */
function owners({ meta }: Network, { view }: DescribeContext): readonly (readonly string[])[] {
  const isHere = ({ networkId }: { readonly networkId: string }): boolean => networkId === meta.id;
  const services = view
    .list(Service, servicesByNetwork(meta.id))
    .flatMap((service) =>
      (service.status.endpoint?.virtualAddresses ?? [])
        .filter(isHere)
        .map(({ address }) => [plainAddress(address), `service ${service.meta.name}`, '-']),
    );
  const tasks = view
    .list(Task, tasksByNetwork(meta.id))
    .filter(({ status }) => isRunnable(status.state))
    .flatMap((task) =>
      (task.status.networks ?? [])
        .filter(isHere)
        .flatMap(({ addresses }) => addresses)
        .map((address) => [
          plainAddress(address),
          `task ${shortName(task)}`,
          nodeNameOf(view, task.status.nodeId),
        ]),
    );
  const nodes = view
    .list(Node)
    .flatMap((node) =>
      (node.status.networks ?? [])
        .filter(isHere)
        .map(({ address }) => [
          plainAddress(address),
          'load balancer',
          nodeNameOf(view, node.meta.id),
        ]),
    );
  const byOwner = (a: readonly string[], b: readonly string[]): number =>
    compareText(a[1] ?? '', b[1] ?? '') || compareText(a[2] ?? '', b[2] ?? '');
  return [services, tasks, nodes].flatMap((rows) => [...rows].sort(byOwner));
}
