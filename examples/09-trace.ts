/**
 * Which way does a packet take, and where does it get lost?
 *
 * Requests are not a model of the network: each is walked through the very iptables and IPVS rules
 * that the nodes were given, in every network namespace on the way. `hops` is the way of the
 * request, `replyHops` that of the answer; `renderHops` of @skep/network prints rules in full.
 *
 * Prints:
 *   a published port, on the node without the task: answered
 *     node1 host         prerouting  DNAT --to-destination 172.18.0.2:8080 (nat)
 *     node1 host         prerouting  tcp 192.168.50.1:32768 -> 172.18.0.2:8080
 *     node1 host         forward     ACCEPT (filter)
 *     node1 host         bridge      tcp 192.168.50.1:32768 -> 172.18.0.2:8080 to ingress_sbox
 *     node1 ingress_sbox prerouting  MARK --set-xmark 0x100/0xffffffff (mangle)
 *     node1 ingress_sbox balance     mark 256 -> 10.0.0.5:8080
 *     node1 ingress_sbox postrouting SNAT --to-source 10.0.0.2 (nat)
 *     node1 ingress_sbox postrouting tcp 10.0.0.2:32768 -> 10.0.0.5:8080
 *     node1 1-ingress    tunnel      VXLAN 4096 to 192.168.50.12 (node2)
 *     node2 1-ingress    bridge      tcp 10.0.0.2:32768 -> 10.0.0.5:8080 to task_web
 *     node2 task_web     prerouting  REDIRECT --to-ports 80 (nat)
 *     node2 task_web     prerouting  tcp 10.0.0.2:32768 -> 10.0.0.5:80
 *     node2 task_web     input       ACCEPT (filter)
 *     node2 task_web     deliver     tcp 10.0.0.2:32768 -> 10.0.0.5:80
 *   a service by its name: answered
 *     node1 1-default    bridge      tcp 10.0.1.4:32768 -> 10.0.1.3:80 to lb_default
 *     node1 lb_default   input       MARK --set-xmark 0x101/0xffffffff (mangle)
 *     node1 lb_default   balance     mark 257 -> 10.0.1.5:80
 *     node1 lb_default   postrouting SNAT --to-source 10.0.1.6 (nat)
 *     node1 lb_default   postrouting tcp 10.0.1.6:32768 -> 10.0.1.5:80
 *     node1 1-default    tunnel      VXLAN 4097 to 192.168.50.12 (node2)
 *     node2 1-default    bridge      tcp 10.0.1.6:32768 -> 10.0.1.5:80 to task_web
 *     node2 task_web     deliver     tcp 10.0.1.6:32768 -> 10.0.1.5:80
 *   a port that nobody published: nobody listens on 192.168.50.11:9090
 *     node1 host         deliver     tcp 192.168.50.1:32769 -> 192.168.50.11:9090
 *   node2 is gone, and nobody knows yet: the tunnel end point 192.168.50.12 does not answer
 *     node1 1-ingress    drop        the tunnel end point 192.168.50.12 does not answer
 */
import { Network, Task } from '@skep/api';
import { createCluster } from 'skep';

const cluster = await createCluster({ nodes: 2 });
await cluster.apply(`
services:
  web:
    image: example/web:1
    ports: ["8080:80"]
    deploy: { placement: { constraints: [node.hostname == node2] } }
  client:
    image: example/client:1
    deploy: { placement: { constraints: [node.hostname == node1] } }
`);
await cluster.settle();

trace('a published port, on the node without the task', 'node1:8080');
trace('a service by its name', 'http://web/', 'client');
trace('a port that nobody published', 'node1:9090');
cluster.lose('node2');
trace('node2 is gone, and nobody knows yet', 'node1:8080');
await cluster.stop();

function trace(title: string, target: string, from?: string): void {
  const { outcome, reason, hops } = cluster.request(target, from === undefined ? {} : { from });
  console.log(`${title}: ${reason ?? outcome}`);
  // Of what fails, only the place where it does.
  for (const { node, namespace, hook, text } of outcome === 'answered' ? hops : hops.slice(-1)) {
    // Of a rule, what it does and its table.
    const step = withNames(text.replace(/^(\w+)\/\S+ .* -j (.*)$/, '$2 ($1)'));
    console.log(`  ${withNames(`${node} ${namespace}`).padEnd(18)} ${hook.padEnd(11)} ${step}`);
  }
}

/** Namespaces are named after tasks and networks, by their ids. */
function withNames(text: string): string {
  const view = cluster.view();
  const tasks = view.list(Task).map(({ meta, spec }) => [meta.id, spec.serviceName] as const);
  const networks = view.list(Network).map(({ meta }) => [meta.id, meta.name] as const);
  return [...tasks, ...networks].reduce((out, [id, name]) => out.replaceAll(id, name), text);
}
