/**
 * How do I run several stacks side by side, with secrets and configs?
 *
 * The same file may be applied under several names: what is in it gets the name as a prefix, and a
 * network of its own. Secrets and configs reach only the nodes that run tasks which name them, as
 * files in the container. They never change: new content is a new object, and an update.
 *
 * Prints:
 *   blue_web:/etc/app.conf = name = blue
 *   blue_db:/run/secrets/password = sesame
 *   green_web:/etc/app.conf = name = green
 *   green_db:/run/secrets/password = barley
 *   blue_web$ lookup db → 10.0.1.2
 *   green_web$ lookup db → 10.0.2.2
 *   blue_db:/run/secrets/password = open sesame
 *   blue_password-1 is removed
 *   Secret green_password-1: the secret is used by 'green_db'
 *     (remove these services, or take it from them, first)
 *   secrets without blue: green_password-1
 */
import { Secret } from '@skep/api';
import { createCluster } from 'skep';

const cluster = await createCluster({ nodes: 2 });

/** Declares a stack whose password is kept in the secret `secret`. */
async function deploy(stack: string, secret: string, password: string): Promise<void> {
  const text = `
services:
  web: { image: example/web:1, configs: [{ source: app, target: /etc/app.conf }] }
  db: { image: example/db:1, secrets: [{ source: ${secret}, target: password }] }
configs: { app: { file: app.conf } }
secrets: { ${secret}: { file: password.txt } }
`;
  const files: Record<string, string> = { 'app.conf': `name = ${stack}`, 'password.txt': password };
  const readFile = (path: string): Buffer => Buffer.from(files[path.split('/').at(-1) ?? ''] ?? '');
  await cluster.apply([{ path: 'stack.yml', text }], { stack, readFile });
  await cluster.settle();
}

/** The files that the containers of a service see. */
function showFiles(service: string): void {
  for (const { meta, status } of cluster.tasks(service)) {
    const container = cluster.host(status.nodeId ?? '').runtime.container(meta.id);
    for (const { path, data } of container?.files ?? []) {
      console.log(`${service}:${path} = ${Buffer.from(data, 'base64').toString()}`);
    }
  }
}

await deploy('blue', 'password-1', 'sesame');
await deploy('green', 'password-1', 'barley');
for (const service of ['blue_web', 'blue_db', 'green_web', 'green_db']) showFiles(service);

// In its own stack a service is still known by the name that the file gives it.
for (const from of ['blue_web', 'green_web']) {
  console.log(`${from}$ lookup db → ${cluster.lookup('db', { from }).addresses.join()}`);
}

// A new password is a new secret. The old one can go when nobody uses it any more.
await deploy('blue', 'password-2', 'open sesame');
showFiles('blue_db');
for (const reference of ['blue_password-1', 'green_password-1']) {
  const removal = cluster.removeObject({ kind: Secret, reference });
  console.log(await removal.then(() => `${reference} is removed`, refusal));
}

await cluster.removeStack('blue');
await cluster.settle();
const secrets = cluster.view().list(Secret);
console.log(`secrets without blue: ${secrets.map(({ meta }) => meta.name).join()}`);
await cluster.stop();

function refusal({ message }: Error): string {
  return message.replace(' (', '\n  (');
}
