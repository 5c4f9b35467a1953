/**
 * A network namespace for measurements, and the programs that run in it.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A network namespace that ends with the shell that holds it. */
export class House {
  private readonly folder = mkdtempSync(join(tmpdir(), 'skt-bench-nft-'));
  private readonly shell = new Talker('unshare', ['--net', 'sh']);
  private nft: Talker | undefined;

  /** Gives texts to `nft -f`, one after another; milliseconds that all took. */
  apply(texts: readonly string[]): Promise<number> {
    return this.timed('nft -f', texts);
  }

  /** Makes virtual addresses local, by `ip -batch`; milliseconds. */
  async route(lines: readonly string[]): Promise<number> {
    await this.timed('ip -batch', ['link add br0 type bridge\nlink set br0 up\n']);
    return this.timed('ip -batch', [`${lines.join('\n')}\n`]);
  }

  /**
   * Gives commands to an `nft -i` that runs already; milliseconds until it has answered. Lines are
   * joined: there, each is a transaction of its own.
   */
  async say(text: string): Promise<number> {
    if (this.nft === undefined) {
      const net = `--net=/proc/${this.shell.pid}/ns/net`;
      this.nft = new Talker('nsenter', [net, 'nft', '-i']);
      await this.say('add table ip ready');
    }
    const joined = text.trim().split('\n').join('; ');
    const start = process.hrtime.bigint();
    // It answers in order, and of a table that is not there it says so.
    await this.nft.ask(`${joined}\nlist table ip unknown\n`, /unknown\n/);
    return since(start);
  }

  /** CPU time of the programs that its shell ran so far, kernel included, to 10 ms. */
  cpuMs(): number {
    const fields = readFileSync(`/proc/${this.shell.pid}/stat`, 'utf8').split(') ')[1]?.split(' ');
    return (Number(fields?.[13]) + Number(fields?.[14])) * 10;
  }

  async close(): Promise<void> {
    await this.nft?.close();
    await this.shell.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async timed(command: string, texts: readonly string[]): Promise<number> {
    const files = texts.map((text, at) => {
      const file = join(this.folder, `${at}`);
      writeFileSync(file, text);
      return file;
    });
    const start = process.hrtime.bigint();
    const script = files.map((file) => `${command} ${file}`).join(' && ');
    const answer = await this.shell.ask(`${script}\necho end $?\n`, /end \d+\n/);
    if (!/end 0\n/.test(answer)) throw new Error(`${command}: ${answer}`);
    return since(start);
  }
}

function since(start: bigint): number {
  return Number(process.hrtime.bigint() - start) / 1e6;
}

/** A program that is asked by its standard input. */
class Talker {
  private readonly child: ChildProcessWithoutNullStreams;
  private output = '';
  private heard = (): void => undefined;

  constructor(command: string, args: readonly string[]) {
    this.child = spawn(command, args);
    const hear = (data: Buffer): void => {
      this.output += data.toString();
      this.heard();
    };
    this.child.on('exit', () => this.heard());
    this.child.stdout.on('data', hear);
    this.child.stderr.on('data', hear);
  }

  get pid(): number {
    return this.child.pid ?? Number.NaN;
  }

  /** What it says until something matches. */
  async ask(text: string, end: RegExp): Promise<string> {
    this.output = '';
    this.child.stdin.write(text);
    while (!end.test(this.output)) {
      if (this.child.exitCode !== null) throw new Error(`it ended: ${this.output}`);
      await new Promise<void>((resolve) => {
        this.heard = resolve;
      });
    }
    return this.output;
  }

  async close(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.stdin.end();
    await ended;
  }
}
