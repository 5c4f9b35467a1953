/**
 * A way to an engine that can be cut at a chosen request: the engine gets it, nobody hears the
 * answer, and nothing gets through any more. So an agent dies that is killed just then.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

/** See the module comment. */
export class EngineProxy {
  readonly path: string;
  readonly #engine: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #fatal: RegExp | undefined;
  #isCut = false;
  #onCut = (): void => undefined;

  constructor(path: string, engine: string) {
    this.path = path;
    this.#engine = engine;
    this.#server = createServer((client) => this.#serve(client));
  }

  start(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(this.path, resolve));
  }

  /** Resolves when a request whose first line matches was sent to the engine, and all is cut. */
  cutAt(fatal: RegExp): Promise<void> {
    this.#fatal = fatal;
    return new Promise((resolve) => {
      this.#onCut = resolve;
    });
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #serve(client: Socket): void {
    if (this.#isCut) {
      client.destroy();
      return;
    }
    const engine = connect(this.#engine);
    for (const socket of [client, engine]) {
      this.#sockets.add(socket);
      // What was cut off complains.
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    }
    client.on('close', () => engine.end());
    engine.on('close', () => client.destroy());
    engine.on('data', (data) => client.write(data));
    client.on('data', (data: Buffer) => {
      engine.write(data);
      const [line = ''] = data.toString('latin1').split('\r\n', 1);
      if (!this.#isCut && this.#fatal?.test(line) === true) this.#cut(engine);
    });
  }

  /** The engine does what it was asked: its side stays until it has answered. */
  #cut(asked: Socket): void {
    this.#isCut = true;
    asked.removeAllListeners('data').resume();
    for (const socket of this.#sockets) if (socket !== asked) socket.destroy();
    this.#onCut();
  }
}
