import type { Item } from '../../backend';
import type { StoredItem, StoredValue } from '../../driver';
import { StorageError } from '../../errors';
import { decodeItem, decodeJson, decodeValue } from '../../stored-value';
import type { SqlDialect, SqlRow, SqlValue } from './sql-contract';
import { KIND } from './sql-statements';

/** kind, json, bytes */
export type ValueColumns = readonly [kind: number, json: string | null, bytes: Uint8Array | null];

/** Of an item. */
export interface ItemColumns {
  readonly key: string;
  readonly kind: number;
  readonly json: unknown;
  readonly bytes: unknown;
  readonly version: string;
  readonly expiresAt: number | null;
}

export function toColumns(value: StoredValue, { holds }: SqlDialect): ValueColumns {
  if (typeof value !== 'string') return [KIND.bytes, null, value];
  return holds(value) ? [KIND.json, value, null] : [KIND.jsonAsBytes, null, Buffer.from(value)];
}

/** Of `kind` or `item_kind`. The program may have told its driver to hand over integers as something else, as bigint. */
export const toKind = (column: unknown): number => Number(column);

export function fromColumns({ kind, json, bytes }: SqlRow): StoredValue {
  switch (toKind(kind)) {
    case KIND.json:
      return json as string;
    case KIND.bytes:
      return bytes as Uint8Array;
    case KIND.jsonAsBytes:
      return Buffer.from(bytes as Uint8Array).toString();
    default:
      throw new StorageError('CORRUPT', `A stored value is of an unknown kind (${String(kind)}).`);
  }
}

/** In one step, since each object between row and item survives, with the pages of others, a collection. */
export function decodeColumns({ key, kind, json, bytes, version, expiresAt }: ItemColumns): Item {
  if (kind === KIND.list) return decodeItem({ key, version, expiresAt: expiresAt ?? undefined });
  const value =
    kind === KIND.json ? decodeJson(json as string) : decodeValue(fromColumns({ kind, json, bytes }));
  return expiresAt === null
    ? { type: 'value', key, value, version }
    : { type: 'value', key, value, version, expiresAt };
}

export function toItem(row: SqlRow, key = toText(row['key'])): StoredItem {
  const { kind, version, expires_at: expiresAt } = row;
  return {
    key,
    value: toKind(kind) === KIND.list ? undefined : fromColumns(row),
    version: version as string,
    // Drivers hand over 64-bit integers as text, or as bigint.
    expiresAt: expiresAt === null ? undefined : Number(expiresAt),
  };
}

export const toKey = (name: string): SqlValue => Buffer.from(name);

export function toText(bytes: unknown): string {
  // Not copied first: a page has many.
  return Buffer.isBuffer(bytes) ? bytes.toString() : Buffer.from(bytes as Uint8Array).toString();
}
