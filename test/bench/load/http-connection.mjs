import { once } from 'node:events';
import net from 'node:net';
import { SERIAL } from '../bodies.mjs';

const END_OF_HEAD = Buffer.from('\r\n\r\n');

/** The bytes of a request as every connection sends it. */
export function requestBytes(method, path, body) {
  const entity =
    body === undefined
      ? ''
      : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${entity}\r\n${body ?? ''}`);
}

/** The same request again and again, with another number in its body each time, if that has one. */
export function numberedBytes(bytes) {
  const at = bytes.indexOf(SERIAL);
  let serial = Number(SERIAL);
  if (at < 0) return () => bytes;
  return () => {
    const next = Buffer.from(bytes);
    next.latin1Write(String((serial += 1)), at);
    return next;
  };
}

/**
 * One kept-alive connection with at most one request on its way. It reads only answers that have a
 * `Content-Length`, which takes a fraction of what node:http takes, and so leaves the core to the server.
 */
export class HttpConnection {
  #socket;
  #chunks = [];
  #bytes = 0;
  #needed;
  #status = 0;
  #onAnswer;
  isClosed = false;

  static async open(port) {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new HttpConnection(socket);
  }

  constructor(socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#take(chunk));
    // A status of 0 is an answer that never came.
    socket.on('error', () => this.#answer(0));
    socket.on('close', () => {
      this.isClosed = true;
      this.#answer(0);
    });
  }

  /** @param {(status: number) => void} onAnswer when its last byte is here, or with 0 when it cannot come */
  send(bytes, onAnswer) {
    this.#onAnswer = onAnswer;
    if (this.isClosed) this.#answer(0);
    else this.#socket.write(bytes);
  }

  close() {
    this.#socket.destroy();
  }

  #take(chunk) {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#needed ??= this.#readHead();
    if (this.#needed !== undefined && this.#bytes >= this.#needed) this.#answer(this.#status);
  }

  #readHead() {
    const seen = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    const end = seen.indexOf(END_OF_HEAD);
    if (end < 0) return undefined;
    const head = seen.latin1Slice(0, end);
    this.#status = Number(head.slice(9, 12));
    return end + END_OF_HEAD.length + Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  }

  #answer(status) {
    const onAnswer = this.#onAnswer;
    this.#chunks = [];
    this.#bytes = 0;
    this.#needed = undefined;
    this.#onAnswer = undefined;
    onAnswer?.(status);
  }
}
