/**
 * Wakes whoever waits for something to happen to a container. An event only says: look again; so
 * it does not matter that a stream may break and events may be lost meanwhile.
 */
import type Dockerode from 'dockerode';
import { throwIfAborted } from '../task/abort.js';
import { LABELS } from './container-config.js';

/** After a broken stream, the engine is asked for another after this time. */
const RECONNECT_MS = 1_000;
/** Everybody is woken this often, should an event be lost. */
const WAKE_ALL_MS = 30_000;

/** Events of the containers of one node. */
export class EngineEvents {
  readonly #docker: Dockerode;
  readonly #labels: readonly string[];
  readonly #listeners = new Map<string, Set<() => void>>();
  #stream: NodeJS.ReadableStream | undefined;
  #isConnecting = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  #wakeTimer: NodeJS.Timeout | undefined;

  constructor(docker: Dockerode, labels: readonly string[]) {
    this.#docker = docker;
    this.#labels = labels;
  }

  /**
   * Calls `look` at once, whenever something happened to the task's container, and when the stream
   * was opened again, until it returns a value. Rejects with what `look` throws.
   */
  async until<T>(
    taskId: string,
    look: () => Promise<T | undefined>,
    signal: AbortSignal,
  ): Promise<T> {
    let wake = (): void => undefined;
    let isDue = false;
    const listener = (): void => {
      isDue = true;
      wake();
    };
    const listeners = this.#listeners.get(taskId) ?? new Set();
    this.#listeners.set(taskId, listeners.add(listener));
    signal.addEventListener('abort', listener);
    this.#connect();
    try {
      for (;;) {
        isDue = false;
        throwIfAborted(signal);
        const found = await look();
        if (found !== undefined) return found;
        if (!isDue) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      signal.removeEventListener('abort', listener);
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(taskId);
      if (this.#listeners.size === 0) this.#disconnect();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#disconnect();
  }

  #connect(): void {
    if (this.#stream !== undefined || this.#isConnecting || this.#isClosed) return;
    this.#isConnecting = true;
    this.#wakeTimer ??= setInterval(() => this.#wakeAll(), WAKE_ALL_MS).unref();
    const filters = {
      type: ['container'],
      label: [...this.#labels],
      event: ['die', 'health_status', 'destroy', 'oom'],
    };
    this.#docker.getEvents({ filters: JSON.stringify(filters) }).then(
      (stream) => {
        this.#isConnecting = false;
        if (this.#isClosed || this.#listeners.size === 0) {
          destroy(stream);
          return;
        }
        this.#listen(stream);
        this.#wakeAll();
      },
      () => {
        this.#isConnecting = false;
        this.#reconnect();
      },
    );
  }

  #listen(stream: NodeJS.ReadableStream): void {
    this.#stream = stream;
    let rest = '';
    stream.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#heard(line);
    });
    const over = (): void => {
      if (this.#stream !== stream) return;
      this.#stream = undefined;
      this.#reconnect();
    };
    stream.on('end', over);
    stream.on('error', over);
    stream.on('close', over);
  }

  #heard(line: string): void {
    const taskId = taskIdOf(line);
    if (taskId === undefined) return;
    for (const listener of [...(this.#listeners.get(taskId) ?? [])]) listener();
  }

  #reconnect(): void {
    if (this.#isClosed || this.#listeners.size === 0) return;
    // Woken first: with the engine gone, whoever waits has to say so.
    this.#wakeAll();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), RECONNECT_MS);
  }

  #wakeAll(): void {
    for (const listeners of [...this.#listeners.values()]) {
      for (const listener of [...listeners]) listener();
    }
  }

  #disconnect(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#wakeTimer);
    this.#wakeTimer = undefined;
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream !== undefined) destroy(stream);
  }
}

function taskIdOf(line: string): string | undefined {
  if (line.trim() === '') return undefined;
  try {
    const event = JSON.parse(line) as { Actor?: { Attributes?: Record<string, string> } };
    return event.Actor?.Attributes?.[LABELS.task];
  } catch {
    return undefined;
  }
}

function destroy(stream: NodeJS.ReadableStream): void {
  (stream as unknown as { destroy(): void }).destroy();
}
