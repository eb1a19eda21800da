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
import { errorCode, StorageError } from '../errors';
import { Brake } from './brake';
import { Journal } from './journal';
import { OverlayNames } from './overlay-names';

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
  /** Tells several apart that share a store; up to 32 characters. */
  readonly name: string;
  readonly reads: 'known' | 'partial';
  /** What the backend takes that is away. */
  readonly maxValueBytes: number;
  /** Whether what it keeps is gone with the process, as by its name memory is. */
  readonly endsWithProcess?: boolean;
  /** Which backend that is: what was written for one is not replayed into another. Absent where nobody can tell. */
  readonly keptFor?: string;
  readonly newId: () => string;
  /** Keeps other processes off what is kept under this name; without it, nobody else can get there. Gives it back. */
  readonly own?: () => () => void;
}

/** What lies over a backend that is away: the writes made meanwhile, and what is known by them. */
export class Overlay {
  readonly store: Backend;
  readonly journal: Journal;
  readonly #options: OverlayOptions;
  readonly #names: OverlayNames;
  #disown: (() => void) | undefined;
  #writing: Promise<unknown> = Promise.resolve();
  #brake: Brake | undefined;
  /** What it knows is of an outage that is over. */
  #isOutdated = false;

  constructor(store: Backend, options: OverlayOptions) {
    this.store = store;
    this.journal = new Journal(store, options.name, options.maxValueBytes, options.keptFor);
    this.#names = new OverlayNames(store, options.name);
    this.#options = options;
  }

  get endsWithProcess(): boolean {
    return this.#options.endsWithProcess ?? this.store.name === 'memory';
  }

  /** Finds what an earlier process has left, or clears what it had no time to. */
  async open(): Promise<void> {
    await this.store.open();
    // Two that number their entries by themselves would write over each other's.
    this.#disown ??= (this.#options.own ?? (() => () => undefined))();
    await this.journal.open();
    if (this.journal.length === 0 || this.#isOutdated) await this.clear();
  }

  async get(address: Address): Promise<ValueItem | undefined> {
    try {
      const found = await this.store.get(this.#here(address));
      if (found !== undefined) return found;
      await this.#mustKnow([address]);
      // What has made it known may have come in between.
      return await this.store.get(this.#here(address));
    } catch (error) {
      // A list that was begun here may be a value there.
      if (errorCode(error) === 'WRONG_TYPE') await this.#mustKnow([address]);
      throw error;
    }
  }

  async getMany(addresses: readonly Address[]): Promise<(ValueItem | undefined)[]> {
    const here = addresses.map((each) => this.#here(each));
    const found = await this.store.getMany(here);
    const missing = addresses.filter((_, index) => found[index] === undefined);
    if (missing.length === 0) return found;
    await this.#mustKnow(missing);
    return await this.store.getMany(here);
  }

  async range(address: Address, start?: number, end?: number): Promise<Value[]> {
    const found = await this.store.range(this.#here(address), start, end);
    await this.#mustKnow([address]);
    return found;
  }

  async length(address: Address): Promise<number> {
    const found = await this.store.length(this.#here(address));
    await this.#mustKnow([address]);
    return found;
  }

  async scan(partition: string, options?: ScanOptions): Promise<Page<Item>> {
    this.#mayBePartial('what else is in a partition');
    return partial(await this.store.scan(this.#names.data(partition), options));
  }

  async keys(partition: string, options?: ScanOptions): Promise<Page<string>> {
    this.#mayBePartial('what else is in a partition');
    return partial(await this.store.keys(this.#names.data(partition), options));
  }

  async partitions(prefix = '', options: PageOptions = {}): Promise<Page<string>> {
    this.#mayBePartial('which other partitions there are');
    return partial(await this.#names.list(prefix, options));
  }

  /** Writes one after the other: each is decided by what the ones before have left. */
  async write(write: Write, since: string): Promise<WriteOutcome> {
    const result = this.#writing.then(async () => {
      await this.#brake?.pass();
      return this.#write(write, since);
    });
    this.#writing = result.catch(() => undefined);
    return result;
  }

  /** While what was written before is replayed, which the brake is told of. */
  async slowedDown(replay: (brake: Brake) => Promise<void>): Promise<void> {
    const brake = new Brake();
    this.#brake = brake;
    try {
      await replay(brake);
    } finally {
      this.#brake = undefined;
      brake.release();
    }
  }

  async close(): Promise<void> {
    const disown = this.#disown;
    this.#disown = undefined;
    try {
      await this.store.close();
    } finally {
      disown?.();
    }
  }

  /** Forgets what was known, after it was replayed. */
  async clear(): Promise<void> {
    // What is there is another process's.
    if (this.#disown === undefined) return;
    this.#isOutdated = true;
    for (const prefix of this.#names.prefixes) {
      for (let names = await this.#begun(prefix); names.length > 0; names = await this.#begun(prefix)) {
        for (const name of names) await this.#empty(name);
      }
    }
    await this.#empty(this.journal.replayed);
    this.#isOutdated = false;
  }

  async #begun(prefix: string): Promise<readonly string[]> {
    return (await this.store.partitions(prefix)).items;
  }

  async #empty(partition: string): Promise<void> {
    for (;;) {
      const { items } = await this.store.keys(partition, { limit: 1_000 });
      if (items.length === 0) return;
      const outcomes = await this.store.batch(items.map((key) => ({ type: 'delete', partition, key })));
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
    await this.#names.note(made.partition);
    const key = await this.journal.add(entry);
    let isApplied = false;
    try {
      const outcome = await this.#apply(made);
      isApplied = true;
      // Behind the value: whoever finds the mark finds that, too.
      if (made.type !== 'append') await this.#markGone(made);
      return outcome;
    } catch (error) {
      await this.journal.remove(key);
      if (isApplied) await this.#takeBack(made, there);
      throw error;
    }
  }

  /** What was there before is known again, or else nothing. */
  async #takeBack(address: Address, there: Item | undefined): Promise<void> {
    if (there?.type === 'value')
      try {
        await this.store.set(this.#here(address), there.value, optionsOf(there));
        return;
      } catch {
        // There is no room for it any more.
      }
    await this.store.delete(this.#here(address));
  }

  async #apply(write: Write): Promise<WriteOutcome> {
    const address = this.#here(write);
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
    const { items } = await this.store.scan(this.#names.data(partition), {
      range: { gte: key, lte: key },
      limit: 1,
    });
    return items[0];
  }

  async #mustKnow(addresses: readonly Address[]): Promise<void> {
    if (this.#options.reads === 'partial' || addresses.length === 0) return;
    const gone = await this.store.getMany(addresses.map((each) => this.#goneAt(each)));
    if (gone.includes(undefined)) throw new CannotKnowError('what was there before');
  }

  #mayBePartial(what: string): void {
    if (this.#options.reads === 'known') throw new CannotKnowError(what);
  }

  async #isGone(address: Address): Promise<boolean> {
    return (await this.store.get(this.#goneAt(address))) !== undefined;
  }

  /** From now on, what the backend had under this address does not count. */
  async #markGone(address: Address): Promise<void> {
    await this.store.set(this.#goneAt(address), true);
  }

  #here({ partition, key }: Address): Address {
    return { partition: this.#names.data(partition), key };
  }

  #goneAt({ partition, key }: Address): Address {
    return { partition: this.#names.gone(partition), key };
  }
}

function partial<T>(page: Page<T>): Page<T> {
  return { ...page, isPartial: true };
}

function optionsOf(write: SetOptions | AppendOptions): AppendOptions {
  const { expiresAt, version } = write;
  return {
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(version === undefined ? {} : { version }),
  };
}
