import type { RedisClient } from './redis-client';
import { OVERWRITE } from './redis-scripts';

interface Overwrite {
  readonly name: string;
  readonly record: string | Buffer;
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
  make(name: string, record: string | Buffer): Promise<boolean> {
    if (this.#waiting.length === MOST || this.#bytes + record.length > MOST_BYTES) this.send();
    return new Promise((resolve, reject) => {
      // When all that was awaited in this turn has gone on.
      if (this.#waiting.length === 0) process.nextTick(() => this.send());
      this.#waiting.push({ name, record, resolve, reject });
      this.#bytes += record.length;
    });
  }

  /** To be called before any other command, which could overtake them. */
  send(): void {
    const overwrites = this.#waiting;
    if (overwrites.length === 0) return;
    this.#waiting = [];
    this.#bytes = 0;
    if (overwrites.length === 1) void this.#sendOne(overwrites[0]!);
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
      const names = overwrites.map(({ name }) => name);
      const records = overwrites.map(({ record }) => record);
      // With its text: a script that the server does not know needs a second command, which others would overtake.
      const missing = await this.#client().evalBuffer(OVERWRITE.lua, names.length, ...names, ...records);
      const places = new Set(missing as readonly number[]);
      overwrites.forEach(({ resolve }, place) => resolve(!places.has(place)));
    } catch (error) {
      // The server looks at what a script may do before its first write, so it is refused as a whole.
      for (const { reject } of overwrites) reject(error);
    }
  }
}
