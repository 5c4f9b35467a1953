/**
 * Rules in a task's own namespace, for published ports: to the port the task listens on, and
 * nothing else over the ingress network, in or out.
 *
 * **Source:** moby daemon/libnetwork service_linux (redirecter).
 */
import { familyOf, hostPrefix } from '../table/ip.js';
import { addressOf } from '../table/ipv4.js';
import type { HostTable, TaskSandbox } from '../table/node-tables.js';
import { ADDITION, REMOVAL, filterTool, type FilterTable, type Item } from '../render/item.js';
import { taskNamespace } from '../render/rendered.js';

/** The rules of a task; none when it publishes nothing through the mesh. */
export function taskRuleItems(
  host: Pick<HostTable, 'namespacePrefix'>,
  task: TaskSandbox,
): readonly Item[] {
  const ingress = task.endpoints.find(({ isIngress }) => isIngress);
  if (ingress === undefined || task.redirects.length === 0) return [];
  return [ingress.address, ingress.address6].flatMap((address) =>
    address === undefined ? [] : familyRuleItems(host, task, addressOf(address)),
  );
}

function familyRuleItems(
  host: Pick<HostTable, 'namespacePrefix'>,
  task: TaskSandbox,
  address: string,
): readonly Item[] {
  const own = `${address}/${hostPrefix(address)}`;
  const namespace = taskNamespace(host.namespacePrefix, task.taskId);
  const targets = [
    ...new Map(
      task.redirects.map((port) => [`${port.protocol}/${port.targetPort}`, port]),
    ).values(),
  ];
  // One block per table, so that a change of ports takes effect at once and in order.
  const block = (table: FilterTable, rules: readonly string[]): Item => ({
    namespace,
    tool: filterTool(familyOf(address)),
    table,
    key: table,
    addition: ADDITION.rule,
    removal: REMOVAL.mark,
    add: ['-F', ...rules.map((text) => `-A ${text}`)],
    replace: ['-F', ...rules.map((text) => `-A ${text}`)],
    remove: ['-F'],
  });
  return [
    block(
      'nat',
      task.redirects.map(
        ({ protocol, publishedPort, targetPort }) =>
          `PREROUTING -d ${own} -p ${protocol} -m ${protocol} --dport ${publishedPort} ` +
          `-j REDIRECT --to-ports ${targetPort}`,
      ),
    ),
    block('filter', [
      ...targets.map(
        ({ protocol, targetPort }) =>
          `INPUT -d ${own} -p ${protocol} -m ${protocol} --dport ${targetPort} ` +
          '-m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT',
      ),
      ...['sctp', 'udp', 'tcp'].map((protocol) => `INPUT -d ${own} -p ${protocol} -j DROP`),
      ...targets.map(
        ({ protocol, targetPort }) =>
          `OUTPUT -s ${own} -p ${protocol} -m ${protocol} --sport ${targetPort} ` +
          '-m conntrack --ctstate ESTABLISHED -j ACCEPT',
      ),
      ...['sctp', 'udp', 'tcp'].map((protocol) => `OUTPUT -s ${own} -p ${protocol} -j DROP`),
    ]),
  ];
}
