import type { Backend } from '../backend';
import type { JsonValue } from '../json-value';
import { newId } from '../new-id';

/** Of 4,096 that a message may have; a key takes up to 1,368 as base64. */
const MAX_KEYS_BYTES = 3_000;

/** Undefined keys: all of them. */
export type InvalidationListener = (keys: readonly string[] | undefined) => void;

/** Tells other instances which keys have been written, and hears it from them. */
export class Invalidations {
  readonly #backend: Backend;
  readonly #channel: string;
  readonly #listener: InvalidationListener;
  readonly #sender = newId();
  #end: (() => Promise<void>) | undefined;

  constructor(backend: Backend, keyPrefix: string, listener: InvalidationListener) {
    this.#backend = backend;
    this.#channel = `${keyPrefix}cached:written`;
    this.#listener = listener;
  }

  async start(): Promise<void> {
    if (this.#end !== undefined) return;
    await this.#backend.open();
    this.#end = await this.#backend.subscribe(this.#channel, (message) => this.#hear(message));
  }

  async stop(): Promise<void> {
    const end = this.#end;
    this.#end = undefined;
    await end?.();
  }

  async tell(keys: readonly string[] | undefined): Promise<void> {
    if (keys === undefined) return this.#publish(null);
    let some: string[] = [];
    let bytes = 0;
    for (const key of keys) {
      // Escaped as JSON, a key of 1,024 control characters would not fit into a message.
      const encoded = Buffer.from(key).toString('base64');
      if (bytes + encoded.length + 3 > MAX_KEYS_BYTES) {
        await this.#publish(some);
        some = [];
        bytes = 0;
      }
      some.push(encoded);
      bytes += encoded.length + 3;
    }
    if (some.length > 0) await this.#publish(some);
  }

  #publish(keys: readonly string[] | null): Promise<void> {
    return this.#backend.publish(this.#channel, { from: this.#sender, keys });
  }

  #hear(message: JsonValue): void {
    const { from, keys } = (message ?? {}) as { from?: unknown; keys?: unknown };
    if (from === this.#sender) return;
    if (Array.isArray(keys)) this.#listener(keys.map((key) => Buffer.from(String(key), 'base64').toString()));
    else this.#listener(undefined);
  }
}
