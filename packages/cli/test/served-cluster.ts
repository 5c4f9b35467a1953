/**
 * A simulated cluster behind a real control server, and commands that reach it over its socket.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { controlClient, serveControl } from '@skep/control';
import { createCluster, type Cluster, type ClusterOptions } from 'skep';
import type { Surroundings } from '../src/surroundings.js';
import { skepIn, type Files, type Outcome } from './shell.js';

/** A cluster that commands can be run on. */
export interface ServedCluster {
  readonly cluster: Cluster;
  readonly socket: string;
  /** Runs `skep LINE --socket …`, words parted by blanks. */
  skep(line: string, files?: Files, more?: Partial<Surroundings>): Promise<Outcome>;
  /** Runs `skep WORDS` as they are. */
  words(words: readonly string[], files?: Files, more?: Partial<Surroundings>): Promise<Outcome>;
  close(): Promise<void>;
}

/** Makes a cluster and serves it. */
export async function serveCluster(options: ClusterOptions): Promise<ServedCluster> {
  const cluster = await createCluster(options);
  const folder = mkdtempSync(join(tmpdir(), 'skep-cli-'));
  const socket = join(folder, 'manager.sock');
  const server = await serveControl({ cluster, path: socket });
  const words: ServedCluster['words'] = (given, files = {}, more = {}) =>
    skepIn(given, {
      readFile: (path) => {
        const content = files[path.replace('/work/', '')];
        if (content === undefined) throw new Error(`no such file: ${path}`);
        return typeof content === 'string' ? new TextEncoder().encode(content) : content;
      },
      environment: {},
      workingDirectory: '/work',
      homeDirectory: '/home/somebody',
      clock: () => 0,
      connect: (path) => controlClient({ path }),
      ...more,
    });
  return {
    cluster,
    socket,
    words,
    skep: (line, files, more) => words([...line.split(' '), '--socket', socket], files, more),
    close: async () => {
      await server.close();
      await cluster.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
