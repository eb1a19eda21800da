import { errorCode, StorageError } from '../errors';
import type { Content } from './content';
import { pause as realPause, type Pause } from './pause';

export interface WriteBehindOptions {
  /**
   * Keys that may wait for the database: 1,000 unless given. When it is full, writes wait; while the database fails
   * as well, they reject `CAPACITY_EXCEEDED`.
   */
  readonly maxQueued?: number;
  /** Attempts beyond the first that `flush()` and `disconnect()` make: 5 unless given. Otherwise it goes on for ever. */
  readonly retries?: number;
  /** Upper end of the first wait after a failure; it doubles with each, and the wait is drawn from 0 up to there. 50. */
  readonly initialDelayMs?: number;
  /** What the upper end stops growing at: 30,000 unless given. */
  readonly maxDelayMs?: number;
  /** How to wait, for tests. */
  readonly pause?: Pause;
}

export interface QueuedWrite {
  readonly key: string;
  readonly content: Content;
  /** What the cache was told of it: the version there, or `undefined` when that failed. */
  readonly cached: Promise<string | undefined>;
  /** A later one of the same key, which took its place before the database had it. */
  supersededBy?: QueuedWrite;
}

export interface QueueTarget {
  /** Writes different keys. An error for each that failed; all failed where it rejects. */
  write(writes: readonly QueuedWrite[]): Promise<ReadonlyMap<QueuedWrite, Error>>;
  /** The database has them, and nothing newer is queued under their keys. */
  onWritten(writes: readonly QueuedWrite[]): Promise<void>;
  onFailure(error: Error, writes: readonly QueuedWrite[], isLost: boolean): Promise<void>;
}

const WRITES_AT_ONCE = 100;

/** A second attempt would not go better. */
const PERMANENT = new Set([
  'KEY_INVALID',
  'VALUE_INVALID',
  'VALUE_TOO_LARGE',
  'ARGUMENT_INVALID',
  'WRONG_TYPE',
  'REFUSED',
  'CLOSED',
]);

/** Brings the newest write of each key to the database, one pass after the other, so that none overtakes another. */
export class WriteBehindQueue {
  readonly #target: QueueTarget;
  readonly #maxQueued: number;
  readonly #retries: number;
  readonly #initialDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #pause: Pause;
  /** In the order in which the keys came. */
  readonly #waiting = new Map<string, QueuedWrite>();
  readonly #writing = new Map<string, QueuedWrite>();
  #forRoom: (() => void)[] = [];
  #forPass: ((failure: Error | undefined) => void)[] = [];
  #calledOff = new AbortController();
  #isRunning = false;
  #isEnding = false;
  #isGivenUp = false;
  #turns: Promise<unknown> = Promise.resolve();
  #failures = 0;
  #lastFailure: Error | undefined;
  #lost = 0;

  constructor(target: QueueTarget, options: WriteBehindOptions = {}) {
    const { maxQueued = 1_000, retries = 5, initialDelayMs = 50, maxDelayMs = 30_000 } = options;
    this.#target = target;
    this.#maxQueued = maxQueued;
    this.#retries = retries;
    this.#initialDelayMs = initialDelayMs;
    this.#maxDelayMs = maxDelayMs;
    this.#pause = options.pause ?? realPause;
  }

  get size(): number {
    return this.#waiting.size + this.#writing.size;
  }

  get lost(): number {
    return this.#lost;
  }

  /** What the database will have. */
  find(key: string): Content | undefined {
    return (this.#waiting.get(key) ?? this.#writing.get(key))?.content;
  }

  /**
   * Resolves once it is queued, to what was queued under the key before.
   *
   * @param toCache called as soon as it is queued, before anything else happens
   * @throws {StorageError} `CAPACITY_EXCEEDED`, `CLOSED`
   */
  async add(
    key: string,
    content: Content,
    toCache: () => Promise<string | undefined>,
  ): Promise<Content | undefined> {
    // One after the other: where room is short, a later write of a key must not get in before an earlier one.
    const turn = this.#turns.then(() => this.#enter(key, content, toCache));
    this.#turns = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves once what is queued now, or is queued under `key`, or what took its place, has been written or lost. */
  async flush(key?: string): Promise<void> {
    const stillDue = (writes: readonly QueuedWrite[]): QueuedWrite[] =>
      writes
        .map(newestOf)
        .filter((write) => this.#waiting.get(write.key) === write || this.#writing.get(write.key) === write);
    let due = [...this.#writing.values(), ...this.#waiting.values()];
    if (key !== undefined) due = due.filter((write) => write.key === key);
    if (due.length > 0) this.#hurry();
    for (let failures = 0; due.length > 0;) {
      const failure = await this.#nextPass();
      due = stillDue(due);
      if (failure === undefined || due.length === 0) continue;
      failures += 1;
      if (failures > this.#retries) throw failure;
    }
  }

  /**
   * Takes no more, and resolves once the database has everything.
   *
   * @throws {StorageError} `UNAVAILABLE` when it does not; the rest is given up
   */
  async end(): Promise<void> {
    this.#isEnding = true;
    const lostBefore = this.#lost;
    this.#release();
    await Promise.allSettled([this.flush()]);
    this.#isGivenUp = true;
    this.#hurry();
    // What is on its way may still arrive.
    while (this.#isRunning) await this.#nextPass();
    const rest = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#lost += rest.length;
    const lost = this.#lost - lostBefore;
    if (lost === 0) return;
    const error = new StorageError(
      'UNAVAILABLE',
      `${lost} acknowledged writes did not reach the database before it was disconnected.`,
      { cause: this.#lastFailure },
    );
    if (rest.length > 0) await this.#target.onFailure(error, rest, true);
    throw error;
  }

  async #enter(
    key: string,
    content: Content,
    toCache: () => Promise<string | undefined>,
  ): Promise<Content | undefined> {
    while (!this.#isEnding && !this.#waiting.has(key) && this.size >= this.#maxQueued) {
      if (this.#failures > 0)
        throw new StorageError(
          'CAPACITY_EXCEEDED',
          `${this.size} writes wait for a database that fails. This one was not taken; write it again later.`,
          { cause: this.#lastFailure },
        );
      await new Promise<void>((resolve) => this.#forRoom.push(resolve));
    }
    if (this.#isEnding) throw new StorageError('CLOSED', 'The cached database is disconnected.');
    const before = this.find(key);
    const write: QueuedWrite = { key, content, cached: toCache() };
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) waiting.supersededBy = write;
    this.#waiting.set(key, write);
    this.#start();
    return before;
  }

  #hurry(): void {
    this.#failures = 0;
    this.#calledOff.abort();
    this.#calledOff = new AbortController();
  }

  #start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    // What else is written in this turn goes along.
    setImmediate(() => void this.#run());
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0 && !this.#isGivenUp) {
      const failure = await this.#pass();
      this.#failures = failure === undefined ? 0 : this.#failures + 1;
      this.#lastFailure = failure;
      this.#release();
      this.#endPass(failure);
      if (failure === undefined) continue;
      const ceiling = Math.min(this.#maxDelayMs, this.#initialDelayMs * 2 ** (this.#failures - 1));
      await this.#pause(Math.random() * ceiling, this.#calledOff.signal);
    }
    this.#isRunning = false;
    this.#endPass(undefined);
  }

  #nextPass(): Promise<Error | undefined> {
    return new Promise((resolve) => this.#forPass.push(resolve));
  }

  #endPass(failure: Error | undefined): void {
    const forPass = this.#forPass;
    this.#forPass = [];
    for (const resolve of forPass) resolve(failure);
  }

  /** Resolves to a failure that may pass. */
  async #pass(): Promise<Error | undefined> {
    const writes = [...this.#waiting.values()].slice(0, WRITES_AT_ONCE);
    for (const write of writes) {
      this.#waiting.delete(write.key);
      this.#writing.set(write.key, write);
    }
    const errors = await this.#write(writes);
    const isNewest = ({ key }: QueuedWrite): boolean => !this.#waiting.has(key);
    const again: QueuedWrite[] = [];
    for (const [write, error] of errors) {
      if (!PERMANENT.has(errorCode(error) ?? '')) again.push(write);
      else {
        this.#lost += 1;
        await this.#target.onFailure(error, [write], true);
      }
    }
    await this.#target.onWritten(writes.filter((write) => !errors.has(write) && isNewest(write)));
    for (const { key } of writes) this.#writing.delete(key);
    if (again.length === 0) return undefined;
    const failure = errors.get(again[0]!)!;
    this.#putBack(again);
    await this.#target.onFailure(failure, again, false);
    return failure;
  }

  async #write(writes: readonly QueuedWrite[]): Promise<ReadonlyMap<QueuedWrite, Error>> {
    try {
      return await this.#target.write(writes);
    } catch (error) {
      return new Map(writes.map((write) => [write, error as Error]));
    }
  }

  /** In front of those that came since, unless one of the same key is among them. */
  #putBack(writes: readonly QueuedWrite[]): void {
    const since = [...this.#waiting];
    this.#waiting.clear();
    for (const write of writes) this.#waiting.set(write.key, write);
    for (const [key, write] of since) {
      const again = this.#waiting.get(key);
      if (again !== undefined) again.supersededBy = write;
      this.#waiting.set(key, write);
    }
  }

  #release(): void {
    const forRoom = this.#forRoom;
    this.#forRoom = [];
    for (const resolve of forRoom) resolve();
  }
}

function newestOf(write: QueuedWrite): QueuedWrite {
  let newest = write;
  while (newest.supersededBy !== undefined) newest = newest.supersededBy;
  return newest;
}
