import type { StoredItem, StoredValue } from '../../driver';
import { corrupt, number, readNumber } from './dynamo-attributes';
import type { Attributes } from './dynamo-client';
import type { DynamoKeys } from './dynamo-keys';
import type { Condition } from './dynamo-table';

/** What every item says of itself, whatever it holds. */
export interface Head {
  readonly version: string;
  readonly expiresAt: number | undefined;
  readonly isList: boolean;
  readonly body: string | undefined;
  readonly item: Attributes;
}

export function readHead(item: Attributes): Head {
  const version = item['version']?.S;
  if (version === undefined) throw corrupt();
  return {
    version,
    expiresAt: readNumber(item, 'expires_at'),
    isList: item['element_count'] !== undefined,
    body: item['body']?.S,
    item,
  };
}

export function isVisible({ expiresAt }: Pick<Head, 'expiresAt'>, now: number): boolean {
  return expiresAt === undefined || expiresAt > now;
}

/** For conditions and filters, with `:now` among their values. What is not there is not compared, so it is not past. */
export const VISIBLE = 'NOT expires_at <= :now';

/** That under the key is what was read there. */
export function unchanged(head: Head | undefined): Condition {
  if (head === undefined) return { expression: 'attribute_not_exists(pk)' };
  const { version, body } = head;
  return body === undefined
    ? { expression: 'version = :seen AND attribute_not_exists(body)', values: { ':seen': { S: version } } }
    : {
        expression: 'version = :seen AND body = :body',
        values: { ':seen': { S: version }, ':body': { S: body } },
      };
}

/** A value that its item holds itself. */
export function readValue({ item }: Head): StoredValue | undefined {
  return item['json']?.S ?? item['octets']?.B;
}

export function toStoredItem(key: string, head: Head, value: StoredValue | undefined): StoredItem {
  return { key, version: head.version, expiresAt: head.expiresAt, value };
}

/** The server's clock may go differently, or ours be set; seconds are all that it knows. */
const GRACE_MS = 3_600_000;

export function lifetime(
  keys: DynamoKeys,
  { key, expiresAt, now }: { readonly key: string; readonly expiresAt: number; readonly now: number },
): Attributes {
  return {
    expires_at: number(expiresAt),
    expiry_shard: { B: keys.shardOf(key) },
    // By the server's clock, since it is that one which decides.
    delete_after: number(Math.ceil((Date.now() + (expiresAt - now) + GRACE_MS) / 1_000)),
  };
}
