import { Worker } from 'node:worker_threads';

/**
 * In plain JavaScript, since a thread is started from a built file or from text, and tests and bundlers have no
 * built file where this one is.
 */
const PROGRAM = `
  const { parentPort, workerData } = require('node:worker_threads');
  const Database = require(workerData.driverPath);
  let database;
  parentPort.on('message', (message) => {
    if (message === 'close') {
      database?.close();
      parentPort.close();
      return;
    }
    try {
      database ??= new Database(workerData.path, { timeout: 0, fileMustExist: true });
      database.pragma('wal_checkpoint(PASSIVE)');
      parentPort.postMessage(undefined);
    } catch (error) {
      parentPort.postMessage({ text: String(error), code: error.code });
    }
  });
`;

interface Failure {
  readonly text: string;
  readonly code: unknown;
}

/**
 * Brings what is in the log of an SQLite file to where it belongs, on a thread of its own: it cannot be interrupted, and
 * most of it is waiting for the disk.
 */
export class Checkpointer {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  #pending: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  #failure: Error | undefined;

  constructor(driverPath: string, path: string) {
    this.#worker = new Worker(PROGRAM, {
      eval: true,
      execArgv: [],
      workerData: { driverPath, path },
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
    });
    this.#worker.unref();
    this.#worker.on('message', (failure: Failure | undefined) => {
      if (failure === undefined) this.#pending?.resolve();
      else this.#pending?.reject(Object.assign(new Error(failure.text), { code: failure.code }));
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#fail(new Error(`The thread for checkpoints ended with code ${code}.`));
        resolve();
      });
    });
  }

  /** One at a time. */
  async checkpoint(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    // Writes wait for this, and a program that waits for a write goes on.
    this.#worker.ref();
    try {
      await new Promise<void>((resolve, reject) => {
        this.#pending = { resolve, reject };
        this.#worker.postMessage('checkpoint');
      });
    } finally {
      this.#pending = undefined;
      this.#worker.unref();
    }
  }

  async close(): Promise<void> {
    if (this.#failure === undefined) {
      this.#worker.ref();
      this.#worker.postMessage('close');
    }
    await this.#ended;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#pending?.reject(this.#failure);
  }
}
