import type {
  Address,
  AppendOptions,
  Backend,
  Item,
  Page,
  PageOptions,
  ScanOptions,
  SetOptions,
  Value,
  ValueItem,
  Write,
  WriteOutcome,
} from '../backend';
import { StorageError } from '../errors';
import { Journal } from './journal';

/** Asked for what only the backend that is away can know. */
export class CannotKnowError extends StorageError {
  constructor(what: string) {
    super(
      'UNAVAILABLE',
      `The backend cannot be reached, and ${what} cannot be known without it. What is written meanwhile is kept.`,
    );
    this.name = 'StorageError';
  }
}

export interface OverlayOptions {
  /** Tells the journals of several apart that share a store. */
  readonly name: string;
  /** Begins the names of all partitions that are written; only those are cleared. */
  readonly partitionPrefix: string;
  readonly reads: 'known' | 'partial';
  readonly newId: () => string;
}

/** What lies over a backend that is away: the writes made meanwhile, and what is known by them. */
export class Overlay {
  readonly store: Backend;
  readonly journal: Journal;
  readonly #options: OverlayOptions;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(store: Backend, options: OverlayOptions) {
    this.store = store;
    this.journal = new Journal(store, options.name);
    this.#options = options;
  }

  /** Finds what an earlier process has left, or clears what it had no time to. */
  async open(): Promise<void> {
    await this.store.open();
    await this.journal.open();
    if (this.journal.length === 0) await this.clear();
  }

  async get(address: Address): Promise<ValueItem | undefined> {
    const found = await this.store.get(address);
    if (found === undefined) await this.#mustKnow([address]);
    return found;
  }

  async getMany(addresses: readonly Address[]): Promise<(ValueItem | undefined)[]> {
    const found = await this.store.getMany(addresses);
    await this.#mustKnow(addresses.filter((_, index) => found[index] === undefined));
    return found;
  }

  async range(address: Address, start?: number, end?: number): Promise<Value[]> {
    const found = await this.store.range(address, start, end);
    await this.#mustKnow([address]);
    return found;
  }

  async length(address: Address): Promise<number> {
    const found = await this.store.length(address);
    await this.#mustKnow([address]);
    return found;
  }

  async scan(partition: string, options?: ScanOptions): Promise<Page<Item>> {
    this.#mayBePartial('what else is in a partition');
    return this.store.scan(partition, options);
  }

  async partitions(prefix?: string, options?: PageOptions): Promise<Page<string>> {
    this.#mayBePartial('which other partitions there are');
    const { items, ...rest } = await this.store.partitions(prefix, options);
    return { ...rest, items: items.filter((name) => !isInternal(name)) };
  }

  /** Writes one after the other: each is decided by what the ones before have left. */
  async write(write: Write, since: string): Promise<WriteOutcome> {
    const result = this.#writing.then(() => this.#write(write, since));
    this.#writing = result.catch(() => undefined);
    return result;
  }

  /** Forgets what was known, after it was replayed. */
  async clear(): Promise<void> {
    const { partitionPrefix } = this.#options;
    for (const prefix of [partitionPrefix, goneIn(partitionPrefix)]) {
      for (let page = await this.store.partitions(prefix); page.items.length > 0;) {
        for (const name of page.items) {
          if (prefix === partitionPrefix && isInternal(name)) continue;
          await this.#empty(name);
        }
        if (page.next === undefined) break;
        page = await this.store.partitions(prefix, { after: page.next });
      }
    }
  }

  async #empty(partition: string): Promise<void> {
    for (;;) {
      const { items } = await this.store.scan(partition, { limit: 1_000 });
      if (items.length === 0) return;
      const outcomes = await this.store.batch(items.map(({ key }) => ({ type: 'delete', partition, key })));
      const failed = outcomes.find((outcome) => outcome.status === 'failed');
      if (failed !== undefined) throw failed.error;
    }
  }

  async #write(write: Write, since: string): Promise<WriteOutcome> {
    const there = await this.#find(write);
    const refusal = await this.#condition(write, there);
    if (refusal !== undefined) return refusal;
    const made =
      write.type === 'delete' || write.version !== undefined
        ? write
        : { ...write, version: this.#options.newId() };
    // First the journal: what is known and not replayed would be gone when the backend is back.
    const entry = { write: made, since, ...(there === undefined ? {} : { before: there.version }) };
    const key = await this.journal.add(entry);
    try {
      if (made.type !== 'append') await this.#markGone(made);
      return await this.#apply(made);
    } catch (error) {
      await this.journal.remove(key);
      throw error;
    }
  }

  async #apply(write: Write): Promise<WriteOutcome> {
    const address = { partition: write.partition, key: write.key };
    switch (write.type) {
      case 'delete':
        return { status: (await this.store.delete(address)) ? 'deleted' : 'missing' };
      case 'set': {
        const version = await this.store.set(address, write.value, optionsOf(write));
        return { status: 'written', version: version! };
      }
      case 'append': {
        const length = await this.store.append(address, write.values, optionsOf(write));
        return { status: 'written', version: write.version!, length };
      }
    }
  }

  /** What a condition comes to, or `undefined` when the write is to be made. */
  async #condition(write: Write, there: Item | undefined): Promise<WriteOutcome | undefined> {
    const ifVersion = write.type === 'append' ? undefined : write.ifVersion;
    const ifAbsent = write.type === 'set' && write.ifAbsent === true;
    if (ifVersion === undefined && !ifAbsent) return undefined;
    if (there === undefined && !(await this.#isGone(write))) {
      throw new CannotKnowError('whether the condition of a write holds');
    }
    if (ifAbsent) return there === undefined ? undefined : { status: 'exists' };
    if (there?.version === ifVersion) return undefined;
    if (write.type === 'delete' && there === undefined) return { status: 'missing' };
    throw new StorageError('CONFLICT', 'Nothing was written: the version is another. Read it again.');
  }

  async #find({ partition, key }: Address): Promise<Item | undefined> {
    const { items } = await this.store.scan(partition, { range: { gte: key, lte: key }, limit: 1 });
    return items[0];
  }

  async #mustKnow(addresses: readonly Address[]): Promise<void> {
    if (this.#options.reads === 'partial' || addresses.length === 0) return;
    const gone = await this.store.getMany(
      addresses.map(({ partition, key }) => ({ partition: goneIn(partition), key })),
    );
    if (gone.includes(undefined)) throw new CannotKnowError('what was there before');
  }

  #mayBePartial(what: string): void {
    if (this.#options.reads === 'known') throw new CannotKnowError(what);
  }

  async #isGone({ partition, key }: Address): Promise<boolean> {
    return (await this.store.get({ partition: goneIn(partition), key })) !== undefined;
  }

  /** From now on, what the backend had under this address does not count. */
  async #markGone({ partition, key }: Address): Promise<void> {
    await this.store.set({ partition: goneIn(partition), key }, true);
  }
}

const goneIn = (partition: string): string => `\0recap-gone:${partition}`;
const isInternal = (partition: string): boolean => partition.startsWith('\0recap-');

function optionsOf(write: SetOptions | AppendOptions): AppendOptions {
  const { expiresAt, version } = write;
  return {
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(version === undefined ? {} : { version }),
  };
}
