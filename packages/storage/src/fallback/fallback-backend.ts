import type {
  Address,
  AppendOptions,
  Backend,
  BackendStats,
  Capabilities,
  DeleteOptions,
  Health,
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
import { checkAddress, checkArray, checkObject } from '../check-arguments';
import type { Clock } from '../clock';
import { copyAddress, copyValue, copyValues, hasAppend, prepareWrite } from '../copy-value';
import { errorCode, StorageError } from '../errors';
import type { JsonFilter } from '../json-filter';
import type { JsonValue } from '../json-value';
import { toDriverWrite } from '../to-driver-write';
import { isTimeOrdered } from '../new-id';
import type { FallbackState } from './fallback-event';
import { CannotKnowError, type Overlay } from './overlay';
import { Switch, type SwitchOptions } from './switch';

/** A backend behind which others stand: they take over while it cannot be reached, and what they were given is replayed. */
export class FallbackBackend implements Backend {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly #primary: Backend;
  readonly #clock: Clock;
  readonly #newId: () => string;
  readonly #switch: Switch;

  constructor(options: SwitchOptions) {
    this.#primary = options.primary;
    this.#clock = options.clock;
    this.#newId = options.newId;
    this.name = options.primary.name;
    this.capabilities = options.primary.capabilities;
    this.#switch = new Switch(options);
  }

  get state(): FallbackState {
    return this.#switch.state;
  }

  open(): Promise<void> {
    return this.#switch.open();
  }

  close(): Promise<void> {
    return this.#switch.close();
  }

  get(address: Address): Promise<ValueItem | undefined> {
    const at = copyAddress(address);
    return this.#read((backend) => backend.get(at));
  }

  async getMany(addresses: readonly Address[]): Promise<(ValueItem | undefined)[]> {
    checkArray(addresses, 'addresses');
    const all = Array.from(addresses, copyAddress);
    return await this.#read((backend) => backend.getMany(all));
  }

  range(address: Address, start?: number, end?: number): Promise<Value[]> {
    const at = copyAddress(address);
    return this.#read((backend) => backend.range(at, start, end));
  }

  length(address: Address): Promise<number> {
    const at = copyAddress(address);
    return this.#read((backend) => backend.length(at));
  }

  scan(partition: string, options?: ScanOptions): Promise<Page<Item>> {
    return this.#read((backend) => backend.scan(partition, options));
  }

  keys(partition: string, options?: ScanOptions): Promise<Page<string>> {
    return this.#read((backend) => backend.keys(partition, options));
  }

  partitions(prefix?: string, options?: PageOptions): Promise<Page<string>> {
    return this.#read((backend) => backend.partitions(prefix, options));
  }

  async set(address: Address, value: Value, options: SetOptions = {}): Promise<string | undefined> {
    checkAddress(address);
    checkObject(options, 'options');
    const { partition, key } = address;
    const made = this.#newId();
    const given = { ...options, version: options.version ?? made };
    const kept = copyValue(value, this.capabilities.maxValueBytes);
    const written = await this.#switch.run(
      'elsewhere',
      () => this.#primary.set({ partition, key }, kept, given),
      async (overlay, since) => {
        const outcome = await this.#write(
          overlay,
          { ...given, partition, key, type: 'set', value: kept },
          earlier(since, made),
        );
        return outcome.status === 'written' ? outcome.version : undefined;
      },
    );
    return written;
  }

  async delete(address: Address, options: DeleteOptions = {}): Promise<boolean> {
    checkAddress(address);
    checkObject(options, 'options');
    const { partition, key } = address;
    const given = { ...options };
    const made = this.#newId();
    return await this.#switch.run(
      'elsewhere',
      () => this.#primary.delete({ partition, key }, given),
      async (overlay, since) =>
        (await this.#write(overlay, { ...given, partition, key, type: 'delete' }, earlier(since, made)))
          .status === 'deleted',
    );
  }

  async append(address: Address, values: readonly Value[], options: AppendOptions = {}): Promise<number> {
    checkAddress(address);
    checkObject(options, 'options');
    const { partition, key } = address;
    const made = this.#newId();
    const given = { ...options, version: options.version ?? made };
    const kept = copyValues(values, this.capabilities.maxValueBytes);
    return await this.#switch.run(
      'nowhere',
      () => this.#primary.append({ partition, key }, kept, given),
      async (overlay, since) => {
        const outcome = await this.#write(
          overlay,
          { ...given, partition, key, type: 'append', values: kept },
          earlier(since, made),
        );
        return outcome.status === 'written' ? (outcome.length ?? 0) : 0;
      },
    );
  }

  async batch(writes: readonly Write[]): Promise<WriteOutcome[]> {
    checkArray(writes, 'writes');
    const { maxValueBytes } = this.capabilities;
    const given = Array.from(writes, (write) => prepareWrite(write, { newId: this.#newId, maxValueBytes }));
    const made = this.#newId();
    const repeats = hasAppend(given) ? 'nowhere' : 'elsewhere';
    const onPrimary = async (): Promise<WriteOutcome[]> => {
      const outcomes = await this.#primary.batch(given);
      const hasGone = outcomes.some(isAway);
      // In the middle of it the backend went away.
      if (hasGone && repeats === 'elsewhere') throw new PartlyMade(outcomes);
      return outcomes;
    };
    const onOverlay = async (overlay: Overlay, since: string): Promise<WriteOutcome[]> => {
      const outcomes: WriteOutcome[] = [];
      for (const write of given)
        outcomes.push(await outcomeOf(this.#write(overlay, write, earlier(since, made))));
      return outcomes;
    };
    try {
      return await this.#switch.run(repeats, onPrimary, onOverlay);
    } catch (error) {
      // The backend is well, and has told what became of each.
      if (error instanceof PartlyMade) return error.outcomes;
      throw error;
    }
  }

  transact(writes: readonly Write[]): Promise<WriteOutcome[]> {
    return this.#only('a transaction', () => this.#primary.transact(writes));
  }

  query(partition: string, filter: JsonFilter, options?: PageOptions): Promise<Page<ValueItem>> {
    return this.#only('what matches', () => this.#primary.query(partition, filter, options));
  }

  publish(channel: string, message: JsonValue): Promise<void> {
    return this.#only('who listens', () => this.#primary.publish(channel, message));
  }

  subscribe(channel: string, listener: (message: JsonValue) => void): Promise<() => Promise<void>> {
    return this.#only('who speaks', () => this.#primary.subscribe(channel, listener));
  }

  sweep(limit?: number): Promise<number> {
    return this.#switch.run(
      'anywhere',
      () => this.#primary.sweep(limit),
      (overlay) => overlay.store.sweep(limit),
    );
  }

  stats(): Promise<BackendStats> {
    return this.#only('what it keeps', () => this.#primary.stats());
  }

  /** Of the backend that serves. Whether it is the one that was asked for, `state` says. */
  health(deadlineMs?: number): Promise<Health> {
    return this.#switch.serving.health(deadlineMs);
  }

  /** Refused as the backend itself would: a condition that is misspelt would be none. */
  async #write(overlay: Overlay, write: Write, since: string): Promise<WriteOutcome> {
    const context = { newId: this.#newId, maxValueBytes: this.capabilities.maxValueBytes };
    toDriverWrite(write, this.#clock.now(), context);
    return await overlay.write(write, since);
  }

  #read<T>(
    read: (
      backend: Pick<Overlay, 'get' | 'getMany' | 'range' | 'length' | 'scan' | 'keys' | 'partitions'>,
    ) => Promise<T>,
  ): Promise<T> {
    return this.#switch.run(
      'anywhere',
      () => read(this.#primary),
      (overlay) => read(overlay),
    );
  }

  /** What a backend that has taken over cannot do instead. */
  #only<T>(what: string, run: () => Promise<T>): Promise<T> {
    return this.#switch.run('nowhere', run, () => Promise.reject(new CannotKnowError(what)));
  }
}

/** What others have written while a write was tried is later than that write. Ids that tell no time are left alone. */
function earlier(since: string, made: string): string {
  return isTimeOrdered(since) && isTimeOrdered(made) && made < since ? made : since;
}

/** Of a batch; it has no cause, by which it would be taken for one of which nothing was made. */
class PartlyMade extends StorageError {
  readonly outcomes: WriteOutcome[];

  constructor(outcomes: WriteOutcome[]) {
    super('UNAVAILABLE', 'The backend went away in the middle of a batch.');
    this.outcomes = outcomes;
  }
}

function isAway(outcome: WriteOutcome): boolean {
  return outcome.status === 'failed' && errorCode(outcome.error) === 'UNAVAILABLE';
}

async function outcomeOf(write: Promise<WriteOutcome>): Promise<WriteOutcome> {
  try {
    return await write;
  } catch (error) {
    // The whole batch moves on to the next backend, and what was written already is recognised there by its version.
    if (errorCode(error) === 'UNAVAILABLE' && !(error instanceof CannotKnowError)) throw error;
    return {
      status: 'failed',
      error: error instanceof Error ? error : new StorageError('UNAVAILABLE', String(error)),
    };
  }
}
