/**
 * The servers that are asked what the cluster does not know: those that the machine asks itself.
 *
 * **Source:** resolv.conf(5).
 */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';

/** Where a server is asked. */
export interface ServerAddress {
  readonly address: string;
  readonly port: number;
}

const DNS_PORT = 53;
/** A changed file is noticed after this time. */
const KEEP_MS = 5_000;

/** Reads `192.0.2.1`, `192.0.2.1:5353`, `fd00::1` or `[fd00::1]:53`; undefined for the rest. */
export function parseServer(text: string): ServerAddress | undefined {
  if (isIP(text) !== 0) return { address: text, port: DNS_PORT };
  const parts = /^(?:\[([^\]]+)\]|([\d.]+)):(\d{1,5})$/.exec(text);
  const address = parts?.[1] ?? parts?.[2] ?? '';
  const port = Number(parts?.[3]);
  if (isIP(address) === 0 || port < 1 || port > 65_535) return undefined;
  return { address, port };
}

/** The name servers of a resolv.conf, in their order. */
export function nameServersOf(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const [key, server] = line.trim().split(/\s+/);
    return key === 'nameserver' && server !== undefined && isIP(server) !== 0 ? [server] : [];
  });
}

/** The servers of a file, read again when it is older than some seconds. */
export class MachineServers {
  readonly #path: string;
  readonly #now: () => number;
  #servers: readonly string[] = [];
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(path: string, now: () => number) {
    this.#path = path;
    this.#now = now;
  }

  /** None when the file cannot be read. */
  async list(): Promise<readonly string[]> {
    if (this.#now() - this.#readAt >= KEEP_MS) {
      this.#readAt = this.#now();
      const text = await readFile(this.#path, 'utf8').catch(() => '');
      this.#servers = nameServersOf(text);
    }
    return this.#servers;
  }
}
