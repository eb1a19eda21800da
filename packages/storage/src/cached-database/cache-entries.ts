import { createHash } from 'node:crypto';
import { isUint8Array } from 'node:util/types';
import type { Value, Write, WriteOutcome } from '../backend';
import type { CacheParts } from '../cache/create-cache-backend';
import { errorCode } from '../errors';
import { KeySpace } from '../key-space/key-space';
import type { Content } from './content';
import type { EntryLifetimes } from './entry-lifetimes';

/** A mark: someone reads or writes it right now, and the database has to be asked. */
export type CacheEntry = Content | { readonly mark: string };

/** Bytes are themselves; JSON is in an array of its own; an empty one says that there is nothing. */
const PENDING = 'pending';
const MAX_AT_ONCE = 1_000;

/**
 * What is cached, and who may put something there. Whoever reads the database first marks the key as pending, and
 * fills it only if that very mark is still there; whoever writes takes the mark away. So a value that was read before
 * a write never gets into the cache after it.
 */
export class CacheEntries {
  readonly #space: KeySpace;
  readonly #now: () => number;
  readonly #lifetimes: EntryLifetimes;

  /** @param database a name for it: what is cached of another, with another name, does not mix with it */
  constructor(
    { backend, keyPrefix, clock }: CacheParts,
    database: string | undefined,
    lifetimes: EntryLifetimes,
  ) {
    const kind = database === undefined ? 'cached' : (`cached-${digestOf(database)}` as const);
    this.#space = new KeySpace(backend, kind, { keyPrefix, ownsBackend: false });
    this.#now = () => clock.now();
    this.#lifetimes = lifetimes;
  }

  connect(): Promise<void> {
    return this.#space.connect();
  }

  async find(keys: readonly string[]): Promise<Map<string, CacheEntry>> {
    const found = new Map<string, CacheEntry>();
    for (let from = 0; from < keys.length; from += MAX_AT_ONCE) {
      const addresses = keys.slice(from, from + MAX_AT_ONCE).map((key) => this.#space.address(key));
      for (const item of await this.#space.backend.getMany(addresses)) {
        const entry = item && decode(item.value, item.version);
        if (entry !== undefined) found.set(item!.key, entry);
      }
    }
    return found;
  }

  /** Marks keys of which the cache knows nothing. Those that are missing in the answer are in other hands. */
  async lease(keys: readonly string[]): Promise<Map<string, string>> {
    return this.#written(keys, (key) => this.#set(key, PENDING, { ifAbsent: true }));
  }

  /** Marks keys whatever the cache knows. */
  async mark(keys: readonly string[]): Promise<Map<string, string>> {
    return this.#written(keys, (key) => this.#set(key, PENDING, {}));
  }

  async put(key: string, content: Content): Promise<string | undefined> {
    const written = await this.#written([key], () => this.#put(key, content, {}));
    return written.get(key);
  }

  /** Resolves to the keys whose mark was gone. */
  async fill(contents: ReadonlyMap<string, Content>, marks: ReadonlyMap<string, string>): Promise<string[]> {
    const keys = [...contents.keys()].filter((key) => marks.has(key));
    const outcomes = await this.#batch(
      keys.map((key) => this.#put(key, contents.get(key)!, { ifVersion: marks.get(key)! })),
    );
    return keys.filter((_, index) => {
      const outcome = outcomes[index]!;
      if (outcome.status === 'failed' && errorCode(outcome.error) !== 'CONFLICT') throw outcome.error;
      return outcome.status === 'failed' || outcome.status === 'missing';
    });
  }

  /** Takes away marks that lead to nothing, unless others have put something in their place. */
  async release(marks: ReadonlyMap<string, string>): Promise<void> {
    await this.#batch(
      [...marks].map(([key, ifVersion]) => ({ type: 'delete', ...this.#space.address(key), ifVersion })),
    );
  }

  async drop(keys: readonly string[]): Promise<void> {
    const outcomes = await this.#batch(keys.map((key) => ({ type: 'delete', ...this.#space.address(key) })));
    const failed = outcomes.find((outcome) => outcome.status === 'failed');
    if (failed?.status === 'failed') throw failed.error;
  }

  clear(): Promise<void> {
    return this.#space.clear();
  }

  #put(key: string, content: Content, condition: { readonly ifVersion?: string }): Write {
    if (content !== 'nothing') {
      const { value } = content;
      return this.#set(key, isUint8Array(value) ? value : [value], condition);
    }
    if (this.#lifetimes.nothingMs > 0) return this.#set(key, [], condition);
    return { type: 'delete', ...this.#space.address(key), ...condition };
  }

  #set(
    key: string,
    value: Value,
    condition: { readonly ifVersion?: string; readonly ifAbsent?: boolean },
  ): Write {
    const { valueMs, nothingMs, pendingMs } = this.#lifetimes;
    const isNothing = Array.isArray(value) && value.length === 0;
    const lifetimeMs = value === PENDING ? pendingMs : isNothing ? nothingMs : valueMs;
    const expiresAt = this.#now() + lifetimeMs;
    return { type: 'set', ...this.#space.address(key), value, expiresAt, ...condition };
  }

  async #written(keys: readonly string[], toWrite: (key: string) => Write): Promise<Map<string, string>> {
    const outcomes = await this.#batch(keys.map(toWrite));
    const versions = new Map<string, string>();
    outcomes.forEach((outcome, index) => {
      if (outcome.status === 'failed') throw outcome.error;
      if (outcome.status === 'written') versions.set(keys[index]!, outcome.version);
    });
    return versions;
  }

  async #batch(writes: readonly Write[]): Promise<WriteOutcome[]> {
    const outcomes: WriteOutcome[] = [];
    for (let from = 0; from < writes.length; from += MAX_AT_ONCE)
      outcomes.push(...(await this.#space.backend.batch(writes.slice(from, from + MAX_AT_ONCE))));
    return outcomes;
  }
}

/** Always as long, so that no name ends with another. */
function digestOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 16);
}

function decode(stored: Value, version: string): CacheEntry | undefined {
  if (stored === PENDING) return { mark: version };
  if (isUint8Array(stored)) return { value: stored };
  if (!Array.isArray(stored) || stored.length > 1) return undefined;
  return stored.length === 0 ? 'nothing' : { value: stored[0] as Value };
}
