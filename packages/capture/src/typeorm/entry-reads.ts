import type { EntryFilter } from '../entries/entry-filter';
import type { EntryRecord } from '../entries/entry-record';
import type { CountResult, FindEntries, FindSessions, SessionRecord } from '../entries/entry-store';
import type { SqlRunner } from './sql-database';

/** The reads whose way differs between databases. `now` is the instant that decides what has expired. */
export interface EntryReads {
  find(sql: SqlRunner, query: FindEntries, now: number): Promise<EntryRecord[]>;
  count(sql: SqlRunner, filter: EntryFilter, limit: number, now: number): Promise<CountResult>;
  findSessions(sql: SqlRunner, query: FindSessions, now: number): Promise<SessionRecord[]>;
  countSessions(sql: SqlRunner, filter: EntryFilter, limit: number, now: number): Promise<CountResult>;
}

/** Bounds of a session's figures. */
export const MAX_SESSION_ENTRIES = 10_000;
export const MAX_SESSION_ENDPOINTS = 100;

/** Order of text in the database: by UTF-8 bytes. */
export const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
