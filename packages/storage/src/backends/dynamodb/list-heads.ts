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

/** `appended_1` is the version of the last append. */
const APPENDED = Array.from({ length: REMEMBERED }, (_, index) => `appended_${index + 1}`);
/** In place of an append that there has not been. No version is a space. */
const NONE: Attribute = { S: ' ' };

export interface Growth {
  readonly entries: readonly Attribute[];
  readonly bytes: number;
  readonly count: number;
}

export function hasAppended(item: Attributes, version: string): boolean {
  return APPENDED.some((name) => item[name]?.S === version);
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
    tail_bytes: number(bytes),
    ...Object.fromEntries(APPENDED.map((name, index) => [name, index === 0 ? { S: version } : NONE])),
    ...(body !== undefined && { body: { S: body } }),
    ...(expiresAt !== undefined && lifetime(keys, { key, expiresAt, now })),
  };
}

/** Adds to the tail, or begins a new one where the old one is in a segment. */
export function growth(
  keys: DynamoKeys,
  { key, version, expiresAt }: AppendWrite,
  { entries, bytes, count }: Growth,
  {
    body,
    isTailMoved,
    now,
  }: { readonly body?: string | undefined; readonly isTailMoved: boolean; readonly now: number },
): Condition {
  const life = expiresAt === undefined ? {} : lifetime(keys, { key, expiresAt, now });
  const changes = [
    isTailMoved ? 'tail = :entries' : 'tail = list_append(tail, :entries)',
    isTailMoved ? 'tail_bytes = :bytes' : 'tail_bytes = tail_bytes + :bytes',
    ...(isTailMoved ? ['tail_start = element_count'] : []),
    'element_count = element_count + :count',
    'version = :version',
    ...APPENDED.map((name, index) => `${name} = ${index === 0 ? ':version' : APPENDED[index - 1]!}`),
    ...(body === undefined ? [] : ['body = :new_body']),
    ...Object.keys(life).map((name) => `${name} = :${name}`),
  ];
  return {
    expression: `SET ${changes.join(', ')}`,
    values: {
      ':entries': { L: entries },
      ':bytes': number(bytes),
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
      'attribute_exists(element_count)',
      VISIBLE,
      'tail_bytes < :full',
      ...APPENDED.map((name) => `${name} <> :version`),
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
