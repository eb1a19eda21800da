import type { NewEntry, Placement } from '../entries/entry-store';
import { placeEntries, type PlacementOptions, type SessionSpan } from '../sessions/place-entries';
import { ALL_COLUMNS, entryValues } from './entry-columns';
import { entryToPlace } from './entry-to-place';
import { isDuplicateKey } from './database-errors';
import { isAnyOf, type SqlDatabase, type SqlRunner } from './sql-database';
import { sessionFromRow, SESSION_COLUMNS, type SessionRow } from './session-columns';
import { lockSessionKeys } from './session-locks';
import { storableKey } from './storable-text';

/** Rows of one UPDATE when sessions are merged. */
const MERGE_ROWS = 200;

/**
 * Places and inserts entries in a transaction; ids that are there already are left alone. Nearly always none is, so
 * they are looked for only after one was found there by inserting it.
 */
export async function appendEntries(
  database: SqlDatabase,
  entries: readonly NewEntry[],
  options: PlacementOptions,
): Promise<readonly Placement[]> {
  try {
    return await database.write((sql) => appendWithin(sql, entries, options, false));
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return database.write((sql) => appendWithin(sql, entries, options, true));
  }
}

async function appendWithin(
  sql: SqlRunner,
  entries: readonly NewEntry[],
  options: PlacementOptions,
  mayBeThere: boolean,
): Promise<readonly Placement[]> {
  const places = entries.map(entryToPlace);
  await lockSessionKeys(
    sql,
    places.map(({ session }) => session.key),
  );
  const ids = mayBeThere ? places.map(({ id }) => id) : [];
  if (mayBeThere) await makeRoom(sql, entries);
  const sessionIds = await storedPlacements(sql, ids);
  const fresh = new Map<string, { entry: NewEntry; place: (typeof places)[number] }>();
  entries.forEach((entry, index) => {
    const place = places[index];
    if (place === undefined || sessionIds.has(place.id)) return;
    if (fresh.has(place.id) && entry.isCorrection !== true) return;
    fresh.set(place.id, { entry, place });
  });
  if (fresh.size > 0) {
    const toPlace = [...fresh.values()].map(({ place }) => place);
    const plan = placeEntries(toPlace, await knownSessions(sql, toPlace, options.maxAgeMs), options);
    for (const { from, into } of plan.merged) {
      await mergeSessions(sql, from, into);
      for (const [id, sessionId] of sessionIds) if (sessionId === from) sessionIds.set(id, into);
    }
    await saveSessions(sql, plan.sessions);
    const rows: unknown[][] = [];
    for (const [id, { entry }] of fresh) {
      const sessionId = plan.placements.get(id);
      if (sessionId === undefined) throw new Error(`Entry ${id} was not placed in a session.`);
      sessionIds.set(id, sessionId);
      rows.push(entryValues(entry, sessionId, plan.warnings.get(id), sql.dialect));
    }
    await sql.insert(`INSERT INTO recap_entries (${ALL_COLUMNS})`, rows);
  }
  return entries.map(({ id }) => ({ entryId: id, sessionId: sessionIds.get(storableKey(id)) ?? '' }));
}

/** What is corrected is placed anew, into the session that it was in. */
async function makeRoom(sql: SqlRunner, entries: readonly NewEntry[]): Promise<void> {
  const corrected = entries.filter(({ isCorrection }) => isCorrection === true);
  if (corrected.length === 0) return;
  const wanted = isAnyOf(
    sql.dialect,
    'id',
    corrected.map(({ id }) => storableKey(id)),
  );
  await sql.execute(`DELETE FROM recap_entries WHERE ${wanted.sql}`, wanted.values);
}

async function storedPlacements(sql: SqlRunner, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const wanted = isAnyOf(sql.dialect, 'id', ids);
  const rows = await sql.query<{ id: string; session_id: string }>(
    `SELECT id, session_id FROM recap_entries WHERE ${wanted.sql}`,
    wanted.values,
  );
  return new Map(rows.map((row) => [row.id, row.session_id]));
}

/**
 * Sessions that any of the entries could join, extend or bridge: of the same keys, still within their own
 * timeout when the first entry starts, and not begun so late that none could reach them.
 */
async function knownSessions(
  sql: SqlRunner,
  places: readonly ReturnType<typeof entryToPlace>[],
  maxAgeMs: number,
): Promise<SessionSpan[]> {
  const starts = places.map(({ createdAt }) => createdAt);
  const first = starts.reduce((least, start) => Math.min(least, start));
  const last = starts.reduce((most, start) => Math.max(most, start));
  const ids = places.flatMap(({ session: { requestedId, proposedId } }) =>
    [requestedId, proposedId].filter((id) => id !== undefined),
  );
  const byKey = isAnyOf(sql.dialect, 'session_key', [...new Set(places.map(({ session }) => session.key))]);
  const byId = isAnyOf(sql.dialect, 'id', ids);
  const rows = await sql.query<SessionRow>(
    `SELECT ${SESSION_COLUMNS} FROM recap_sessions
      WHERE ${byKey.sql} AND last_activity_at >= ? AND last_activity_at + timeout_ms >= ? AND created_at <= ?
     UNION SELECT ${SESSION_COLUMNS} FROM recap_sessions WHERE ${byId.sql}`,
    [...byKey.values, first - maxAgeMs, first, last + maxAgeMs, ...byId.values],
  );
  return rows.map(sessionFromRow);
}

async function mergeSessions(sql: SqlRunner, from: string, into: string): Promise<void> {
  const update = `UPDATE recap_entries SET session_id = ? WHERE id IN
    (SELECT id FROM recap_entries WHERE session_id = ? LIMIT ${MERGE_ROWS})`;
  for (let moved = MERGE_ROWS; moved === MERGE_ROWS;) moved = await sql.execute(update, [into, from]);
  await sql.execute('DELETE FROM recap_sessions WHERE id = ?', [from]);
}

async function saveSessions(sql: SqlRunner, sessions: readonly SessionSpan[]): Promise<void> {
  const rows = sessions.map(({ id, key, owner, group, createdAt, lastActivityAt, timeoutMs }) => [
    id,
    key,
    owner,
    group,
    createdAt,
    lastActivityAt,
    timeoutMs,
  ]);
  await sql.insert(
    `INSERT INTO recap_sessions (${SESSION_COLUMNS})`,
    rows,
    `ON CONFLICT (id) DO UPDATE SET created_at = excluded.created_at,
       last_activity_at = excluded.last_activity_at, timeout_ms = excluded.timeout_ms`,
  );
}
