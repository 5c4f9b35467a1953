/**
 * Answers published ports on the machine itself. A port that another program has is told once, and
 * tried again.
 */
import type { Logger } from '@skep/api';
import { forwardTcp, type Forwarder } from './tcp-forwarder.js';
import { forwardUdp } from './udp-forwarder.js';
import type { PortTarget, WantedPort } from './wanted-ports.js';

/** What became of a port on one address of this machine. */
export interface LocalPort {
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  readonly service: string;
  readonly address: string;
  readonly isOpen: boolean;
  /** Why it is not. */
  readonly reason?: string;
}

/** What a publisher is given. */
export interface PortPublisherOptions {
  readonly logger: Logger;
  /** Addresses of this machine. Default: those of the loopback, of both families. */
  readonly addresses?: readonly string[];
  /** A port that could not be had is tried again after this. Default: 5,000. */
  readonly retryMs?: number;
  /** Called when {@link PortPublisher.ports} says something else. */
  readonly onChange?: () => void;
}

interface Published {
  wanted: WantedPort;
  readonly address: string;
  forwarder: Forwarder | undefined;
  isOpening: boolean;
  reason: string | undefined;
}

const LOOPBACK = ['127.0.0.1', '::1'];
const RETRY_MS = 5_000;

/** Keeps the ports of this machine as they are wanted. */
export class PortPublisher {
  readonly #options: PortPublisherOptions;
  readonly #published = new Map<string, Published>();
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: PortPublisherOptions) {
    this.#options = options;
  }

  /** From now on these ports are answered, and no others. */
  publish(wanted: readonly WantedPort[]): void {
    if (this.#isClosed) return;
    const { addresses = LOOPBACK } = this.#options;
    const keys = new Set<string>();
    for (const port of wanted) {
      for (const address of addresses) {
        const key = `${port.protocol} ${address} ${port.port}`;
        keys.add(key);
        const known = this.#published.get(key);
        if (known !== undefined) known.wanted = port;
        else this.#add(key, port, address);
      }
    }
    for (const [key, published] of this.#published) {
      if (!keys.has(key)) this.#remove(key, published);
    }
  }

  /** All ports, by number, protocol and address. */
  get ports(): readonly LocalPort[] {
    return [...this.#published.values()]
      .map(({ wanted, address, forwarder, reason }) => ({
        port: wanted.port,
        protocol: wanted.protocol,
        service: wanted.service,
        address,
        isOpen: forwarder !== undefined,
        ...(reason === undefined ? {} : { reason }),
      }))
      .sort(
        (a, b) =>
          a.port - b.port || compare(a.protocol, b.protocol) || compare(a.address, b.address),
      );
  }

  /** Answers no port any more; sessions end. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    const all = [...this.#published.values()];
    this.#published.clear();
    await Promise.all(all.map(async ({ forwarder }) => forwarder?.close()));
  }

  #add(key: string, wanted: WantedPort, address: string): void {
    const published: Published = {
      wanted,
      address,
      forwarder: undefined,
      isOpening: false,
      reason: undefined,
    };
    this.#published.set(key, published);
    void this.#open(key, published);
  }

  #remove(key: string, { forwarder }: Published): void {
    this.#published.delete(key);
    void forwarder?.close();
    this.#options.onChange?.();
  }

  async #open(key: string, published: Published): Promise<void> {
    const { wanted, address } = published;
    const { protocol, port, service } = wanted;
    const targets = (): readonly PortTarget[] => published.wanted.targets;
    published.isOpening = true;
    try {
      const forward = protocol === 'tcp' ? forwardTcp : forwardUdp;
      const forwarder = await forward({ address, port, targets });
      // Not wanted any more meanwhile.
      if (this.#published.get(key) !== published) await forwarder.close();
      else published.forwarder = forwarder;
      published.reason = undefined;
    } catch (thrown) {
      const reason = reasonOf(thrown as NodeJS.ErrnoException);
      if (published.reason !== reason) {
        const fields = { port: `${port}/${protocol}`, address, service, reason };
        this.#options.logger.warn('published port not answered here', fields);
      }
      published.reason = reason;
      this.#tryLater();
    } finally {
      published.isOpening = false;
      this.#options.onChange?.();
    }
  }

  #tryLater(): void {
    if (this.#isClosed || this.#retry !== undefined) return;
    const { retryMs = RETRY_MS } = this.#options;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      for (const [key, published] of this.#published) {
        if (published.forwarder !== undefined || published.isOpening) continue;
        void this.#open(key, published);
      }
    }, retryMs).unref();
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'EADDRINUSE') return 'another program has the port';
  if (code === 'EADDRNOTAVAIL') return 'this machine has no such address';
  return message;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
