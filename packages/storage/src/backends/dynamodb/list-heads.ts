import type { AppendWrite } from '../../driver';
import { number, readNumber } from './dynamo-attributes';
import type { Attribute, Attributes } from './dynamo-client';
import type { DynamoKeys } from './dynamo-keys';
import type { Condition } from './dynamo-table';
import { lifetime, VISIBLE, type Head } from './heads';

/*
 * The last elements of a list are in its head, its tail; what no longer fits is moved into a segment of its body. So
 * an append is one conditional change of one item, and a segment is a copy of what the head has said already.
 */

/** How many bytes of elements a tail has before they are moved; one append adds as many at most. */
export const TAIL_BYTES = 8 * 1_024;
const REMEMBERED = 8;
/** What remembering an append takes at most beside its elements: its version, and what an entry costs. */
const REMEMBERING_BYTES = 64 + 3;

export interface Growth {
  readonly entries: readonly Attribute[];
  readonly bytes: number;
  readonly count: number;
}

/** `appended` has the versions of the last appends, the newest first: 8, and those since the tail was moved. */
export function hasAppended({ item }: Head, version: string): boolean {
  return recent(item).some(({ S: known }) => known === version);
}

function recent(item: Attributes): readonly Attribute[] {
  return item['appended']?.L ?? [];
}

/** The head of a new list. */
export function newList(
  keys: DynamoKeys,
  write: AppendWrite,
  { entries, bytes, count }: Growth,
  { body, now }: { readonly body: string | undefined; readonly now: number },
): Attributes {
  const { partition, key, version, expiresAt } = write;
  return {
    ...keys.item(partition, key),
    version: { S: version },
    element_count: number(count),
    tail: { L: entries },
    tail_start: number(0),
    tail_bytes: number(bytes + REMEMBERING_BYTES),
    appended: { L: [{ S: version }] },
    ...(body !== undefined && { body: { S: body } }),
    ...(expiresAt !== undefined && lifetime(keys, { key, expiresAt, now })),
  };
}

/** Adds to the tail, or begins a new one where that of the head is in a segment by now. */
export function growth(
  keys: DynamoKeys,
  { key, version, expiresAt }: AppendWrite,
  { entries, bytes, count }: Growth,
  {
    body,
    moved,
    now,
  }: { readonly body?: string | undefined; readonly moved?: Head | undefined; readonly now: number },
): Condition {
  const life = expiresAt === undefined ? {} : lifetime(keys, { key, expiresAt, now });
  const before = moved === undefined ? [] : recent(moved.item).slice(0, REMEMBERED - 1);
  const appended = [{ S: version }, ...before];
  const changes = [
    ...(moved === undefined
      ? ['tail = list_append(tail, :entries)', 'appended = list_append(:appended, appended)']
      : [
          ...['tail = :entries', 'appended = :appended', 'tail_bytes = :bytes'],
          // Not by ADD: dynalite would add to the copy as well.
          ...['tail_start = element_count', 'element_count = element_count + :count'],
        ]),
    'version = :version',
    ...(body === undefined ? [] : ['body = :new_body']),
    ...Object.keys(life).map((name) => `${name} = :${name}`),
  ];
  const additions = moved === undefined ? ' ADD element_count :count, tail_bytes :bytes' : '';
  return {
    expression: `SET ${changes.join(', ')}${additions}`,
    values: {
      ':entries': { L: entries },
      ':bytes': number(bytes + REMEMBERING_BYTES * appended.length),
      ':appended': { L: appended },
      ':count': number(count),
      ':version': { S: version },
      ...(body !== undefined && { ':new_body': { S: body } }),
      ...Object.fromEntries(Object.entries(life).map(([name, value]) => [`:${name}`, value])),
    },
  };
}

/** A list whose tail has room, which this append has not reached yet, and whose body is that of the head, if one is given. */
export function canGrow(now: number, head?: Head): Condition {
  const body = head?.body;
  const bodies = body === undefined ? 'attribute_not_exists(body)' : 'body = :body';
  return {
    expression: [
      'tail_bytes < :full',
      'NOT contains(appended, :version)',
      VISIBLE,
      ...(head === undefined ? [] : [bodies]),
    ].join(' AND '),
    values: {
      ':now': number(now),
      ':full': number(TAIL_BYTES),
      ...(body !== undefined && { ':body': { S: body } }),
    },
  };
}

export function lengthOf({ item }: Head): number {
  return readNumber(item, 'element_count')!;
}
