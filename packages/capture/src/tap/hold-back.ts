import type { IncomingMessage, ServerResponse } from 'node:http';
import { heldEndOverHttp2 } from './held-end';
import { AnswerInContext } from './answer-in-context';
import type { HeldAnswer } from './held-answer';
import { HeldWrites } from './held-writes';
import type { ResponseGuard, Sending } from './patch-response';

type Method = (this: ServerResponse, ...args: unknown[]) => unknown;

/**
 * Keeps the end of one answer from its client: the last call, and all of it when it is made by one call. What a
 * client is done with a chunk earlier is held from that chunk on (`Content-Length`, answers without a body).
 */
export class HoldBack implements ResponseGuard {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #onAnswered: (answer: AnswerInContext) => void;
  #isAnswered = false;
  #held: HeldAnswer | undefined;
  /** `undefined` until the head is made; NaN: none is declared. */
  #declaredBytes: number | undefined;
  #offeredBytes = 0;
  #hasPassed = false;

  /** @param onAnswered called once, when the program has given its whole answer. Must not throw. */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    onAnswered: (answer: AnswerInContext) => void,
  ) {
    this.#request = request;
    this.#response = response;
    this.#onAnswered = onAnswered;
  }

  /** Calls a method of the response, or has it called later. */
  send(name: Sending, self: ServerResponse, args: unknown[], method: Method): unknown {
    const response = this.#response;
    if (this.#isAnswered) return method.apply(self, args);
    if (this.#request.httpVersionMajor >= 2) {
      // There the client is done at the end of the stream, and never before.
      if (name !== 'end' || !isChunk(args[0])) return method.apply(self, args);
      this.#held = heldEndOverHttp2(response, args, method);
      return self;
    }
    if (name !== 'end') this.#offeredBytes += byteLength(args);
    const mayEnd = name === 'end' || this.#declaredBytes === undefined || this.#isWhole;
    if (!mayEnd) return method.apply(self, args);
    const held = new HeldWrites(response, this.#hasPassed);
    this.#held = held;
    try {
      return method.apply(self, args);
    } catch (error) {
      this.#held = undefined;
      held.release();
      throw error;
    }
  }

  /** Called after `send`, when what was sent has been noted. */
  sent(name: Sending): void {
    const held = this.#held;
    if (held === undefined) {
      this.#hasPassed ||= !this.#isAnswered;
      return;
    }
    this.#held = undefined;
    this.#declaredBytes ??= declaredBytes(this.#response);
    if (name === 'end' || this.#isWhole) {
      this.#isAnswered = true;
      this.#onAnswered(new AnswerInContext(held));
      return;
    }
    this.#hasPassed = true;
    held.release();
  }

  /** Whether the client has all of it, although the program has not called `end`. */
  get #isWhole(): boolean {
    const { _hasBody: hasBody, headersSent } = this.#response as ServerResponse & {
      readonly _hasBody?: boolean;
    };
    return headersSent && (hasBody === false || this.#offeredBytes >= (this.#declaredBytes ?? NaN));
  }
}

/** What is no chunk, the method itself refuses at once. */
function isChunk(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'string' || typeof value === 'function' || value instanceof Uint8Array;
}

function byteLength([chunk, encoding]: readonly unknown[]): number {
  if (typeof chunk === 'string') {
    return Buffer.byteLength(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
  }
  return chunk instanceof Uint8Array ? chunk.byteLength : 0;
}

/** As it stands in the head that Node has made; a head that somebody makes later is asked for again. */
function declaredBytes(response: ServerResponse): number | undefined {
  const head = (response as { readonly _header?: unknown })._header;
  if (typeof head !== 'string') return undefined;
  return Number(/^content-length: *(\d+)\r$/im.exec(head)?.[1] ?? NaN);
}
