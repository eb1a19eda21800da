import type { Exchange } from '../exchange';

/** Exchanges that wait to be written: first in, first out, bounded in number and in bytes. */
export class ExchangeQueue {
  readonly #maxExchanges: number;
  readonly #maxBytes: number;
  #items: Exchange[] = [];
  #head = 0;
  #bytes = 0;

  constructor(maxExchanges: number, maxBytes: number) {
    this.#maxExchanges = maxExchanges;
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** False when there is no room; the exchange is not taken then. */
  offer(exchange: Exchange): boolean {
    const bytes = weightOf(exchange);
    if (this.length >= this.#maxExchanges || this.#bytes + bytes > this.#maxBytes) return false;
    this.#items.push(exchange);
    this.#bytes += bytes;
    return true;
  }

  /** Takes out the oldest, at most `count` of them and, from the second on, about `maxBytes`. */
  take(count: number, maxBytes: number): Exchange[] {
    const taken: Exchange[] = [];
    let bytes = 0;
    while (taken.length < count && bytes < maxBytes) {
      const next = this.#items[this.#head];
      if (next === undefined) break;
      taken.push(next);
      bytes += weightOf(next);
      this.#head += 1;
    }
    this.#bytes -= bytes;
    if (this.#head > 1_024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return taken;
  }
}

/** Scalars and headers weigh about this much; the bodies are counted. */
const BASE_BYTES = 1_024;

function weightOf({ request, response }: Exchange): number {
  return BASE_BYTES + (request.body?.bytes?.length ?? 0) + (response.body?.bytes?.length ?? 0);
}
