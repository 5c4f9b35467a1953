/**
 * How far a long run is, on a terminal.
 */
import { SingleBar } from 'cli-progress';

/** Where progress is shown: standard error, when it is a terminal. */
export type ProgressStream = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
};

/** A bar that may not be there. */
export interface ProgressBar {
  update(done: number, what: string): void;
  stop(): void;
}

const NO_BAR: ProgressBar = Object.freeze({ update: () => undefined, stop: () => undefined });

/** A bar from 0 to the total; none without a terminal. It vanishes when it is stopped. */
export function progressBar(stream: ProgressStream | undefined, total: number): ProgressBar {
  if (stream?.isTTY !== true) return NO_BAR;
  const bar = new SingleBar({
    stream,
    format: '{bar} {percentage}% {what} ({eta_formatted})',
    clearOnComplete: true,
    hideCursor: true,
    fps: 10,
  });
  bar.start(total, 0, { what: '' });
  return {
    update: (done, what) => bar.update(done, { what }),
    stop: () => bar.stop(),
  };
}
