/**
 * What names can my containers use, and what do they mean?
 *
 * A service's name means its virtual address (VIP), `tasks.NAME` the addresses of its tasks; with
 * `endpoint_mode: dnsrr` there is no VIP and the name means the tasks. Aliases belong to a network,
 * and so does every name: who is not in the network does not see it.
 *
 * Prints:
 *   client$ lookup web          10.0.2.3                    the VIP
 *   client$ lookup WWW.         10.0.2.3                    an alias, in any case
 *   client$ lookup web.front    10.0.2.3                    with the name of the network
 *   client$ lookup tasks.web    10.0.2.6 10.0.2.7           its tasks
 *   client$ lookup nobody.front NXDOMAIN                    no such name there, for sure
 *   client$ lookup db           forwarded                   not in its networks: none of ours
 *   worker$ lookup db           10.0.1.3 10.0.1.4 10.0.1.5  no VIP: the tasks, in any order
 *   worker$ curl http://db/     answered
 *   client$ curl http://db/     unresolved                  the name 'db' is not known
 *   client$ lookup web          NOERROR                     known, and nobody there
 *   client$ curl http://web/    unresolved                  the name 'web' has no address now
 */
import { createCluster } from 'skep';

const cluster = await createCluster({ nodes: 2 });
await cluster.apply(`
services:
  web:
    image: example/web:1
    deploy: { replicas: 2 }
    networks: { front: { aliases: [www] } }
  db:
    image: example/db:1
    deploy: { replicas: 3, endpoint_mode: dnsrr }
    networks: [back]
  client: { image: example/client:1, networks: [front] }
  worker: { image: example/worker:1, networks: [front, back] }
networks: { front: {}, back: {} }
`);
await cluster.settle();

lookup('client', 'web', 'the VIP');
lookup('client', 'WWW.', 'an alias, in any case');
lookup('client', 'web.front', 'with the name of the network');
lookup('client', 'tasks.web', 'its tasks');
lookup('client', 'nobody.front', 'no such name there, for sure');
lookup('client', 'db', 'not in its networks: none of ours');
lookup('worker', 'db', 'no VIP: the tasks, in any order');

request('worker', 'http://db/');
request('client', 'http://db/');

// A service without a running task keeps its name.
await cluster.scale('web', 0);
await cluster.settle();
lookup('client', 'web', 'known, and nobody there');
request('client', 'http://web/');
await cluster.stop();

function lookup(from: string, name: string, remark: string): void {
  const { outcome, addresses } = cluster.lookup(name, { from });
  const answer = [...addresses].sort().join(' ') || outcome;
  console.log(`${from}$ lookup ${name.padEnd(12)} ${answer.padEnd(27)} ${remark}`);
}

function request(from: string, url: string): void {
  const { outcome, reason = '' } = cluster.request(url, { from });
  console.log(`${from}$ curl ${url.padEnd(14)} ${outcome.padEnd(27)} ${reason}`);
}
