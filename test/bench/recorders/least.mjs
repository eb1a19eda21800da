import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { HEAD_BYTES } from './least-worker.mjs';

const BATCH_BYTES = 128 * 1024;
const BATCH_MS = 50;

/**
 * The least that stores both bodies of a Koa program: methods of its own on request and response, binary batches to a
 * worker, bodies compressed together, one row with two indexes. It neither redacts nor keeps headers, knows no sessions,
 * owners, lifetimes, limits or failures, and loses what it has not written. What a recorder takes more than this is its
 * own; what this takes, none can save.
 */
export async function start({ folder }) {
  const path = join(folder, 'least.db');
  const worker = new Worker(new URL('./least-worker.mjs', import.meta.url), { workerData: { path } });
  await once(worker, 'message');
  const batches = new Batches(worker);
  return {
    before: [middleware(batches)],
    settle: () => batches.settle(),
    finish: async () => {
      await batches.settle();
      await worker.terminate();
      const database = new Database(path, { readonly: true });
      const { stored } = database.prepare('SELECT count(*) AS stored FROM exchanges').get();
      database.close();
      return { stored };
    },
  };
}

function middleware(batches) {
  return ({ req: request, res: response }, next) => {
    const startedAt = Date.now();
    const chunks = [];
    const { push } = request;
    request.push = function (chunk, encoding) {
      if (chunk !== null) chunks.push(chunk);
      return push.call(this, chunk, encoding);
    };
    const { end } = response;
    response.end = function (text, ...rest) {
      const result = end.call(this, text, ...rest);
      batches.add(chunks, text, response.statusCode, startedAt);
      return result;
    };
    return next();
  };
}

class Batches {
  #worker;
  #memory = Buffer.from(new ArrayBuffer(BATCH_BYTES));
  #at = 0;
  #timer;
  #sent = 0;
  #written = 0;

  constructor(worker) {
    this.#worker = worker;
    worker.on('message', () => (this.#written += 1));
  }

  add(chunks, text, status, startedAt) {
    let bytes = 0;
    for (const chunk of chunks) bytes += chunk.length;
    if (this.#at + HEAD_BYTES + bytes + 3 * text.length > BATCH_BYTES) this.#send();
    const memory = this.#memory;
    const head = this.#at;
    let at = head + HEAD_BYTES;
    for (const chunk of chunks) {
      memory.set(chunk, at);
      at += chunk.length;
    }
    const answered = memory.write(text, at);
    memory.writeUInt32LE(bytes, head);
    memory.writeUInt32LE(answered, head + 4);
    memory.writeUInt32LE(status, head + 8);
    memory.writeDoubleLE(startedAt, head + 12);
    memory.writeDoubleLE(Date.now() - startedAt, head + 20);
    this.#at = at + answered;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#send();
    }, BATCH_MS);
  }

  async settle() {
    this.#send();
    while (this.#written < this.#sent) await once(this.#worker, 'message');
  }

  #send() {
    if (this.#at === 0) return;
    const { buffer } = this.#memory;
    this.#sent += 1;
    this.#worker.postMessage({ buffer, length: this.#at }, [buffer]);
    this.#memory = Buffer.from(new ArrayBuffer(BATCH_BYTES));
    this.#at = 0;
  }
}
