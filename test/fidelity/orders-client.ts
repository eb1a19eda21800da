import { connect, type Socket } from 'node:net';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';

export interface Answer {
  /** Every byte as it came, framing included; only the value of `Date` is blanked. */
  readonly wire: string;
  readonly status: number;
  /** As sent, in order, with duplicates. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The body without framing and content coding, as a client shows it. */
  readonly text: string;
  readonly contentEncoding: string | undefined;
}

interface Head {
  readonly bytes: string;
  readonly headers: Answer['headers'];
}

/** Speaks HTTP/1.1 on one raw connection, one request after the other. */
export class OrdersClient {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #wake: () => void = () => undefined;
  #isClosed = false;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#wake();
    });
    this.#socket.on('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  async send(requestText: string): Promise<Answer> {
    this.#socket.write(requestText);
    const head = await this.#readHead();
    const status = Number(head.bytes.split(' ', 2)[1]);
    const isBodiless = requestText.startsWith('HEAD ') || status === 304;
    const none = Buffer.alloc(0);
    const { framed, body } = isBodiless ? { framed: none, body: none } : await this.#readBody(head);
    const contentEncoding = isBodiless ? undefined : field(head, 'content-encoding');
    return {
      wire: head.bytes.replace(/^Date: .*$/im, 'Date: -') + framed.toString('latin1'),
      status,
      headers: head.headers,
      text: decoded(body, contentEncoding).toString('utf8'),
      contentEncoding,
    };
  }

  close(): void {
    this.#socket.destroy();
  }

  async #readHead(): Promise<Head> {
    const end = await this.#find('\r\n\r\n', 0);
    const bytes = this.#take(end + 4).toString('latin1');
    const headers = bytes
      .split('\r\n')
      .slice(1, -2)
      .map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1).trim()];
      });
    return { bytes, headers };
  }

  async #readBody(head: Head): Promise<{ framed: Buffer; body: Buffer }> {
    const length = field(head, 'content-length');
    if (length !== undefined) {
      await this.#until(() => this.#received.length >= Number(length));
      const body = this.#take(Number(length));
      return { framed: body, body };
    }
    const framed: Buffer[] = [];
    const chunks: Buffer[] = [];
    for (;;) {
      const lineEnd = await this.#find('\r\n', 0);
      const size = parseInt(this.#received.toString('latin1', 0, lineEnd), 16);
      const whole = lineEnd + 2 + size + 2;
      await this.#until(() => this.#received.length >= whole);
      const chunk = this.#take(whole);
      framed.push(chunk);
      if (size === 0) return { framed: Buffer.concat(framed), body: Buffer.concat(chunks) };
      chunks.push(chunk.subarray(lineEnd + 2, -2));
    }
  }

  async #find(text: string, from: number): Promise<number> {
    await this.#until(() => this.#received.includes(text, from));
    return this.#received.indexOf(text, from);
  }

  #take(length: number): Buffer {
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }

  async #until(isThere: () => boolean): Promise<void> {
    while (!isThere()) {
      if (this.#isClosed) throw new Error(`The connection ended within an answer: ${String(this.#received)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function field({ headers }: Head, name: string): string | undefined {
  return headers.find(([each]) => each.toLowerCase() === name)?.[1];
}

function decoded(body: Buffer, coding: string | undefined): Buffer {
  if (coding === 'gzip') return gunzipSync(body);
  if (coding === 'deflate') return inflateSync(body);
  if (coding === 'br') return brotliDecompressSync(body);
  return body;
}
