import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { StorageError } from '@recap/storage';
import type { BatchOutcome } from '../recorder/batch-processor';
import type { EncodedBatch } from './encoded-queue';
import { openExitGate, shutExitGate } from './exit-gate';
import { COUNTERS, type FromWorker, type StoreCall, type ToWorker, type WorkerSpec } from './messages';
import { fromPlainError } from './plain-error';
import { afterDeath, MAX_DEATHS, type Shipment } from './shipment';

export const WORKER_FILE = join(__dirname, 'recorder-worker.js');

/** Workers that may die one after another without having loaded, before their work is handed back. */
const MAX_FUTILE_STARTS = 5;
const COUNTER_BYTES = 4 * Object.keys(COUNTERS).length;
const LONGEST_RESTART_MS = 800;
/** At the end of the program: time without a batch done after which none is waited for. */
const MAX_STANDSTILL_MS = 250;
const HEARTBEAT_CHECK_MS = 2_000;
/** Checks without a beat after which a worker is taken to hang. */
const MAX_MISSED_CHECKS = 5;

/**
 * What the program preloads, such as its instrumentation, is for the program's own thread; it may open a port or a
 * file of its own. Where packages are only found by a preload (Yarn PnP), all of it has to come along.
 */
const WITHOUT_PRELOADS =
  'pnp' in process.versions ? {} : { execArgv: [], env: { ...process.env, NODE_OPTIONS: '' } };

export interface WorkerLinkOptions {
  readonly spec: Omit<WorkerSpec, 'counters'>;
  /** For tests. */
  readonly file?: string;
  /** For tests: how often the worker's heart is listened to. */
  readonly heartbeatCheckMs?: number;
  /** A worker died or hangs; another takes its place. */
  readonly onDeath: (error: Error) => void;
  readonly onSlowOperation: (operation: string, durationMs: number) => void;
  /** Something failed within the worker, which goes on. */
  readonly onFailure: (error: Error, where: string) => void;
  /** Its memory may be read by a worker that hangs, and must not be written again. */
  readonly onTainted: (memory: SharedArrayBuffer) => void;
}

/** A call that waits for its answer. */
interface Pending {
  readonly id: number;
  readonly name: StoreCall;
  readonly args: readonly unknown[];
  deaths: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Calls that change nothing, or nothing when they are made again. */
const REPEATABLE: ReadonlySet<StoreCall> = new Set<StoreCall>([
  'open',
  'append',
  'find',
  'count',
  'get',
  'findSessions',
  'countSessions',
  'sizes',
  'ping',
  'saveGaps',
  'findGaps',
  'sumGaps',
  'recentSessions',
]);

/**
 * The program's side of the worker: starts it, gives it work, and starts another when it dies. What was sent
 * stays in memory that this side holds until it is answered for, so nothing dies with a worker.
 */
export class WorkerLink {
  readonly #options: WorkerLinkOptions;
  readonly #calls = new Map<number, Pending>();
  /** In the order in which the worker does them. */
  readonly #shipped = new Map<number, Shipment>();
  /** Not sent yet: after a death one at a time is under way, so that the guilty one is known. */
  #held: Shipment[] = [];
  #isCareful = false;
  #worker: Worker | undefined;
  #counters = new Int32Array(new SharedArrayBuffer(COUNTER_BYTES));
  #posted = 0;
  /** Batches of which it was told that they failed. */
  #failed = 0;
  #lastCall = 0;
  #lastPart = 0;
  /** Whether the worker has loaded; one that dies before is not killed by what it was given. */
  #isReady = false;
  #futileStarts = 0;
  #restart: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #lastBeat = 0;
  #missedChecks = 0;
  #isClosed = false;

  constructor(options: WorkerLinkOptions) {
    this.#options = options;
  }

  /** @throws {StorageError} `UNAVAILABLE` when workers die before they answer; else what the store throws. */
  call(name: StoreCall, args: readonly unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const call = { id: (this.#lastCall += 1), name, args, deaths: 0, resolve, reject };
      const isStarted = this.#worker !== undefined;
      this.#calls.set(call.id, call);
      // One that is started now is given all calls that wait.
      if (isStarted) this.#postCall(call);
      else this.#start();
      this.#keepAlive();
    });
  }

  /** @throws {StorageError} what the store fails with; `UNAVAILABLE` when no worker can be started. */
  process(batch: EncodedBatch, tellsPlaces: boolean): Promise<BatchOutcome> {
    return new Promise((resolve, reject) => {
      const { id, memory, from, size } = batch;
      this.#held.push({ id, memory, from, size, tellsPlaces, deaths: 0, resolve, reject });
      this.#start();
      this.#shipHeld();
      this.#keepAlive();
    });
  }

  /** A batch that failed is not sent again. */
  forget({ id }: EncodedBatch): void {
    this.#worker?.postMessage({ kind: 'forget', id } satisfies ToWorker);
  }

  /**
   * Blocks the thread until the worker has done all or the time is up.
   *
   * @param begin gives what is not under way to `process`; not called without a worker
   * @returns whether all is stored
   */
  handOver(begin: () => void, timeoutMs: number): boolean {
    if (this.#worker === undefined) return false;
    begin();
    this.#isCareful = false;
    for (const held of this.#held.splice(0)) this.#post(held);
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const ended = Atomics.load(this.#counters, COUNTERS.batchesEnded);
      if (ended >= this.#posted) {
        // Those that failed before, and were told of, are among the batches or on their way again.
        return Atomics.load(this.#counters, COUNTERS.batchesFailed) === this.#failed;
      }
      const left = Math.min(deadline - performance.now(), MAX_STANDSTILL_MS);
      if (left <= 0) return false;
      if (Atomics.wait(this.#counters, COUNTERS.batchesEnded, ended, left) === 'timed-out') return false;
    }
  }

  /** The program exits, which ends the worker wherever it is: it does nothing more, and is in none of its driver's calls. */
  standStill(timeoutMs?: number): void {
    if (this.#worker === undefined) return;
    const counters = this.#counters;
    shutExitGate(counters, timeoutMs);
    // Never comes, unless somebody but Node has told of an exit.
    setImmediate(() => {
      openExitGate(counters);
    });
  }

  /** Lets the store close in an orderly way, then ends the worker. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    const closing = this.#worker === undefined ? undefined : this.call('close', []);
    this.#isClosed = true;
    this.#keepAlive();
    await closing;
    clearTimeout(this.#restart);
    clearInterval(this.#heartbeat);
    const worker = this.#worker;
    this.#worker = undefined;
    worker?.removeAllListeners();
    await worker?.terminate();
  }

  #start(): Worker | undefined {
    if (this.#worker !== undefined || this.#restart !== undefined) return this.#worker;
    if (this.#isClosed) {
      this.#rejectAll(new StorageError('CLOSED', 'The entry store is closed.'));
      return undefined;
    }
    const counters = new SharedArrayBuffer(COUNTER_BYTES);
    let worker: Worker;
    try {
      worker = new Worker(this.#options.file ?? WORKER_FILE, {
        name: 'recap',
        ...WITHOUT_PRELOADS,
        workerData: { ...this.#options.spec, counters } satisfies WorkerSpec,
      });
    } catch (error) {
      this.#rejectAll(unavailable(error));
      return undefined;
    }
    this.#worker = worker;
    this.#counters = new Int32Array(counters);
    this.#posted = 0;
    this.#failed = 0;
    this.#isReady = false;
    this.#missedChecks = 0;
    let lastWords: unknown;
    worker.on('message', (message: FromWorker) => {
      this.#take(message);
    });
    worker.on('error', (error) => {
      lastWords = error;
    });
    worker.on('exit', (code) => {
      this.#bury(worker, lastWords ?? new Error(`It exited with code ${code}.`));
    });
    for (const call of this.#calls.values()) this.#postCall(call);
    this.#heartbeat ??= setInterval(() => {
      this.#checkHeartbeat();
    }, this.#options.heartbeatCheckMs ?? HEARTBEAT_CHECK_MS).unref();
    return worker;
  }

  #take(message: FromWorker): void {
    if (message.kind === 'slow') {
      this.#options.onSlowOperation(message.operation, message.durationMs);
      return;
    }
    if (message.kind === 'failure') {
      this.#options.onFailure(fromPlainError(message.error), message.where);
      return;
    }
    if (message.kind === 'ready') {
      this.#isReady = true;
      this.#futileStarts = 0;
    } else if (message.kind === 'call') take(this.#calls, message.id)?.resolve(message.result);
    else if (message.kind === 'batch') {
      const failures = message.outcome.failures.map(({ error, where }) => ({
        error: fromPlainError(error as Parameters<typeof fromPlainError>[0]),
        where,
      }));
      take(this.#shipped, message.id)?.resolve({ ...message.outcome, failures });
    } else {
      const error = fromPlainError(message.error);
      if (message.of === 'batch') this.#failed += 1;
      (message.of === 'call' ? take(this.#calls, message.id) : take(this.#shipped, message.id))?.reject(
        error,
      );
    }
    this.#shipHeld();
    this.#keepAlive();
  }

  #shipHeld(): void {
    if (this.#worker === undefined) return;
    while (this.#held.length > 0 && (!this.#isCareful || this.#shipped.size === 0)) {
      const next = this.#held.shift();
      if (next !== undefined) this.#post(next);
    }
    if (this.#held.length === 0 && this.#shipped.size === 0) this.#isCareful = false;
  }

  #post(shipment: Shipment): void {
    const { id, memory, from, size, tellsPlaces } = shipment;
    this.#shipped.set(id, shipment);
    this.#posted += 1;
    this.#worker?.postMessage({ kind: 'batch', id, memory, from, size, tellsPlaces });
  }

  #postCall({ id, name, args }: Pending): void {
    this.#worker?.postMessage({ kind: 'call', id, name, args });
  }

  /** A worker with nothing to do must not keep the program alive; one with something to do must. */
  #keepAlive(): void {
    const isBusy = this.#calls.size + this.#shipped.size + this.#held.length > 0;
    // Who closes it waits with a limit of its own.
    if (isBusy && !this.#isClosed) this.#worker?.ref();
    else this.#worker?.unref();
  }

  /** The worker is gone: what it had not done is done again by the next one, but for calls that must not be made twice. */
  #bury(worker: Worker, reason: unknown): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    if (!this.#isReady) this.#futileStarts += 1;
    const error = unavailable(reason);
    this.#options.onDeath(error);
    for (const call of [...this.#calls.values()]) {
      call.deaths += 1;
      if (REPEATABLE.has(call.name) && call.deaths < MAX_DEATHS) continue;
      this.#calls.delete(call.id);
      call.reject(error);
    }
    const [first, ...others] = this.#shipped.values();
    this.#shipped.clear();
    this.#isCareful = true;
    if (first !== undefined) {
      this.#held = [
        ...(this.#isReady ? afterDeath(first, () => (this.#lastPart -= 1)) : [first]),
        ...others,
        ...this.#held,
      ];
    }
    if (this.#held.length + this.#calls.size === 0 || this.#isClosed) return;
    if (this.#futileStarts > MAX_FUTILE_STARTS) {
      this.#futileStarts = 0;
      this.#rejectAll(error);
      return;
    }
    const delayMs = Math.min(LONGEST_RESTART_MS, 50 * (2 ** this.#futileStarts - 1));
    this.#restart = setTimeout(() => {
      this.#restart = undefined;
      this.#start();
      this.#shipHeld();
      this.#keepAlive();
    }, delayMs);
  }

  #checkHeartbeat(): void {
    const worker = this.#worker;
    if (worker === undefined) return;
    const beat = Atomics.load(this.#counters, COUNTERS.heartbeats);
    // Loading takes as long as it takes.
    this.#missedChecks = this.#isReady && beat === this.#lastBeat ? this.#missedChecks + 1 : 0;
    this.#lastBeat = beat;
    if (this.#missedChecks < MAX_MISSED_CHECKS) return;
    // Not terminated: within a native call that would end the whole process.
    worker.removeAllListeners();
    worker.on('error', () => undefined);
    worker.unref();
    for (const { memory } of this.#shipped.values()) this.#options.onTainted(memory);
    this.#bury(
      worker,
      new Error(`It did not answer for ${(MAX_MISSED_CHECKS * HEARTBEAT_CHECK_MS) / 1000} s.`),
    );
  }

  #rejectAll(error: Error): void {
    const waiting = [...this.#calls.values(), ...this.#shipped.values(), ...this.#held];
    this.#calls.clear();
    this.#shipped.clear();
    this.#held = [];
    for (const { reject } of waiting) reject(error);
  }
}

function take<T>(map: Map<number, T>, id: number): T | undefined {
  const found = map.get(id);
  map.delete(id);
  return found;
}

function unavailable(cause: unknown): StorageError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StorageError(
    'UNAVAILABLE',
    `The recorder's worker thread ended. ${reason} If threads cannot run here, set worker: false.`,
    { cause },
  );
}
