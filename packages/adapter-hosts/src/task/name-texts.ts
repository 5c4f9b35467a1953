/**
 * The files of a task by which names are resolved.
 *
 * **Source:** hosts(5), resolv.conf(5).
 */
import type { ContainerSpec } from '@skep/api';

/** What {@link hostsText} is written from. */
export interface HostNames {
  /** Of the task itself, by which it finds itself. */
  readonly hostname: string;
  /** CIDR form. */
  readonly addresses: readonly string[];
  /** Lines of the task's own. */
  readonly hosts: readonly string[] | undefined;
}

/** Text of `/etc/hosts`. */
export function hostsText({ hostname, addresses, hosts = [] }: HostNames): string {
  const own = addresses.map((address) => `${address.split('/')[0] ?? ''} ${hostname}`);
  const lines = ['127.0.0.1 localhost', '::1 localhost ip6-localhost ip6-loopback'];
  return `${[...lines, ...own, ...hosts].join('\n')}\n`;
}

/**
 * Text of `/etc/resolv.conf`. With a name server of ours, which forwards, that one alone:
 * `dns.nameservers` are for host networks.
 */
export function resolvText(dns: ContainerSpec['dns'], nameserver: string | undefined): string {
  const servers = nameserver === undefined ? (dns?.nameservers ?? []) : [nameserver];
  const search = dns?.search ?? [];
  const options = dns?.options ?? (nameserver === undefined ? [] : ['ndots:0']);
  return [
    ...(search.length === 0 ? [] : [`search ${search.join(' ')}`]),
    ...servers.map((server) => `nameserver ${server}`),
    ...(options.length === 0 ? [] : [`options ${options.join(' ')}`]),
    '',
  ].join('\n');
}
