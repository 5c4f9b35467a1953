/**
 * Fingerprints of network namespaces: equal when nothing in them was changed that a dataplane looks
 * at, interfaces, addresses, routes, policy rules, permanent neighbours and forwarding entries,
 * rules of nftables, and the settings that are asked for. Rules of iptables and services of IPVS
 * are not in them.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { namespacePath, searchPath } from './command-runner.js';
import { fingerprintCommand } from './fingerprint-program.js';

/** What a fingerprint is taken of. */
export interface FingerprintRequest {
  /** As in `ip netns`; undefined: that of the caller. */
  readonly namespace: string | undefined;
  /** Settings, as `net.ipv4.ip_forward`. */
  readonly settings: readonly string[];
}

/** Takes fingerprints, in the order of the requests; undefined for what there is none of. */
export type FingerprintTaker = (
  requests: readonly FingerprintRequest[],
) => Promise<readonly (string | undefined)[]>;

const TIMEOUT_MS = 30_000;

/**
 * Takes them by one process. All are undefined when there is no Perl, or too little right: then
 * everything has to be looked at. Cost: some 0.2 ms of CPU time for each namespace.
 */
export const takeFingerprints: FingerprintTaker = async (requests) => {
  const none = requests.map(() => undefined);
  const command = fingerprintCommand(process.arch);
  if (requests.length === 0 || command === undefined) return none;
  const lines = requests.map(({ namespace, settings }) => {
    const path = namespace === undefined ? '-' : namespacePath(namespace);
    return [path, ...settings.map(fileOf)].join(' ');
  });
  const printed = (await print(command, `${lines.join('\n')}\n`)).split('\n');
  // The last line ends with a newline; one that was cut off is none.
  if (printed.length !== requests.length + 1) return none;
  return requests.map((_, at) => {
    const text = printed[at] ?? '';
    return text === '' ? undefined : createHash('sha256').update(text).digest('base64');
  });
};

/** In a name of an interface a dot is written as a slash. */
function fileOf(key: string): string {
  return key.replace(/[./]/g, (one) => (one === '.' ? '/' : '.'));
}

/** What a program prints; nothing when it fails. */
function print([program = '', ...args]: readonly string[], input: string): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { PATH: searchPath(), LC_ALL: 'C' },
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stdin.on('error', () => undefined);
    child.on('error', () => resolve(''));
    child.on('close', (status) => resolve(status === 0 ? Buffer.concat(chunks).toString() : ''));
    child.stdin.end(input);
  });
}
