import { connect, type Socket } from 'node:net';
import { describeError } from './describe-value';
import type { RequestSpec } from './request-spec';
import type { Run } from './run';

/** One raw connection. What it got is kept byte for byte. */
export class WireClient {
  readonly #port: number;
  readonly #run: Run;
  readonly #all: WireClient[];
  readonly socket: Socket;
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  #waiting: (() => void)[] = [];
  #isClosed = false;

  private constructor(port: number, run: Run, all: WireClient[]) {
    this.#port = port;
    this.#run = run;
    this.#all = all;
    const label = String(all.length);
    all.push(this);
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    this.socket.on('end', () => {
      run.clientLog.push(`${label} end`);
      this.socket.end();
    });
    this.socket.on('error', (error) => run.clientLog.push(`${label} error ${describeError(error)}`));
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.#isClosed = true;
        this.#wake();
        resolve();
      });
    });
  }

  static async connect(port: number, run: Run, all: WireClient[]): Promise<WireClient> {
    const client = new WireClient(port, run, all);
    if (client.socket.connecting) await new Promise((resolve) => client.socket.once('connect', resolve));
    return client;
  }

  /** Another connection to the same server. */
  another(): Promise<WireClient> {
    return WireClient.connect(this.#port, this.#run, this.#all);
  }

  get received(): Buffer {
    return this.#received;
  }

  get text(): string {
    return this.#received.toString('latin1');
  }

  send(...parts: readonly (string | Buffer)[]): void {
    for (const part of parts)
      this.socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
  }

  /** Resolves when the text has come, or so often; rejects when the connection ends before. */
  async until(wanted: string | RegExp, times = 1): Promise<void> {
    const count = (): number =>
      typeof wanted === 'string' ? this.text.split(wanted).length - 1 : (wanted.exec(this.text)?.length ?? 0);
    while (count() < times) {
      if (this.#isClosed) throw new Error(`The connection ended before ${String(wanted)}: ${this.text}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Resolves when the connection ends, or when the server says that it will do nothing about it. */
  async closedOrLeft(): Promise<void> {
    await Promise.race([this.closed, this.#run.when('left alone')]);
  }

  /** Ends the connection as a client that is killed does. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** A request as text; the connection closes after the answer unless the headers say something else of it. */
export function requestText(spec: RequestSpec = {}): Buffer {
  const { method = 'GET', path = '/', headers = [], body, version = '1.1' } = spec;
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  const lines = [`${method} ${path} HTTP/${version}`];
  if (!names.has('host')) lines.push('Host: recap.test');
  if (!names.has('connection')) lines.push('Connection: close');
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  const bytes = typeof body === 'string' ? Buffer.from(body) : (body ?? Buffer.alloc(0));
  if (body !== undefined && !names.has('transfer-encoding') && !names.has('content-length'))
    lines.push(`Content-Length: ${String(bytes.length)}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}
