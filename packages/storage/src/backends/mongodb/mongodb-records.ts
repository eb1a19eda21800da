import type { AppendWrite, DriverWrite, ReadItem, SetWrite, StoredItem, Verdict } from '../../driver';
import type { JsonValue } from '../../json-value';
import { newId } from '../../new-id';
import type { MongoDocument } from './mongodb-client';
import { fromContent, kindOf, sizeOfJson, toContent, toElements, type Content } from './mongodb-content';

/**
 * What a write has to know of the document under an address. Beside it a document holds `partition`, `key`, and of a
 * value `json`, `text` or `bytes`, of a list the `tail` of its elements, of which those from `tailStart` on are in it,
 * and the ones before in documents of their own.
 */
export interface MongoRecord {
  readonly _id: unknown;
  readonly kind: string;
  readonly version: string;
  /** Ms since the epoch. */
  readonly expiresAt?: number;
  /** New with each list: elements outside of the document belong to it. */
  readonly list?: string;
  readonly length?: number;
  readonly tailStart?: number;
  readonly tailBytes?: number;
  /** The versions of the last appends. */
  readonly recent?: readonly string[];
  /** Elements of this list, or of the ones named by `dropped`, may be outside of the document. */
  readonly chunked?: true;
  readonly dropped?: readonly string[];
}

export const RECORD_FIELDS = project(
  '_id',
  'kind',
  'version',
  'expiresAt',
  'list',
  'length',
  'tailStart',
  'tailBytes',
  'recent',
  'chunked',
  'dropped',
);

export const ITEM_FIELDS = {
  ...project('key', 'kind', 'json', 'text', 'bytes', 'version', 'expiresAt'),
  _id: 0,
};

const RECENT = 8;

/** All that a value or a list may have and the other has not. */
const FIELDS = [
  ...['json', 'text', 'bytes', 'expiresAt', 'removeAt'],
  ...['list', 'length', 'tail', 'tailStart', 'tailBytes', 'recent'],
];

/** To be done to the document under the address. */
export type Change =
  { readonly type: 'update'; readonly update: MongoDocument } | { readonly type: 'delete' };

export interface Decision {
  readonly verdict: Verdict;
  /** Absent: nothing. */
  readonly change?: Change;
}

/** When the server may remove a value by itself, if it ever may. */
export type RemoveAt = (expiresAt: number | undefined, now: number) => Date | undefined;

/** What a write comes to where this is found, visible or not. */
export function decide(
  found: MongoRecord | undefined,
  write: DriverWrite,
  now: number,
  removeAt: RemoveAt,
): Decision {
  const live = found !== undefined && isLive(found, now) ? found : undefined;
  switch (write.type) {
    case 'delete': {
      if (live === undefined) return { verdict: { status: 'missing' } };
      const { ifVersion = live.version } = write;
      if (live.version !== ifVersion) return { verdict: { status: 'conflict' } };
      return { verdict: { status: 'deleted' }, change: toRemoval(live) };
    }
    case 'append': {
      const { values, version } = write;
      if (live === undefined) {
        const change = toUpdate(beginning(write), found);
        return { verdict: { status: 'written', length: values.length }, change };
      }
      if (live.kind !== 'list') return { verdict: { status: 'wrong-type' } };
      const { length = 0, recent = [] } = live;
      if (recent.includes(version)) return { verdict: { status: 'written', length } };
      const verdict = { status: 'written', length: length + values.length } as const;
      return { verdict, change: { type: 'update', update: growing(write) } };
    }
    case 'set': {
      const { version, ifAbsent, ifVersion } = write;
      if (live?.version === version) return { verdict: { status: 'written' } };
      if (ifAbsent && live !== undefined) return { verdict: { status: 'exists' } };
      if (ifVersion !== undefined && live?.version !== ifVersion) return { verdict: { status: 'conflict' } };
      const change = toUpdate(
        valueFields(write, found?.chunked ? undefined : removeAt(write.expiresAt, now)),
        found,
      );
      return { verdict: { status: 'written' }, change };
    }
  }
}

export function isLive({ expiresAt }: { readonly expiresAt?: number | undefined }, now: number): boolean {
  return expiresAt === undefined || expiresAt > now;
}

/** Also of what has no `expiresAt` at all. */
export function live(now: number): MongoDocument {
  return { $not: { $lte: now } };
}

/** What holds one value and no element elsewhere: to be replaced or deleted without looking. */
export const PLAIN = { chunked: { $exists: false } } as const;

export function valueFields(
  { value, version, expiresAt }: SetWrite,
  removeAt: Date | undefined,
): MongoDocument {
  const content = toContent(value);
  return {
    kind: kindOf(content),
    ...content,
    version,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(removeAt !== undefined && { removeAt }),
  };
}

/** These fields, and none that what was there before had. */
export function toUpdate(
  fields: MongoDocument,
  found?: Pick<MongoRecord, 'chunked' | 'list'>,
): { readonly type: 'update'; readonly update: MongoDocument } {
  const gone = FIELDS.filter((name) => !(name in fields)).map((name) => [name, ''] as const);
  const { chunked, list } = found ?? {};
  return {
    type: 'update',
    update: {
      $set: fields,
      $unset: Object.fromEntries(gone),
      ...(chunked && list !== undefined && { $push: { dropped: list } }),
    },
  };
}

function beginning({ values, version, expiresAt }: AppendWrite): MongoDocument {
  const tail = toElements(values);
  return {
    kind: 'list',
    version,
    ...(expiresAt !== undefined && { expiresAt }),
    list: newId(),
    length: tail.length,
    tailStart: 0,
    tailBytes: sizeOf(values),
    tail,
    recent: [version],
  };
}

/** Adds elements to the list that is there. */
export function growing({ values, version, expiresAt }: AppendWrite): MongoDocument {
  return {
    $push: {
      tail: { $each: toElements(values) },
      recent: { $each: [version], $slice: -RECENT },
    },
    $inc: { length: values.length, tailBytes: sizeOf(values) },
    $set: { version, ...(expiresAt !== undefined && { expiresAt }) },
  };
}

/** About what elements take. */
export function sizeOf(values: AppendWrite['values']): number {
  return values.reduce((sum, { length }) => sum + 32 + length, 0);
}

/** What has elements elsewhere stays as a document that nobody sees, until they are gone. */
export function toRemoval({ chunked, list }: MongoRecord): Change {
  return chunked
    ? toUpdate({ kind: 'gone', version: '', expiresAt: 0 }, { chunked, ...(list !== undefined && { list }) })
    : { type: 'delete' };
}

export function toItem(document: MongoDocument): StoredItem {
  const { key, kind, version, expiresAt } = document;
  return {
    key: key as string,
    value: kind === 'list' ? undefined : fromContent(document),
    version: version as string,
    expiresAt: expiresAt as number | undefined,
  };
}

/** As `toItem`, without the way over its text where the driver made JSON of it; and about what its value takes. */
export function toReadItem(document: MongoDocument): { readonly item: ReadItem; readonly bytes: number } {
  const { kind, json } = document;
  const bytes = kind === 'json' ? sizeOfJson(json) : -1;
  if (bytes < 0) {
    const item = toItem(document);
    return { item, bytes: item.value?.length ?? 0 };
  }
  const { key, version, expiresAt } = document as { key: string; version: string; expiresAt?: number };
  const value = json as JsonValue;
  const item: ReadItem =
    expiresAt === undefined
      ? { type: 'value', key, value, version }
      : { type: 'value', key, value, version, expiresAt };
  return { item, bytes };
}

export function fromElement(element: unknown) {
  return fromContent(element as Content & MongoDocument);
}

function project(...names: string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(names.map((name) => [name, 1]));
}
