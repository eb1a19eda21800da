import type { Address, Backend, Item, Page, Value } from '../backend';
import { checkText } from '../check-arguments';
import { errorCode } from '../errors';
import { AdaptiveLimit } from './adaptive-limit';
import { MAX_TOLD } from './copy-counts';
import { DigestOfAll, FingerprintMaker } from './fingerprints';
import { sizeOf, type Piece } from './piece';
import { readNextItem } from './read-next-item';

export interface CheckOptions {
  /** Checks only partitions whose names begin with it. */
  readonly prefix?: string;
  readonly onProgress?: (progress: { readonly items: number }) => Promise<void> | void;
  readonly signal?: AbortSignal;
}

export interface Damage extends Address {
  /** Of a list whose elements from this one on cannot be read. */
  readonly element?: number;
  readonly error: Error;
}

export interface CheckResult {
  readonly values: number;
  readonly lists: number;
  readonly elements: number;
  /** Of values and elements, as JSON text or bytes. */
  readonly bytes: number;
  /** Items that cannot be read. */
  readonly damaged: number;
  /** The first 100 of them. */
  readonly damage: readonly Damage[];
  /** SHA-256 over everything that can be read: that of a copy which holds the same. */
  readonly digest: string;
}

const MIB = 2 ** 20;

/**
 * Reads everything that a backend keeps, and finds what it cannot read (`CORRUPT`). Changes nothing.
 *
 * @throws {StorageError} whatever the backend rejects with, `CORRUPT` apart
 */
export async function checkStorage(backend: Backend, options: CheckOptions = {}): Promise<CheckResult> {
  checkText(options.prefix, 'prefix');
  return await new Checking(backend, options).run();
}

class Checking {
  readonly #backend: Backend;
  readonly #options: CheckOptions;
  readonly #limit = new AdaptiveLimit(16, 1_000, 4 * MIB);
  readonly #elements = new AdaptiveLimit(16, 1_000, MIB);
  readonly #maker = new FingerprintMaker();
  readonly #digest = new DigestOfAll();
  readonly #counts = { values: 0, lists: 0, elements: 0, bytes: 0, damaged: 0 };
  readonly #damage: Damage[] = [];

  constructor(backend: Backend, options: CheckOptions) {
    this.#backend = backend;
    this.#options = options;
  }

  async run(): Promise<CheckResult> {
    const { prefix = '' } = this.#options;
    let last: string | undefined;
    do {
      const page: Page<string> = await this.#backend.partitions(
        prefix,
        last === undefined ? {} : { after: last },
      );
      for (const partition of page.items) await this.#partition(partition, partition.slice(prefix.length));
      last = page.next;
    } while (last !== undefined);
    return { ...this.#counts, damage: this.#damage, digest: this.#digest.toString() };
  }

  async #partition(partition: string, name: string): Promise<void> {
    let after: string | undefined;
    let isNarrow = false;
    for (;;) {
      this.#options.signal?.throwIfAborted();
      const limit = isNarrow ? 1 : this.#limit.current;
      let page: Page<Item>;
      try {
        page = await this.#backend.scan(partition, { limit, ...(after === undefined ? {} : { after }) });
      } catch (error) {
        if (errorCode(error) !== 'CORRUPT') throw error;
        // One by one, it shows which it is.
        const next = isNarrow ? await readNextItem(this.#backend, partition, after) : undefined;
        isNarrow = true;
        if (next === undefined) continue;
        if ('unreadable' in next) {
          after = next.unreadable;
          this.#note({ partition: name, key: after, error: error as Error });
          isNarrow = false;
          continue;
        }
        ({ page } = next);
      }
      let bytes = 0;
      for (const item of page.items) {
        bytes += item.type === 'list' ? await this.#list({ partition, key: item.key }, name, item) : 0;
        if (item.type === 'value') bytes += this.#value(name, item);
        const { values, lists, damaged } = this.#counts;
        await this.#options.onProgress?.({ items: values + lists + damaged });
      }
      if (!isNarrow) this.#limit.took(page.items.length, bytes);
      if (page.next === undefined) return;
      after = page.next;
    }
  }

  #value(partition: string, item: Extract<Item, { type: 'value' }>): number {
    const bytes = sizeOf(item.value);
    this.#counts.values += 1;
    this.#counts.bytes += bytes;
    this.#add({ ...item, partition });
    return bytes;
  }

  /** Elements are not counted as bytes of the page: they were not read with it. */
  async #list(address: Address, partition: string, head: Extract<Item, { type: 'list' }>): Promise<number> {
    let isNarrow = false;
    for (let offset = 0; ;) {
      this.#options.signal?.throwIfAborted();
      const limit = isNarrow ? 1 : this.#elements.current;
      let values: Value[];
      try {
        values = await this.#backend.range(address, offset, offset + limit - 1);
      } catch (error) {
        // A value has taken its place meanwhile.
        if (errorCode(error) === 'WRONG_TYPE') return 0;
        if (errorCode(error) !== 'CORRUPT') throw error;
        if (!isNarrow) {
          isNarrow = true;
          continue;
        }
        this.#note({ partition, key: head.key, element: offset, error: error as Error });
        return 0;
      }
      const bytes = values.reduce((sum: number, value) => sum + sizeOf(value), 0);
      if (!isNarrow) this.#elements.took(values.length, bytes);
      this.#counts.elements += values.length;
      this.#counts.bytes += bytes;
      const isLast = values.length < limit;
      this.#add({ ...head, partition, offset, values, isLast });
      offset += values.length;
      if (!isLast) continue;
      this.#counts.lists += 1;
      return 0;
    }
  }

  #add(piece: Piece): void {
    const made = this.#maker.add(piece);
    if (made !== undefined) this.#digest.add(made);
  }

  #note(damage: Damage): void {
    this.#counts.damaged += 1;
    if (this.#damage.length < MAX_TOLD) this.#damage.push(damage);
  }
}
