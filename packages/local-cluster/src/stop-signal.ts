/**
 * When a process of ours is told to end.
 */

const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** The wish that this process ends. */
export interface EndSignal {
  /** Resolves with the first signal that came, also before; until then the process stays. */
  wait(): Promise<string>;
}

/** Listens from now on for signals that ask this process to end. It does not keep it by that. */
export function listenForEnd(): EndSignal {
  const told = new Promise<string>((resolve) => {
    for (const signal of SIGNALS) process.once(signal, resolve);
  });
  return {
    wait: async () => {
      // An agent whose manager is away has nothing else that would keep it.
      const staying = setInterval(() => undefined, LONGEST_TIMEOUT_MS);
      try {
        return await told;
      } finally {
        clearInterval(staying);
      }
    },
  };
}

/** Calls `work` every so often, never twice at a time; the result ends that. */
export function everySoOften(periodMs: number, work: () => Promise<void> | void): () => void {
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const arm = (): void => {
    timer = setTimeout(() => {
      void Promise.resolve(work()).finally(() => {
        if (!isOver) arm();
      });
    }, periodMs);
  };
  arm();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}
