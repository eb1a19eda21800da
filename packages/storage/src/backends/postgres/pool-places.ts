import { connectionsOf } from './connections-of';
import type { PostgresClient, PostgresPool } from './postgres-client';

/**
 * Tells why a call got no connection: the pool gives one error both where all are busy, and where the server makes none.
 * Of a pool that was handed in it is not known which were made before, so all that it counts pass for made.
 */
export class PoolPlaces {
  readonly #pool: PostgresPool;
  readonly #made: ReadonlySet<PostgresClient> | undefined;

  constructor(pool: PostgresPool, isOurs: boolean) {
    this.#pool = pool;
    this.#made = isOurs ? connectionsOf(pool) : undefined;
  }

  /** Whether connections that were made have all of its places. */
  get areTaken(): boolean {
    const { totalCount, options: { max } = {} } = this.#pool;
    if (totalCount === undefined || max === undefined) return true;
    return totalCount >= max && (this.#made === undefined || this.#made.size >= totalCount);
  }
}
