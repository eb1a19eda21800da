import { appendFileSync } from 'node:fs';
import { createCacheBackend, createDatabaseBackend, type Backend } from '@recap/storage';
import { describeBackend, describeCache, describeDatabase, type FakeClock } from '@recap/storage/testing';
import { checkAgainstModel } from './role-model';

export interface Engine {
  /** The backend's name, such as `postgres`. */
  readonly name: string;
  /** Resolves to an open, empty backend that sweeps only when told to. */
  readonly open: (clock: FakeClock) => Promise<Backend>;
  /** Opens another instance on the same data, for engines that outlive an instance. */
  readonly another?: (clock: FakeClock) => Promise<Backend>;
  /** Asks what it runs on for its name and version. */
  readonly server: () => Promise<string>;
  /** Releases what the tests hold. */
  readonly end?: () => Promise<void>;
  /** Why the tests cannot run here; they are skipped, and `npm test` says so. */
  readonly missing?: string | undefined;
}

/** Runs every suite on an engine, and notes for the table of `npm test` which server that was. */
export function describeOn({ name, open, another, server, end, missing }: Engine): void {
  (missing === undefined ? describe : describe.skip)(`on ${name}`, () => {
    afterAll(async () => {
      const { RECAP_STORAGE_SERVERS: file } = process.env;
      if (file !== undefined) appendFileSync(file, `${JSON.stringify({ name, server: await server() })}\n`);
      await end?.();
    });

    describeBackend(name, open, { ...(another && { another }) });

    describeCache(name, async (clock) => {
      const backend = await open(clock);
      return async (keyPrefix) => createCacheBackend(backend, { keyPrefix, clock });
    });

    describeDatabase(name, async (clock) => {
      const backend = await open(clock);
      return async (keyPrefix) => createDatabaseBackend(backend, { keyPrefix });
    });

    it('does in both roles what two maps would do, whatever is asked, and after restarts', async () => {
      await checkAgainstModel({ open, another }, name === 'memory' ? 300 : 20);
    });
  });
}
