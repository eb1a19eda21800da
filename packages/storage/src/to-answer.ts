import type { Page, ValueItem, WriteOutcome } from './backend';
import type { DriverPage, DriverWrite, ReadItem, StoredItem, Verdict } from './driver';
import { StorageError } from './errors';
import { decodeValue } from './stored-value';

/** What the driver found, as the caller sees it. */
export function toPage<T>(page: DriverPage<ReadItem>, convert: (item: ReadItem) => T): Page<T> {
  const next = page.hasMore ? (page.stoppedAt ?? page.items.at(-1)?.key) : undefined;
  const items = page.items.map(convert);
  return next === undefined ? { items } : { items, next };
}

/** Names page by page, of which some may be left out: the next page begins behind what the driver has read. */
export function toPageOfNames(
  { items: names, hasMore, stoppedAt }: DriverPage<string>,
  isShown: (name: string) => boolean = () => true,
): Page<string> {
  const next = hasMore ? (stoppedAt ?? names.at(-1)) : undefined;
  const items = names.filter(isShown);
  return next === undefined ? { items } : { items, next };
}

export function toValueItem(stored: StoredItem | undefined): ValueItem | undefined {
  if (stored === undefined) return undefined;
  const { key, version, expiresAt, value } = stored;
  if (value === undefined) throw wrongType(key, 'list', 'value');
  const decoded = decodeValue(value);
  return expiresAt === undefined
    ? { type: 'value', key, value: decoded, version }
    : { type: 'value', key, value: decoded, version, expiresAt };
}

/** @throws {StorageError} `CONFLICT`, `WRONG_TYPE` */
export function toOutcome(write: DriverWrite, verdict: Verdict): WriteOutcome {
  switch (verdict.status) {
    case 'written': {
      const { version } = write as { version: string };
      return verdict.length === undefined
        ? { status: 'written', version }
        : { status: 'written', version, length: verdict.length };
    }
    case 'conflict':
      throw conflict(write.key, 'its version is another');
    case 'wrong-type':
      throw wrongType(write.key, 'value', 'list');
    default:
      return { status: verdict.status };
  }
}

export function conflict(key: string, why: string): StorageError {
  return new StorageError('CONFLICT', `Nothing was written under ${quoted(key)}: ${why}. Read it again.`);
}

export function wrongType(key: string, there: string, wanted: string): StorageError {
  return new StorageError('WRONG_TYPE', `Under ${quoted(key)} is a ${there}, not a ${wanted}.`);
}

const quoted = (key: string): string => JSON.stringify(key.length > 100 ? `${key.slice(0, 100)}…` : key);
