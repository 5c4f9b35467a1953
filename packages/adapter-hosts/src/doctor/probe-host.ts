/**
 * What this machine can do: for each runtime and dataplane what it needs, whether it is there, and
 * the one command that installs what is missing.
 */
import { createServer } from 'node:net';
import { createSocket } from 'node:dgram';
import { cpus, hostname, release, totalmem } from 'node:os';
import { probeDataplane } from '../dataplane/probe.js';
import { describeMachine } from '../process/describe-machine.js';
import { installCommand, type HostNeed } from './host-need.js';
import { DOCKER_SOCKET, probeDocker, probeProcesses } from './runtime-needs.js';

/** A runtime or a dataplane, and what it needs here. */
export interface HostUse {
  readonly kind: 'dataplane' | 'runtime';
  readonly name: 'nftables' | 'ipvs' | 'processes' | 'docker';
  /** Everything is there that is not optional. */
  readonly isUsable: boolean;
  readonly needs: readonly HostNeed[];
}

/** A port that hosts use. */
export interface HostPort {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  /** `VXLAN tunnels between nodes`. */
  readonly purpose: string;
  readonly isFree: boolean;
}

/** What a machine can do. */
export interface HostReport {
  readonly machine: {
    readonly hostname: string;
    readonly kernel: string;
    readonly architecture: string;
    readonly cpus: number;
    readonly memoryBytes: number;
  };
  readonly uses: readonly HostUse[];
  readonly ports: readonly HostPort[];
  /** One command that installs every program that is missing for any use; absent: none is. */
  readonly install?: string;
  /** The machine can be a node: it has one dataplane and one runtime at least. */
  readonly isUsable: boolean;
}

/** What {@link probeHost} looks at; every field has a default. */
export interface ProbeHostOptions {
  /** Default: /var/run/docker.sock. */
  readonly dockerSocket?: string;
  /** Ports that have to be free. Default: 4789/udp, for VXLAN. */
  readonly ports?: readonly Omit<HostPort, 'isFree'>[];
  /** How each use is judged. Default: by trying it on this machine. */
  readonly probes?: Readonly<Record<HostUse['name'], () => Promise<readonly HostNeed[]>>>;
}

const KINDS: readonly (readonly [HostUse['kind'], HostUse['name']])[] = [
  ['runtime', 'processes'],
  ['runtime', 'docker'],
  ['dataplane', 'nftables'],
  ['dataplane', 'ipvs'],
];

const PORTS: readonly Omit<HostPort, 'isFree'>[] = [
  { protocol: 'udp', port: 4789, purpose: 'VXLAN tunnels between nodes' },
];

/**
 * Looks at this machine. Leaves nothing behind: everything is tried in namespaces that are made for
 * it. Cost: some thirty processes, about a second.
 */
export async function probeHost(options: ProbeHostOptions = {}): Promise<HostReport> {
  const { dockerSocket = DOCKER_SOCKET, ports = PORTS } = options;
  const probes: NonNullable<ProbeHostOptions['probes']> = options.probes ?? {
    processes: probeProcesses,
    docker: () => probeDocker(dockerSocket),
    nftables: () => probeDataplane('nftables'),
    ipvs: () => probeDataplane('ipvs'),
  };
  const uses: HostUse[] = [];
  // One after the other: the trials of the dataplanes use one namespace.
  for (const [kind, name] of KINDS) {
    const needs = await probes[name]();
    const isUsable = needs.every(({ isThere, isOptional }) => isThere || isOptional === true);
    uses.push({ kind, name, isUsable, needs });
  }
  const checked = await Promise.all(
    ports.map(async (port) => ({ ...port, isFree: await isFree(port) })),
  );
  const install = installCommand(uses.flatMap(({ needs }) => needs));
  const hasOne = (kind: HostUse['kind']): boolean =>
    uses.some((use) => use.kind === kind && use.isUsable);
  return {
    machine: {
      hostname: hostname(),
      kernel: release(),
      architecture: describeMachine().platform.architecture,
      cpus: cpus().length,
      memoryBytes: totalmem(),
    },
    uses,
    ports: checked,
    ...(install === undefined ? {} : { install }),
    isUsable: hasOne('dataplane') && hasOne('runtime'),
  };
}

function isFree({ protocol, port }: Omit<HostPort, 'isFree'>): Promise<boolean> {
  return new Promise((resolve) => {
    if (protocol === 'udp') {
      const socket = createSocket('udp4');
      socket.once('error', () => resolve(false));
      socket.bind({ port, address: '0.0.0.0', exclusive: true }, () => {
        socket.close(() => resolve(true));
      });
      return;
    }
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '0.0.0.0', exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}
