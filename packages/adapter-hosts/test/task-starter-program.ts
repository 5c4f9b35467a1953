/**
 * An agent's part of starting and stopping tasks, as a process of its own that tests kill: one task
 * after the other is prepared and started, or shut down and removed, some milliseconds apart. Says
 * `done` whenever one is.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { CONTEXT, never, shellTask } from '../src/__fixtures__/tasks.js';
import { processRuntime } from '../src/process/process-runtime.js';

const [what, stateFolder = '', line = '', apartMs = '', ...ids] = process.argv.slice(2);
const runtime = processRuntime({ stateFolder });

async function drive(id: string): Promise<void> {
  const handle = runtime.task(shellTask(id, line), CONTEXT);
  if (what === 'start') {
    await handle.prepare(never());
    await handle.start(never());
  } else {
    await handle.shutdown(never());
    await handle.remove();
  }
  process.stdout.write('done\n');
}

void Promise.all(
  ids.map(async (id, at) => {
    await sleep(at * Number(apartMs));
    await drive(id);
  }),
);
