import type { SqlRunner } from './sql-database';

/** First number of all of Recap's advisory locks; the second says which. */
export const LOCK_SPACE = 0x52_45_43_41;
/** How long a statement waits for a row or a table that somebody else has locked. */
export const ROW_WAIT_MS = 1_000;
/** Shorter than a statement may last, so that the server says what it waited for. */
const BATCH_WAIT_MS = 3_000;
/** Keys share this many locks, so that the server's lock table stays small whatever the batch holds. */
const SLOTS = 64;
/** Other numbers of the space. */
export const MIGRATION_LOCK = 1_000;
export const SWEEP_LOCK = 1_001;

/**
 * Keeps every other process from placing entries of these keys until the transaction ends. In ascending
 * order, so that two processes never wait for each other. On SQLite the transaction itself is that lock.
 */
export async function lockSessionKeys(sql: SqlRunner, keys: readonly string[]): Promise<void> {
  if (sql.dialect === 'sqlite') return;
  const slots = [...new Set(keys.map(slotOf))].sort((a, b) => a - b);
  // In one statement: waiting for another process's batch is normal, and may last longer than waiting for a row.
  await sql.query(
    `WITH patient AS MATERIALIZED (SELECT set_config('lock_timeout', '${BATCH_WAIT_MS}', true)),
      taken AS MATERIALIZED (
        SELECT pg_advisory_xact_lock(${LOCK_SPACE}, slot)
          FROM (SELECT slot FROM patient, unnest(?::int[]) AS slot ORDER BY slot) AS slots)
     SELECT set_config('lock_timeout', '${ROW_WAIT_MS}', true) FROM (SELECT count(*) FROM taken) AS all_taken`,
    [slots],
  );
}

/** FNV-1a over UTF-16 code units: any two processes get the same slot. */
function slotOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % SLOTS;
}
