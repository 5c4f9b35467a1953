/**
 * What a command needs from outside, so that it can be run in a test.
 */
import type { SourceFile } from '@skep/manifest';
import { messageOf } from '@skep/api';
import type { ControlClient } from '@skep/control';
import type { LocalClusters } from './live/local-clusters.js';
import type { ProgressStream } from './views/progress.js';

/** Files, environment and output of a command. */
export interface Surroundings {
  /** Reads a file; `-` is standard input. @throws what the file system throws. */
  readonly readFile: (path: string) => Uint8Array;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  readonly homeDirectory: string;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Writes a file. Absent: commands cannot. @throws what the file system throws. */
  readonly writeFile?: (path: string, text: string) => void;
  /** Loads a module of the user's by its absolute path. Absent: commands cannot. */
  readonly importModule?: (path: string) => Promise<unknown>;
  /** Where a long run shows how far it is. Absent: nowhere. */
  readonly progress?: ProgressStream;
  /** Milliseconds, to say how long something took. Absent: that is not said. */
  readonly clock?: () => number;
  /** Reaches the manager that listens on a unix socket. Absent: there are no running clusters. */
  readonly connect?: (socketPath: string) => ControlClient;
  /** Clusters of this machine, loaded when they are asked for. Absent: commands cannot. */
  readonly local?: () => Promise<LocalClusters>;
  /**
   * Fires when the user wants an end of what goes on for ever (Ctrl-C). Asked for only by such
   * commands: from then on it is theirs to end. Absent: never.
   */
  readonly interruption?: () => AbortSignal;
}

/** Exit codes of the command. */
export const EXIT = Object.freeze({
  /** Everything is as asked. */
  ok: 0,
  /** The input is good, but the cluster is not as declared, or has no answer. */
  unsettled: 1,
  /** Bad input: a file, or an option. */
  badInput: 2,
  /** No cluster answers, or it may not be reached. **Source:** sysexits(3), EX_UNAVAILABLE. */
  unavailable: 69,
  /** skep itself failed. **Source:** sysexits(3), EX_SOFTWARE. */
  fault: 70,
  /** Ended by Ctrl-C before it was done. **Source:** 128 + SIGINT, as shells say it. */
  interrupted: 130,
} as const);

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A command cannot go on; the text is all that the user has to know. */
export class CommandFault extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.badInput) {
    super(message);
    this.name = 'CommandFault';
    this.exitCode = exitCode;
  }
}

/** Reads the named files. @throws CommandFault naming the file that cannot be read. */
export function readSources(
  paths: readonly string[],
  surroundings: Surroundings,
): readonly SourceFile[] {
  if (paths.length === 0) throw new CommandFault('no file was given: use -f FILE');
  return paths.map((path) => ({ path, text: readSource(path, surroundings) }));
}

function readSource(path: string, { readFile }: Surroundings): Uint8Array {
  try {
    return readFile(path);
  } catch (thrown) {
    throw new CommandFault(`${path}: cannot be read: ${messageOf(thrown)} (check the path)`);
  }
}

/** The environment without what is not set. */
export function definedVariables(
  environment: Surroundings['environment'],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
}
