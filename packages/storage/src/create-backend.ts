import { isPromise, isUint8Array } from 'node:util/types';
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
} from './backend';
import { toByteRange } from './byte-range';
import { CallDeadlines } from './call-deadlines';
import { CallsUnderWay } from './calls-under-way';
import { checkAddress, checkArray, checkCount, checkInteger, checkName, checkText } from './check-arguments';
import { checkHealth, isHealthPartition } from './check-health';
import { checkOptions, MAX_TIMER_MS } from './check-options';
import { wholeClock, type Clock } from './clock';
import type { Awaitable, Driver, DriverPage, DriverScan, DriverWrite, ReadItem } from './driver';
import { isStorageError, StorageError } from './errors';
import { checkFilter, matchesFilter, type JsonFilter } from './json-filter';
import type { JsonValue } from './json-value';
import { decodeInTurns } from './decode-in-turns';
import { DriverOpening } from './driver-opening';
import { Lifecycle } from './lifecycle';
import { newId } from './new-id';
import { decodeItem, decodeJson, encodeJson } from './stored-value';
import { SweepTimer } from './sweep-timer';
import { tellProgram } from './tell-program';
import { conflict, toOutcome, toPage, toPageOfNames, toValueItem, wrongType } from './to-answer';
import { MAX_PAGE, toDriverScan, toPageRequest } from './to-driver-scan';
import {
  toAppendWrite,
  toDeleteWrite,
  toDriverWrite,
  toSetWrite,
  type WriteContext,
} from './to-driver-write';

export interface CreateBackendOptions {
  readonly clock?: Clock;
  /** Makes versions. */
  readonly newId?: () => string;
  /** How long an operation may take before it is `UNAVAILABLE`; without it, as long as the engine lets it. */
  readonly timeoutMs?: number;
  /** How often expired items are removed: 60,000 ms; 0 leaves it to `sweep()`. */
  readonly sweepIntervalMs?: number;
  /**
   * Told of failures that reach no caller: `subscribe` is what a listener threw or rejected with, `upkeep` the engine's own
   * work.
   */
  readonly onError?: (error: unknown, operation: 'sweep' | 'subscribe' | 'connection' | 'upkeep') => void;
  /** What stands between the backend and its driver, such as retries: what it returns is used instead. */
  readonly through?: (driver: Driver) => Driver;
}

const MAX_WRITES = 1_000;
const MAX_TRANSACTION = 100;
const MAX_MESSAGE_BYTES = 4_096;

/**
 * Makes a backend of a driver: what all of them need to get right is done here, once.
 *
 * @throws {StorageError} `CONFIG_INVALID`
 */
export function createBackend(driver: Driver, options: CreateBackendOptions = {}): Backend {
  checkOptions(options, { timeoutMs: [1, MAX_TIMER_MS], sweepIntervalMs: [0, MAX_TIMER_MS] });
  return new DrivenBackend(options.through?.(driver) ?? driver, options);
}

class DrivenBackend implements Backend {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly #driver: Driver;
  readonly #clock: Clock;
  readonly #newId: () => string;
  readonly #context: WriteContext;
  readonly #onError: NonNullable<CreateBackendOptions['onError']>;
  readonly #underWay = new CallsUnderWay();
  readonly #deadlines: CallDeadlines | undefined;
  readonly #sweeping: SweepTimer;
  readonly #lifecycle: Lifecycle;

  constructor(driver: Driver, options: CreateBackendOptions) {
    this.name = driver.name;
    this.capabilities = driver.capabilities;
    this.#driver = driver;
    this.#clock = wholeClock(options.clock);
    this.#newId = options.newId ?? newId;
    this.#context = { newId: this.#newId, maxValueBytes: driver.capabilities.maxValueBytes };
    this.#deadlines = this.#deadlinesOf(options.timeoutMs, 'did not answer');
    this.#onError = (error, operation) => tellProgram(() => options.onError?.(error, operation));
    this.#sweeping = new SweepTimer((limit) => this.sweep(limit), { ...options, onError: this.#onError });
    const opening = new DriverOpening(driver);
    this.#lifecycle = new Lifecycle(
      driver.name,
      async () => {
        const timeoutMs = driver.openTimeoutMs ?? options.timeoutMs;
        await this.#answer(opening.begin(), this.#deadlinesOf(timeoutMs, 'could not be opened'));
        this.#sweeping.start();
      },
      async () => {
        await this.#sweeping.stop();
        await this.#underWay.ended();
        await this.#answer(() => opening.close());
      },
    );
  }

  open(): Promise<void> {
    return this.#lifecycle.open();
  }

  close(): Promise<void> {
    return this.#lifecycle.close();
  }

  async get(address: Address): Promise<ValueItem | undefined> {
    if (!this.#lifecycle.isOpen) await this.#lifecycle.ready();
    checkAddress(address);
    const { partition, key } = address;
    const found = this.#answer(() => this.#driver.get(partition, key, this.#clock.now()));
    return toValueItem(isPromise(found) ? await found : found);
  }

  async getMany(addresses: readonly Address[]): Promise<(ValueItem | undefined)[]> {
    if (!this.#lifecycle.isOpen) await this.#lifecycle.ready();
    checkAmount(addresses, 'addresses', MAX_WRITES);
    for (const address of addresses) checkAddress(address);
    if (addresses.length === 0) return [];
    const found = await this.#answer(() => this.#driver.getMany(addresses, this.#clock.now()));
    return found.map(toValueItem);
  }

  async set(address: Address, value: Value, options: SetOptions = {}): Promise<string | undefined> {
    if (!this.#lifecycle.isOpen) await this.#lifecycle.ready();
    const now = this.#clock.now();
    const write = toSetWrite(address, value, options, now, this.#context);
    const answer = this.#answer(() => this.#driver.write(write, now));
    const { status } = toOutcome(write, isPromise(answer) ? await answer : answer);
    return status === 'written' ? write.version : undefined;
  }

  async delete(address: Address, options: DeleteOptions = {}): Promise<boolean> {
    if (!this.#lifecycle.isOpen) await this.#lifecycle.ready();
    const write = toDeleteWrite(address, options);
    return (await this.#write(write, this.#clock.now())).status === 'deleted';
  }

  async append(address: Address, values: readonly Value[], options: AppendOptions = {}): Promise<number> {
    if (!this.#lifecycle.isOpen) await this.#lifecycle.ready();
    const now = this.#clock.now();
    const answer = this.#write(toAppendWrite(address, values, options, now, this.#context), now);
    const outcome = isPromise(answer) ? await answer : answer;
    return outcome.status === 'written' ? (outcome.length ?? 0) : 0;
  }

  async range(address: Address, start = 0, end = -1): Promise<Value[]> {
    if (!this.#lifecycle.isOpen) await this.#lifecycle.ready();
    checkAddress(address);
    checkInteger(start, 'start');
    checkInteger(end, 'end');
    const { partition, key } = address;
    const found = await this.#answer(() => this.#driver.range(partition, key, start, end, this.#clock.now()));
    if (found === 'wrong-type') throw wrongType(key, 'value', 'list');
    return await decodeInTurns(found.values);
  }

  async length(address: Address): Promise<number> {
    if (!this.#lifecycle.isOpen) await this.#lifecycle.ready();
    checkAddress(address);
    const { partition, key } = address;
    const length = await this.#answer(() => this.#driver.length(partition, key, this.#clock.now()));
    if (length === undefined) throw wrongType(key, 'value', 'list');
    return length;
  }

  async scan(partition: string, options: ScanOptions = {}): Promise<Page<Item>> {
    if (!this.#lifecycle.isOpen) await this.#lifecycle.ready();
    const page = this.#scan(partition, toDriverScan(partition, options));
    // Decoded in the same turn where it can be: what waits, with the pages of others, survives a collection.
    return toPage(isPromise(page) ? await page : page, decodeItem);
  }

  async keys(partition: string, options: ScanOptions = {}): Promise<Page<string>> {
    if (!this.#lifecycle.isOpen) await this.#lifecycle.ready();
    const scan = toDriverScan(partition, options);
    if (this.#driver.keys === undefined) return toPage(await this.#scan(partition, scan), ({ key }) => key);
    const page = await this.#answer(() => this.#driver.keys!(partition, scan, this.#clock.now()));
    return toPageOfNames(page);
  }

  async partitions(prefix = '', options: PageOptions = {}): Promise<Page<string>> {
    if (!this.#lifecycle.isOpen) await this.#lifecycle.ready();
    const { limit, after } = toPageRequest(options);
    checkText(prefix, 'prefix');
    const range = toByteRange({ prefix }, after);
    const page = await this.#answer(() => this.#driver.partitions(range, limit, this.#clock.now()));
    return toPageOfNames(page, (name) => !isHealthPartition(name));
  }

  async batch(writes: readonly Write[]): Promise<WriteOutcome[]> {
    if (!this.#lifecycle.isOpen) await this.#lifecycle.ready();
    checkAmount(writes, 'writes', MAX_WRITES);
    const checked = Array.from(writes, (write) => {
      try {
        return this.#toDriverWrite(write);
      } catch (error) {
        return error as Error;
      }
    });
    const good = checked.filter((write): write is DriverWrite => !(write instanceof Error));
    const verdicts =
      good.length === 0 ? [] : await this.#answer(() => this.#driver.batch(good, this.#clock.now()));
    let next = 0;
    return checked.map((write): WriteOutcome => {
      if (write instanceof Error) return { status: 'failed', error: write };
      const verdict = verdicts[next++]!;
      if (verdict instanceof Error) return { status: 'failed', error: this.#explain(verdict) };
      try {
        return toOutcome(write, verdict);
      } catch (error) {
        return { status: 'failed', error: error as Error };
      }
    });
  }

  async transact(writes: readonly Write[]): Promise<WriteOutcome[]> {
    if (!this.#lifecycle.isOpen) await this.#lifecycle.ready();
    // An engine of which some servers can: which one this is, is known once it is open.
    if (this.#driver.transact === undefined || !this.capabilities.transact)
      throw this.#unsupported('transact');
    checkAmount(writes, 'writes', MAX_TRANSACTION);
    const checked = Array.from(writes, (write) => this.#toDriverWrite(write));
    if (new Set(checked.map(({ partition }) => partition)).size > 1)
      throw new StorageError('ARGUMENT_INVALID', 'A transaction stays within one partition.');
    if (new Set(checked.map(({ key }) => key)).size < checked.length)
      throw new StorageError('ARGUMENT_INVALID', 'A transaction writes each key once.');
    if (checked.length === 0) return [];
    const verdicts = await this.#answer(() => this.#driver.transact!(checked, this.#clock.now()));
    const outcomes = verdicts.map((verdict, index) => toOutcome(checked[index]!, verdict));
    const refused = outcomes.findIndex(({ status }) => status === 'exists');
    if (refused >= 0) throw conflict(checked[refused]!.key, 'there is one already');
    return outcomes;
  }

  async query(partition: string, filter: JsonFilter, options: PageOptions = {}): Promise<Page<ValueItem>> {
    if (!this.#lifecycle.isOpen) await this.#lifecycle.ready();
    if (this.#driver.query === undefined) throw this.#unsupported('query');
    checkName(partition, 'partition');
    checkFilter(filter);
    const { limit, after } = toPageRequest(options);
    const scan = { ...toByteRange({}, after), limit, reverse: false };
    const page = await this.#answer(() => this.#driver.query!(partition, filter, scan, this.#clock.now()));
    const { items, next } = toPage(page, decodeItem);
    const matching = items.filter(
      (item): item is ValueItem =>
        item.type === 'value' && !isUint8Array(item.value) && matchesFilter(item.value, filter),
    );
    return next === undefined ? { items: matching } : { items: matching, next };
  }

  async publish(channel: string, message: JsonValue): Promise<void> {
    if (!this.#lifecycle.isOpen) await this.#lifecycle.ready();
    if (this.#driver.publish === undefined) throw this.#unsupported('publish');
    checkName(channel, 'channel');
    const text = encodeJson(message, MAX_MESSAGE_BYTES);
    await this.#answer(() => this.#driver.publish!(channel, text));
  }

  async subscribe(channel: string, listener: (message: JsonValue) => void): Promise<() => Promise<void>> {
    if (!this.#lifecycle.isOpen) await this.#lifecycle.ready();
    if (this.#driver.subscribe === undefined) throw this.#unsupported('subscribe');
    checkName(channel, 'channel');
    if (typeof listener !== 'function')
      throw new StorageError('ARGUMENT_INVALID', `"listener" must be a function; it is ${typeof listener}.`);
    const end = await this.#answer(() =>
      this.#driver.subscribe!(channel, (text) => {
        tellProgram(
          () => listener(decodeJson(text)),
          (error) => this.#onError(error, 'subscribe'),
        );
      }),
    );
    let ended = false;
    return async () => {
      // A second call must not end a subscription that another has made since.
      if (ended) return;
      ended = true;
      await this.#answer(() => end());
    };
  }

  async sweep(limit = MAX_PAGE): Promise<number> {
    if (!this.#lifecycle.isOpen) await this.#lifecycle.ready();
    checkCount(limit, 'limit', MAX_PAGE);
    return await this.#answer(() => this.#driver.sweep(limit, this.#clock.now()));
  }

  health(deadlineMs?: number): Promise<Health> {
    return checkHealth(this, { deadlineMs, now: () => this.#clock.now(), newId: this.#newId });
  }

  async stats(): Promise<BackendStats> {
    if (!this.#lifecycle.isOpen) await this.#lifecycle.ready();
    return await this.#answer(() => this.#driver.stats(this.#clock.now()));
  }

  #toDriverWrite(write: Write): DriverWrite {
    return toDriverWrite(write, this.#clock.now(), this.#context);
  }

  #scan(partition: string, scan: DriverScan): Awaitable<DriverPage<ReadItem>> {
    return this.#answer(() => this.#driver.scan(partition, scan, this.#clock.now()));
  }

  #write(write: DriverWrite, now: number): Awaitable<WriteOutcome> {
    const verdict = this.#answer(() => this.#driver.write(write, now));
    return isPromise(verdict) ? verdict.then((later) => toOutcome(write, later)) : toOutcome(write, verdict);
  }

  /** What the driver answers, in time, and its errors in our words. What is there at once stays so. */
  #answer<T>(ask: () => Awaitable<T>, deadlines = this.#deadlines): Awaitable<T> {
    try {
      const answer = ask();
      return isPromise(answer) ? this.#later(answer, deadlines) : answer;
    } catch (error) {
      throw this.#explain(error);
    }
  }

  async #later<T>(answer: Promise<T>, deadlines: CallDeadlines | undefined): Promise<T> {
    this.#underWay.begin();
    try {
      return await (deadlines === undefined ? answer : deadlines.inTime(answer));
    } catch (error) {
      throw this.#explain(error);
    } finally {
      this.#underWay.end();
    }
  }

  #deadlinesOf(timeoutMs: number | undefined, what: string): CallDeadlines | undefined {
    if (timeoutMs === undefined) return undefined;
    const late = (): Error =>
      new StorageError('UNAVAILABLE', `The ${this.name} backend ${what} within ${timeoutMs} ms.`);
    return new CallDeadlines(timeoutMs, late);
  }

  #explain(error: unknown): StorageError {
    if (isStorageError(error)) return error;
    const known = this.#driver.explain?.(error);
    if (known !== undefined) return known;
    return new StorageError('UNAVAILABLE', `The ${this.name} backend failed.`, { cause: error });
  }

  #unsupported(method: string): StorageError {
    return new StorageError(
      'UNSUPPORTED',
      `The ${this.name} backend has no ${method}(). See its capabilities.`,
    );
  }
}

function checkAmount(list: unknown, what: string, max: number): void {
  checkArray(list, what);
  if (list.length <= max) return;
  throw new StorageError('ARGUMENT_INVALID', `At most ${max} ${what} at once; these are ${list.length}.`);
}
