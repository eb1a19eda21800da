import type { RedisClient } from './redis-client';
import type { RedisScript } from './redis-script';
import { OVERWRITE, OVERWRITE_EXPIRING } from './redis-scripts';

export interface Expiry {
  /** Where it is noted. */
  readonly expiries: string;
  readonly key: string;
  readonly expiresAt: number;
  readonly ttlMs: number;
}

interface Overwrite {
  readonly name: string;
  readonly record: string | Buffer;
  readonly expiry: Expiry | undefined;
  readonly resolve: (wasThere: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** Few enough that the server is at some while the program makes the next. */
const MOST = 8;
/** The server reads 16 KiB at a time. */
const MOST_BYTES = 8 * 1024;

/**
 * Lets items that are overwritten in one turn of the event loop go in one command: the driver takes longer to send a
 * command, and to hear of its answer, than the server takes to set an item.
 */
export class GatheredOverwrites {
  readonly #client: () => RedisClient;
  #waiting: Overwrite[] = [];
  #bytes = 0;

  /** @param client called before each command */
  constructor(client: () => RedisClient) {
    this.#client = client;
  }

  /** Tells whether the item was there; where it was not, nothing is written. */
  make(name: string, record: string | Buffer, expiry?: Expiry): Promise<boolean> {
    if (this.#waiting.length === MOST || this.#bytes + record.length > MOST_BYTES) this.send();
    return new Promise((resolve, reject) => {
      // When all that was awaited in this turn has gone on.
      if (this.#waiting.length === 0) process.nextTick(() => this.send());
      this.#waiting.push({ name, record, expiry, resolve, reject });
      this.#bytes += record.length;
    });
  }

  /** To be called before any other command, which could overtake them. */
  send(): void {
    const overwrites = this.#waiting;
    if (overwrites.length === 0) return;
    this.#waiting = [];
    this.#bytes = 0;
    const [first] = overwrites;
    if (overwrites.length === 1 && first!.expiry === undefined) void this.#sendOne(first!);
    else void this.#sendAll(overwrites);
  }

  async #sendOne({ name, record, resolve, reject }: Overwrite): Promise<void> {
    try {
      resolve((await this.#client().set(name, record, 'XX')) !== null);
    } catch (error) {
      reject(error);
    }
  }

  async #sendAll(overwrites: readonly Overwrite[]): Promise<void> {
    try {
      // With its text: a script that the server does not know needs a second command, which others would overtake.
      const missing = await (overwrites.some(({ expiry }) => expiry !== undefined)
        ? this.#eval(OVERWRITE_EXPIRING, overwrites.flatMap(keysOf), overwrites.flatMap(argumentsOf))
        : this.#eval(
            OVERWRITE,
            overwrites.map(({ name }) => name),
            overwrites.map(({ record }) => record),
          ));
      const places = new Set(missing as readonly number[]);
      overwrites.forEach(({ resolve }, place) => resolve(!places.has(place)));
    } catch (error) {
      // The server looks at what a script may do before its first write, so it is refused as a whole.
      for (const { reject } of overwrites) reject(error);
    }
  }

  #eval(
    { lua }: RedisScript,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown> {
    return this.#client().evalBuffer(lua, keys.length, ...keys, ...args);
  }
}

function keysOf({ name, expiry }: Overwrite): readonly string[] {
  return [name, expiry?.expiries ?? name];
}

function argumentsOf({ record, expiry }: Overwrite): readonly (string | number | Buffer)[] {
  return expiry === undefined ? [record, '', '', ''] : [record, expiry.key, expiry.expiresAt, expiry.ttlMs];
}
