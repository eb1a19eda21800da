/** How one of the two is. */
export interface HalfHealth {
  /** The type that was configured. */
  readonly type: string;
  /** `degraded`: another backend has taken over, and works. */
  readonly status: 'up' | 'degraded' | 'down';
  readonly servedBy: string;
  readonly latencyMs: number;
  /** Ms since the epoch. */
  readonly degradedSince?: number;
  /** Writes that wait to be replayed. */
  readonly pendingWrites: number;
  /** Why it is down. */
  readonly error?: Error;
}

export interface StorageHealth {
  /** The backend that was configured works, and no other in its place; `undefined` when none was. */
  readonly cache: boolean | undefined;
  readonly database: boolean | undefined;
  /** All that were configured do. */
  readonly overall: boolean;
  /** The worst of the two. */
  readonly status: HalfHealth['status'];
  readonly details: { readonly cache?: HalfHealth; readonly database?: HalfHealth };
}

export function storageHealth(details: StorageHealth['details']): StorageHealth {
  const { cache, database } = details;
  const found = [cache, database].filter((each) => each !== undefined).map(({ status }) => status);
  const status = found.includes('down') ? 'down' : found.includes('degraded') ? 'degraded' : 'up';
  return {
    cache: cache && cache.status === 'up',
    database: database && database.status === 'up',
    overall: status === 'up',
    ...{ status, details },
  };
}
