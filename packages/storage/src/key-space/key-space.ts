import type { Address, Backend, Page, ScanOptions, Value, Write } from '../backend';
import { checkName } from '../check-arguments';
import { copyValue } from '../copy-value';
import { errorCode, StorageError } from '../errors';
import { BatchError, type BatchOutcome } from './batch-error';
import { checkKeys } from './check-items';
import { sortKeys } from './compare-keys';
import { KeyPattern } from './key-pattern';
import { partitionOf, PARTITIONS } from './partition-of';

export interface RoleOptions {
  /**
   * Begins the name of everything that is kept, so that several can share one server: up to 512 bytes, empty unless
   * given. Another prefix sees nothing of this one, also where one begins with the other.
   */
  readonly keyPrefix?: string;
  /** Whether `disconnect()` closes the backend too: true unless given. False for one that others use as well. */
  readonly ownsBackend?: boolean;
}

/** What keeps the keys of one role apart from those of another with the same prefix. None ends with another. */
export type SpaceKind = 'cache' | 'database' | 'cached' | `cached-${string}`;

/** A write of one flat key, or why there is none. */
export type KeyWrite = { readonly key: string } & (
  { readonly write: Write } | { readonly error: StorageError }
);

const MAX_AT_ONCE = 1_000;
/** Deletes of one batch: those of all partitions that are cleared at the same time come together at one server. */
const CLEARED_AT_ONCE = 250;
/** Partitions that are gone through at the same time. */
const SCANS_AT_ONCE = 8;
const MAX_PREFIX_BYTES = 512;

/** Flat keys over the partitions of a backend: what both roles share. */
export class KeySpace {
  readonly backend: Backend;
  readonly keyPrefix: string;
  readonly #kind: SpaceKind;
  readonly #partitions: readonly string[];
  readonly #ownsBackend: boolean;
  #state: 'new' | 'connected' | 'disconnected' = 'new';

  constructor(backend: Backend, kind: SpaceKind, { keyPrefix = '', ownsBackend = true }: RoleOptions) {
    if (keyPrefix !== '') checkName(keyPrefix, 'keyPrefix');
    if (Buffer.byteLength(keyPrefix) > MAX_PREFIX_BYTES)
      throw new StorageError('KEY_INVALID', `A keyPrefix takes at most ${MAX_PREFIX_BYTES} bytes.`);
    this.backend = backend;
    this.keyPrefix = keyPrefix;
    this.#kind = kind;
    this.#ownsBackend = ownsBackend;
    this.#partitions = Array.from(
      { length: PARTITIONS },
      (_, number) => `${keyPrefix}${kind}:${number.toString(16).padStart(2, '0')}`,
    );
  }

  get isConnected(): boolean {
    return this.#state === 'connected';
  }

  async connect(): Promise<void> {
    this.#refuseDisconnected();
    await this.backend.open();
    this.#refuseDisconnected();
    this.#state = 'connected';
  }

  async disconnect(): Promise<void> {
    this.#state = 'disconnected';
    if (this.#ownsBackend) await this.backend.close();
  }

  address(key: string): Address {
    checkName(key, 'key');
    return { partition: this.#partitions[partitionOf(key)]!, key };
  }

  /**
   * What is given before anybody has connected is not written in the same turn, in which it may still be changed. Nor is what
   * goes behind the first thousand of one call.
   *
   * @param place among those of one call
   */
  taken(value: unknown, place = 0): Value {
    if (this.isConnected && place < MAX_AT_ONCE) return value as Value;
    return copyValue(value as Value, this.backend.capabilities.maxValueBytes);
  }

  async get<T>(key: string): Promise<T | undefined> {
    if (!this.isConnected) await this.connect();
    return (await this.backend.get(this.address(key)))?.value as T | undefined;
  }

  async mget<T>(keys: readonly string[]): Promise<(T | undefined)[]> {
    if (!this.isConnected) await this.connect();
    checkKeys(keys);
    const addresses = keys.map((key) => this.address(key));
    const found: (T | undefined)[] = [];
    for (const some of chunks(addresses))
      for (const item of await this.backend.getMany(some)) found.push(item?.value as T | undefined);
    return found;
  }

  /** @throws {BatchError} when some were written and some were not */
  async write(writes: readonly KeyWrite[]): Promise<void> {
    if (!this.isConnected) await this.connect();
    const outcomes = new Map<KeyWrite, BatchOutcome>();
    const good: (KeyWrite & { write: Write })[] = [];
    for (const one of writes) {
      if ('write' in one) good.push(one);
      else outcomes.set(one, { key: one.key, status: 'failed', error: one.error });
    }
    let failure: Error | undefined;
    for (const some of chunks(good)) {
      // What the backend did not answer for as a whole, it will not answer for the next thousand either.
      if (failure === undefined)
        try {
          const answers = await this.backend.batch(some.map(({ write }) => write));
          answers.forEach((answer, index) => {
            const { key } = some[index]!;
            const outcome: BatchOutcome =
              answer.status === 'failed' ? { key, ...answer } : { key, status: 'written' };
            outcomes.set(some[index]!, outcome);
          });
          continue;
        } catch (error) {
          failure = error as Error;
        }
      for (const one of some) outcomes.set(one, { key: one.key, status: 'failed', error: failure });
    }
    const inOrder = writes.map((one) => outcomes.get(one)!);
    if (failure !== undefined && inOrder.every((one) => one.status === 'failed' && one.error === failure))
      throw failure;
    if (inOrder.some(({ status }) => status === 'failed')) throw new BatchError(inOrder);
  }

  async delete(key: string): Promise<boolean> {
    if (!this.isConnected) await this.connect();
    return await this.backend.delete(this.address(key));
  }

  /** Values and lists alike, without reading either. */
  async exists(key: string): Promise<boolean> {
    if (!this.isConnected) await this.connect();
    try {
      return (await this.backend.length(this.address(key))) > 0;
    } catch (error) {
      if (errorCode(error) === 'WRONG_TYPE') return true;
      throw error;
    }
  }

  async keys(pattern?: string): Promise<string[]> {
    if (!this.isConnected) await this.connect();
    const wanted = pattern === undefined ? undefined : new KeyPattern(pattern);
    const prefix = wanted?.prefix ?? '';
    if (Buffer.byteLength(prefix) > 1_024) return [];
    if (wanted?.isLiteral === true) return prefix !== '' && (await this.exists(prefix)) ? [prefix] : [];
    const found: string[] = [];
    const range = prefix === '' ? {} : { range: { prefix } };
    await this.#eachPage({ ...range, limit: MAX_AT_ONCE }, (keys) => {
      for (const key of keys) if (wanted === undefined || wanted.matches(key)) found.push(key);
    });
    return sortKeys(found);
  }

  async clear(): Promise<void> {
    if (!this.isConnected) await this.connect();
    const isPartial = await this.#eachPage({ limit: CLEARED_AT_ONCE }, async (keys, partition) => {
      const outcomes = await this.backend.batch(keys.map((key) => ({ type: 'delete', partition, key })));
      const failed = outcomes.find((outcome) => outcome.status === 'failed');
      if (failed?.status === 'failed') throw failed.error;
    });
    if (isPartial)
      throw new StorageError(
        'UNAVAILABLE',
        `The ${this.backend.name} backend cannot be reached, and what it has cannot be cleared: it would be there again. Only what was written meanwhile is deleted. Clear it again later.`,
      );
  }

  /** Tells whether a page was only a part. */
  async #eachPage(
    options: ScanOptions,
    visit: (keys: readonly string[], partition: string) => Promise<void> | void,
  ): Promise<boolean> {
    const waiting = [...this.#partitions];
    let isPartial = false;
    const scanSome = async (): Promise<void> => {
      for (let partition = waiting.pop(); partition !== undefined; partition = waiting.pop()) {
        let after: string | undefined;
        do {
          const page: Page<string> = await this.backend.keys(partition, {
            ...options,
            ...(after === undefined ? {} : { after }),
          });
          isPartial ||= page.isPartial === true;
          if (page.items.length > 0) await visit(page.items, partition);
          after = page.next;
        } while (after !== undefined);
      }
    };
    await Promise.all(Array.from({ length: SCANS_AT_ONCE }, scanSome));
    return isPartial;
  }

  #refuseDisconnected(): void {
    if (this.#state === 'disconnected')
      throw new StorageError('CLOSED', `The ${this.#kind} on ${this.backend.name} is disconnected.`);
  }
}

function* chunks<T>(all: readonly T[]): Generator<T[]> {
  for (let from = 0; from < all.length; from += MAX_AT_ONCE) yield all.slice(from, from + MAX_AT_ONCE);
}
