import type { DatabaseBackend } from '../database/database-backend';
import { StorageError } from '../errors';
import { BatchError, type BatchOutcome } from '../key-space/batch-error';
import type { CacheSide, ReportFailure } from './cache-side';
import type { Content, KnownContent } from './content';
import { WriteBehindQueue, type QueuedWrite, type WriteBehindOptions } from './write-behind-queue';

export type CheckedWrite = { readonly key: string } & (
  { readonly content: KnownContent } | { readonly error: Error }
);

export interface WriteBehindParts {
  readonly database: DatabaseBackend;
  readonly cache: CacheSide;
  /** Reads that are under way may have read before a write. */
  readonly forget: (keys: readonly string[]) => void;
  readonly report: ReportFailure;
}

/** Writes into the cache and a queue at once, and into the database afterwards. */
export class WriteBehind {
  readonly #parts: WriteBehindParts;
  readonly #queue: WriteBehindQueue;

  constructor(parts: WriteBehindParts, options: WriteBehindOptions) {
    this.#parts = parts;
    this.#queue = new WriteBehindQueue(
      {
        write: (writes) => this.#write(writes),
        onWritten: async (writes) => {
          const versions = await Promise.all(writes.map(({ cached }) => cached));
          const marks = new Map<string, string>();
          versions.forEach((version, index) => {
            if (version !== undefined) marks.set(writes[index]!.key, version);
          });
          await this.#settle(writes, marks);
        },
        onFailure: async (error, writes, isLost) => {
          const keys = writes.map(({ key }) => key);
          parts.report(error, { operation: 'write-behind', keys, isLost });
          // The cache must not go on showing what the database never had.
          if (isLost) await this.#settle(writes, new Map());
        },
      },
      options,
    );
  }

  get size(): number {
    return this.#queue.size;
  }

  get lost(): number {
    return this.#queue.lost;
  }

  find(key: string): Content | undefined {
    return this.#queue.find(key);
  }

  flush(key?: string): Promise<void> {
    return this.#queue.flush(key);
  }

  end(): Promise<void> {
    return this.#queue.end();
  }

  /** Resolves to what was queued under the key before. */
  async add(key: string, content: Content): Promise<Content | undefined> {
    let cached: Promise<string | undefined> | undefined;
    const before = await this.#queue.add(key, content, () => (cached = this.#parts.cache.put(key, content)));
    await cached;
    return before;
  }

  async addAll(writes: readonly CheckedWrite[]): Promise<void> {
    const outcomes = await Promise.all(
      writes.map(async (write): Promise<BatchOutcome> => {
        const { key } = write;
        if ('error' in write) return { key, status: 'failed', error: write.error };
        try {
          await this.add(key, write.content);
          return { key, status: 'written' };
        } catch (error) {
          return { key, status: 'failed', error: error as Error };
        }
      }),
    );
    if (outcomes.some(({ status }) => status === 'failed')) throw new BatchError(outcomes);
  }

  async #settle(writes: readonly QueuedWrite[], marks: ReadonlyMap<string, string>): Promise<void> {
    const contents = new Map(writes.map(({ key, content }) => [key, content]));
    const keys = [...contents.keys()];
    if (keys.length === 0) return;
    this.#parts.forget(keys);
    await this.#parts.cache.settle(keys, contents, marks);
  }

  async #write(writes: readonly QueuedWrite[]): Promise<ReadonlyMap<QueuedWrite, Error>> {
    const errors = new Map<QueuedWrite, Error>();
    const sets = writes.filter(({ content }) => content !== 'nothing');
    const deletes = writes.filter(({ content }) => content === 'nothing');
    await Promise.all([
      this.#set(sets, errors),
      ...deletes.map(async (write) => {
        try {
          await this.#parts.database.delete(write.key);
        } catch (error) {
          errors.set(write, toError(error));
        }
      }),
    ]);
    return errors;
  }

  async #set(writes: readonly QueuedWrite[], errors: Map<QueuedWrite, Error>): Promise<void> {
    if (writes.length === 0) return;
    try {
      await this.#parts.database.mset(
        writes.map(({ key, content }) => [key, (content as KnownContent).value]),
      );
    } catch (thrown) {
      const error = toError(thrown);
      const { outcomes } = error as { outcomes?: readonly BatchOutcome[] };
      writes.forEach((write, index) => {
        const outcome = outcomes?.[index];
        if (outcomes === undefined) errors.set(write, error);
        else if (outcome?.status === 'failed') errors.set(write, outcome.error);
      });
    }
  }
}

/** A database of somebody else's may reject with anything. */
function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new StorageError('UNAVAILABLE', 'The database failed, and did not say why.', { cause: thrown });
}
