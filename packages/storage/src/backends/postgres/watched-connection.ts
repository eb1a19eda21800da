import { errorCode } from '../../errors';
import type { PostgresClient } from './postgres-client';

/**
 * Finds out when no answer comes any more, as through a firewall that forgot the connection: one that only listens would
 * wait for ever.
 */
export class WatchedConnection {
  readonly #client: PostgresClient;
  readonly #onFailure: (cause?: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  #turn: Promise<void> = Promise.resolve();
  #waiting = 0;
  #answers = 0;
  #answersAtBeat = 0;
  #isOver = false;

  /**
   * @param intervalMs from one look at it to the next; what is waiting then and gets no answer until the one after never will
   * @param onFailure called once; the connection is still to be released
   */
  constructor(client: PostgresClient, intervalMs: number, onFailure: (cause?: unknown) => void) {
    this.#client = client;
    this.#onFailure = onFailure;
    this.#timer = setInterval(() => this.#beat(), intervalMs);
    this.#timer.unref();
  }

  /** One after the other: `pg` is to be asked nothing while it waits for an answer. */
  async ask(text: string): Promise<void> {
    this.#waiting += 1;
    const mine = this.#turn.then(() => this.#ask(text));
    this.#turn = mine.catch(() => undefined);
    await mine;
  }

  /** Closed rather than used again: it may listen still. */
  release(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
    this.#client.release(true);
  }

  async #ask(text: string): Promise<void> {
    try {
      await this.#client.query({ text });
    } catch (error) {
      // A refusal is an answer, too, and the connection goes on.
      if (isRefusal(error)) this.#noteAnswer();
      else this.#fail(error);
      throw error;
    }
    this.#noteAnswer();
  }

  #noteAnswer(): void {
    this.#waiting -= 1;
    this.#answers += 1;
  }

  #beat(): void {
    if (this.#isSilent) {
      // The answer may be there, unread, where the program was busy for as long.
      setImmediate(() => {
        if (this.#isSilent) this.#fail();
      });
      return;
    }
    this.#answersAtBeat = this.#answers;
    if (this.#waiting === 0) this.ask('SELECT 1').catch(() => undefined);
  }

  get #isSilent(): boolean {
    return this.#waiting > 0 && this.#answers === this.#answersAtBeat;
  }

  #fail(cause?: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#timer);
    this.#onFailure(cause);
  }
}

/** Whether the server said so, by an SQLSTATE other than that it ends the connection. */
function isRefusal(error: unknown): boolean {
  const code = errorCode(error);
  return code?.length === 5 && !code.startsWith('57P') && !code.startsWith('08') && !/^E[A-Z]/.test(code);
}
