import type { FakeClock } from '@recap/storage/testing';
import type { EntryFilter } from '../entries/entry-filter';
import type { EntryStore, NewEntry } from '../entries/entry-store';

export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;

/** What each part of the suite works with: a store of its own for every test. */
export interface SuiteContext {
  readonly store: () => EntryStore;
  readonly clock: () => FakeClock;
}

export async function idsFound(store: EntryStore, filter: EntryFilter, limit = 1_000): Promise<string[]> {
  const found = await store.find({ filter, limit, includeBodies: false });
  return found.map(({ id }) => id);
}

export const idsOf = (entries: readonly Pick<NewEntry, 'id'>[]): string[] => entries.map(({ id }) => id);

/** An id whose text sorts by its number. */
export const idAt = (index: number): string => `id-${String(index).padStart(6, '0')}`;

/** Strings that have broken somebody's storage before. */
export const HOSTILE_STRINGS: readonly string[] = [
  '%',
  '_',
  '%_%',
  '*',
  '?',
  '$1',
  '[a-z]',
  '\\',
  '\\%',
  "'",
  "'; DROP TABLE recap_entries; --",
  '"',
  '""',
  '`',
  ':',
  ':name',
  '/',
  '../../etc/passwd',
  '..',
  '.',
  ' ',
  '\t\r\n',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'NaN',
  '0',
  '{}',
  '[]',
  'é',
  'e\u0301',
  'İ',
  '\u{1F600}',
  '\u{10FFFF}',
  '\uFFFF',
  '\u202Eabc',
  'x'.repeat(10_000),
  // Does not compress, which databases rely on for long keys.
  Array.from({ length: 10_000 }, (_, at) => String.fromCodePoint(0x4e00 + ((at * 7919) % 20_000))).join(''),
];
