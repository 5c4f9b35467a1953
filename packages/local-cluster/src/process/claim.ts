/**
 * What only one process at a time may be: the manager of a cluster, the agent of a node, whoever
 * takes a cluster up or down. A socket without a place in the file system says so: it ends with its
 * process, however that ends.
 *
 * Such sockets are seen in their own network namespace only: processes of skep all run in the
 * machine's own.
 *
 * **Source:** unix(7), abstract sockets.
 */
import { createServer } from 'node:net';
import { SkepError } from '@skep/api';

/** Something that this process has and no other. */
export interface Claim {
  release(): Promise<void>;
}

/**
 * Claims a name for this process.
 * @param what - for people: `another up or down of the cluster skep is under way`.
 * @throws unavailable when another process has it.
 */
export function claim(name: string, what: string): Promise<Claim> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const text = cause.code === 'EADDRINUSE' ? what : `${name}: ${cause.message}`;
      reject(new SkepError('unavailable', text, { cause, details: { claim: name } }));
    });
    server.listen({ path: `\0skep-${name}` }, () => {
      server.unref();
      const release = (): Promise<void> =>
        new Promise((done) => {
          server.close(() => done());
        });
      resolve({ release });
    });
  });
}
