/**
 * What a runtime or a dataplane needs of this machine, and which package has it.
 */

/** One thing that is needed. */
export interface HostNeed {
  /** `nft`, `the rights of root`, `limits of memory`. */
  readonly name: string;
  readonly isThere: boolean;
  /** Without it, less is possible, but what needs it can still be used. */
  readonly isOptional?: true;
  /** What was found; only when it is not there. */
  readonly reason?: string;
  /** One command or step that gets it; only when it is not there. */
  readonly advice?: string;
}

/** Debian package of each program that hosts use. */
const PACKAGES: Readonly<Record<string, string>> = Object.freeze({
  ...inPackage('iproute2', 'ip bridge'),
  ...inPackage('nftables', 'nft'),
  ...inPackage('conntrack', 'conntrack'),
  ...inPackage('ipvsadm', 'ipvsadm'),
  ...inPackage('procps', 'sysctl'),
  ...inPackage(
    'iptables',
    'iptables iptables-restore iptables-save ip6tables-restore ip6tables-save',
  ),
  ...inPackage('util-linux', 'unshare nsenter pivot_root setpriv prlimit fallocate'),
  ...inPackage('mount', 'mount umount'),
  ...inPackage('coreutils', 'base64 cat cp env mkfifo readlink timeout'),
  ...inPackage('docker.io', 'dockerd'),
});

/** The package that has a program; undefined when no package of Debian is known for it. */
export function packageOf(program: string): string | undefined {
  return Object.hasOwn(PACKAGES, program) ? PACKAGES[program] : undefined;
}

/** The one command that installs what is missing; undefined when nothing can be installed. */
export function installCommand(needs: readonly HostNeed[]): string | undefined {
  const missing = needs
    .filter(({ isThere }) => !isThere)
    .flatMap(({ name }) => packageOf(name) ?? []);
  if (missing.length === 0) return undefined;
  return `apt-get install -y ${[...new Set(missing)].sort().join(' ')}`;
}

function inPackage(name: string, programs: string): Readonly<Record<string, string>> {
  return Object.fromEntries(programs.split(' ').map((program) => [program, name]));
}
