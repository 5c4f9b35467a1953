/**
 * `skep doctor`: says what this machine can do as a node, and what is missing for the rest.
 */
import type { HostNeed, HostReport } from '@skep/adapter-hosts';
import { table } from '../views/summary.js';
import { EXIT, type ExitCode, type Surroundings } from '../surroundings.js';

/** Options of `skep doctor`. */
export interface DoctorOptions {
  readonly json?: boolean;
  /** Default: /var/run/docker.sock. */
  readonly dockerSocket?: string;
}

const MEBIBYTE = 2 ** 20;

/** Prints the report; exit code 1 when the machine cannot be a node. */
export async function doctor(
  options: DoctorOptions,
  surroundings: Pick<Surroundings, 'out'>,
  probe: (options: { dockerSocket?: string }) => Promise<HostReport> = probeThisMachine,
): Promise<ExitCode> {
  const { dockerSocket } = options;
  const report = await probe(dockerSocket === undefined ? {} : { dockerSocket });
  const text = options.json === true ? JSON.stringify(report, null, 2) : renderReport(report);
  surroundings.out(`${text}\n`);
  return report.isUsable ? EXIT.ok : EXIT.unsettled;
}

/** Loaded only here: it brings the client of the engine with it. */
async function probeThisMachine(options: { dockerSocket?: string }): Promise<HostReport> {
  const { probeHost } = await import('@skep/adapter-hosts');
  return probeHost(options);
}

function renderReport({ machine, uses, ports, install, isUsable }: HostReport): string {
  const memory = Math.round(machine.memoryBytes / MEBIBYTE);
  const rows = [
    ...uses.map(({ kind, name, isUsable: can, needs }) => {
      const missing = needs.filter(({ isThere }) => !isThere);
      return [kind, name, can ? 'yes' : 'no', missing.map(needText).join('\n')];
    }),
    ...ports.map(({ protocol, port, purpose, isFree }) => [
      'port',
      `${port}/${protocol}`,
      isFree ? 'yes' : 'no',
      isFree ? '' : `taken, but needed for ${purpose}`,
    ]),
  ];
  return [
    `${machine.hostname}: Linux ${machine.kernel}, ${machine.architecture}, ` +
      `${machine.cpus} CPUs, ${memory} MiB`,
    '',
    table(['', 'NAME', 'CAN BE USED', 'MISSING'], rows),
    '',
    ...(install === undefined ? [] : [`To have more:  ${install}`]),
    isUsable
      ? 'This machine can be a node.'
      : 'This machine cannot be a node: it takes one runtime and one dataplane.',
  ].join('\n');
}

function needText({ name, isOptional, advice }: HostNeed): string {
  return `${name}${isOptional === true ? ' (not needed)' : ''}: ${advice ?? ''}`;
}
