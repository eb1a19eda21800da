import type { DeleteWrite, SetWrite, StoredItem, StoredValue, Verdict } from '../../driver';
import type { Bodies, Body } from './bodies';
import { byteLength, corrupt, number, readNumber } from './dynamo-attributes';
import type { Attributes } from './dynamo-client';
import type { DynamoKeys } from './dynamo-keys';
import type { Condition, DynamoTable } from './dynamo-table';
import {
  isVisible,
  lifetime,
  readHead,
  readValue,
  toStoredItem,
  unchanged,
  VISIBLE,
  type Head,
} from './heads';
import type { PartitionRegistry } from './partition-registry';
import { cut, PART_BYTES } from './runs';
import { orUnsettled, Unsettled } from './unsettled';

/** What it takes to decide on a write. */
const DECISIVE = 'version, expires_at, body, element_count';
/** What replaced it while it was read was replaced again, so many times. */
const READ_ATTEMPTS = 20;

export interface DynamoParts {
  readonly table: DynamoTable;
  readonly keys: DynamoKeys;
  readonly bodies: Bodies;
  readonly registry: PartitionRegistry;
}

/** Values: in their items as long as they fit, else in a body. */
export class DynamoValues {
  readonly #table: DynamoTable;
  readonly #keys: DynamoKeys;
  readonly #bodies: Bodies;
  readonly #registry: PartitionRegistry;

  constructor({ table, keys, bodies, registry }: DynamoParts) {
    this.#table = table;
    this.#keys = keys;
    this.#bodies = bodies;
    this.#registry = registry;
  }

  async get(partition: string, key: string, now: number): Promise<StoredItem | undefined> {
    return this.resolve(partition, key, await this.#table.get(this.#keys.item(partition, key)), now);
  }

  /** What an item that was found comes to, with the value that it may keep elsewhere. */
  async resolve(
    partition: string,
    key: string,
    item: Attributes | undefined,
    now: number,
  ): Promise<StoredItem | undefined> {
    let body: string | undefined;
    for (let attempt = 0, found = item; attempt < READ_ATTEMPTS; attempt += 1) {
      if (found === undefined) return undefined;
      const head = readHead(found);
      if (!isVisible(head, now)) return undefined;
      if (head.isList) return toStoredItem(key, head, undefined);
      const value = head.body === undefined ? readValue(head) : await this.#readBody(head, head.body);
      if (value !== undefined) return toStoredItem(key, head, value);
      if (head.body === undefined || head.body === body) throw corrupt();
      // Another was written meanwhile, and this one's parts are gone.
      body = head.body;
      found = await this.#table.get(this.#keys.item(partition, key));
    }
    throw corrupt();
  }

  async set(write: SetWrite, now: number): Promise<Verdict> {
    const { partition, key, value, version, ifVersion } = write;
    const isLarge = byteLength(value) > PART_BYTES;
    // Only what is there has a version.
    if (ifVersion === undefined) await this.#registry.register(partition, now);
    const body = isLarge ? await this.upload(write, now) : undefined;
    const item = this.toItem(write, body, now);
    let doubt: Unsettled | undefined;
    for (let condition = toCondition(write, now), seen: Head | undefined; ;) {
      const outcome = await orUnsettled(this.#table.put(item, condition, 'undone'));
      if (outcome === true) {
        if (seen?.body !== undefined) await this.#bodies.forget(seen.body);
        return { status: 'written' };
      }
      if (outcome instanceof Unsettled) doubt = outcome;
      const head = await this.#head(partition, key);
      // Only what is ours, or what it was to replace, tells whether it was made.
      if (doubt !== undefined && head?.version !== version && !isStill(head, seen?.version ?? ifVersion))
        throw doubt.error;
      const verdict = judgeSet(write, head, now);
      if (verdict !== undefined) {
        if (doubt === undefined && body !== undefined && head?.body !== body.id)
          await this.#bodies.forget(body.id);
        return verdict;
      }
      if (ifVersion === undefined) await this.#registry.register(partition, now);
      if (body !== undefined) this.#bodies.checkAge(body);
      condition = unchanged(head);
      seen = head;
    }
  }

  async remove(write: DeleteWrite, now: number): Promise<Verdict> {
    const { partition, key, ifVersion } = write;
    const condition: Condition | undefined =
      ifVersion === undefined
        ? undefined
        : {
            expression: `version = :if AND ${VISIBLE}`,
            values: { ':if': { S: ifVersion }, ':now': number(now) },
          };
    for (let doubt: Unsettled | undefined; ;) {
      const old = await orUnsettled(this.#table.remove(this.#keys.item(partition, key), condition, 'undone'));
      if (old instanceof Unsettled) doubt = old;
      if (old === 'refused' || old instanceof Unsettled) {
        const head = await this.#head(partition, key);
        if (doubt !== undefined && !isStill(head, ifVersion)) throw doubt.error;
        const verdict = judgeDelete(write, head, now);
        if (verdict !== undefined) return verdict;
        continue;
      }
      if (old === undefined) return { status: 'missing' };
      const head = readHead(old);
      if (head.body !== undefined) await this.#bodies.forget(head.body);
      return { status: isVisible(head, now) ? 'deleted' : 'missing' };
    }
  }

  toItem(
    { partition, key, value, version, expiresAt }: SetWrite,
    body: Body | undefined,
    now: number,
  ): Attributes {
    return {
      ...this.#keys.item(partition, key),
      version: { S: version },
      ...(body === undefined
        ? toContent(value)
        : {
            body: { S: body.id },
            body_kind: { S: typeof value === 'string' ? 'json' : 'octets' },
            byte_count: number(byteLength(value)),
          }),
      ...(expiresAt !== undefined && lifetime(this.#keys, { key, expiresAt, now })),
    };
  }

  async upload({ partition, key, value }: SetWrite, now: number): Promise<Body> {
    const body = await this.#bodies.begin(partition, key, now);
    const bytes =
      typeof value === 'string'
        ? Buffer.from(value)
        : Buffer.from(value.buffer, value.byteOffset, value.length);
    await this.#bodies.putParts(body.id, '', cut(bytes));
    this.#bodies.checkAge(body);
    return body;
  }

  async #readBody({ item }: Head, body: string): Promise<StoredValue | undefined> {
    const length = readNumber(item, 'byte_count') ?? 0;
    const bytes = await this.#bodies.readParts(body, '', Math.ceil(length / PART_BYTES));
    if (bytes === undefined) return undefined;
    if (bytes.length !== length) throw corrupt();
    return item['body_kind']?.S === 'json' ? bytes.toString() : bytes;
  }

  async #head(partition: string, key: string): Promise<Head | undefined> {
    const item = await this.#table.get(this.#keys.item(partition, key), DECISIVE);
    return item && readHead(item);
  }
}

function isStill(head: Head | undefined, version: string | undefined): boolean {
  return version !== undefined && head?.version === version;
}

function toContent(value: StoredValue): Attributes {
  return typeof value === 'string' ? { json: { S: value } } : { octets: { B: value } };
}

/** What leaves nothing behind, and so is right at the first attempt nearly always. */
function toCondition({ ifAbsent, ifVersion }: SetWrite, now: number): Condition {
  if (ifAbsent)
    return {
      expression: 'attribute_not_exists(pk) OR (expires_at <= :now AND attribute_not_exists(body))',
      values: { ':now': number(now) },
    };
  // No body: dynalite reads a comparison five times as fast as a function.
  if (ifVersion === undefined) return { expression: 'NOT body > :none', values: { ':none': { S: ' ' } } };
  return {
    expression: `version = :if AND attribute_not_exists(body) AND ${VISIBLE}`,
    values: { ':if': { S: ifVersion }, ':now': number(now) },
  };
}

/** `undefined`: it may be written over what was read. */
export function judgeSet(
  { version, ifAbsent, ifVersion }: SetWrite,
  head: Head | undefined,
  now: number,
): Verdict | undefined {
  const there = head !== undefined && isVisible(head, now) ? head : undefined;
  if (there?.version === version) return { status: 'written' };
  if (ifAbsent && there !== undefined) return { status: 'exists' };
  return ifVersion !== undefined && there?.version !== ifVersion ? { status: 'conflict' } : undefined;
}

/** `undefined`: it may be deleted. */
export function judgeDelete(
  { ifVersion }: DeleteWrite,
  head: Head | undefined,
  now: number,
): Verdict | undefined {
  if (head === undefined || !isVisible(head, now)) return { status: 'missing' };
  return ifVersion !== undefined && head.version !== ifVersion ? { status: 'conflict' } : undefined;
}
