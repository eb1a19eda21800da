import type { StoredRange, StoredValue } from '../../driver';
import type { Bodies } from './bodies';
import { corrupt, fromAttribute, readNumber } from './dynamo-attributes';
import type { Attribute, Attributes } from './dynamo-client';
import { segmentKey, type DynamoKeys } from './dynamo-keys';
import type { DynamoTable } from './dynamo-table';
import type { DynamoParts } from './dynamo-values';
import { isVisible, readHead, type Head } from './heads';
import { lengthOf } from './list-heads';
import { decodeElements } from './runs';

/** Entries that stand side by side, and the index of their first element. */
interface Segment {
  readonly start: number;
  readonly entries: readonly Attribute[];
}

const READ_ATTEMPTS = 20;
/** Few elements are in few segments; asking for more would read a megabyte. */
const FEW = 100;

export class ListReader {
  readonly #table: DynamoTable;
  readonly #keys: DynamoKeys;
  readonly #bodies: Bodies;

  constructor({ table, keys, bodies }: DynamoParts) {
    this.#table = table;
    this.#keys = keys;
    this.#bodies = bodies;
  }

  async length(partition: string, key: string, now: number): Promise<number | undefined> {
    const attributes = 'version, expires_at, element_count';
    const item = await this.#table.get(this.#keys.item(partition, key), attributes);
    const head = item && readHead(item);
    if (head === undefined || !isVisible(head, now)) return 0;
    return head.isList ? lengthOf(head) : undefined;
  }

  async range(partition: string, key: string, start: number, end: number, now: number): Promise<StoredRange> {
    const address = this.#keys.item(partition, key);
    let before: Head | undefined;
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt += 1) {
      const item = await this.#table.get(address);
      const head = item && readHead(item);
      if (head === undefined || !isVisible(head, now)) return { values: [] };
      if (!head.isList) return 'wrong-type';
      const length = lengthOf(head);
      const first = Math.max(start < 0 ? start + length : start, 0);
      const last = Math.min(end < 0 ? end + length : end, length - 1);
      if (first > last) return { values: [] };
      const segments = await this.#segments(head, first, last);
      const values = segments && (await this.#elements(head, segments, first, last));
      if (values !== undefined) return { values };
      // It was replaced while it was read, unless nothing has changed.
      if (before !== undefined && before.version === head.version && before.body === head.body)
        throw corrupt();
      before = head;
    }
    throw corrupt();
  }

  /** What holds the elements from `first` to `last`, in order, or `undefined` where some of it is missing. */
  async #segments(head: Head, first: number, last: number): Promise<readonly Segment[] | undefined> {
    const tail: Segment = {
      start: readNumber(head.item, 'tail_start')!,
      entries: head.item['tail']!.L!,
    };
    const segments = last >= tail.start ? [tail] : [];
    let wantedUpTo = tail.start;
    if (first >= tail.start) return segments;
    const until = Math.min(last, tail.start - 1);
    const query = {
      partition: this.#keys.bodyItems(head.body ?? ''),
      where: {
        expression: 'sk BETWEEN :from AND :to',
        values: { ':from': { B: segmentKey(0) }, ':to': { B: segmentKey(until) } },
      },
      reverse: true,
      ...(until - first < FEW && { limit: until - first + 1 }),
    };
    // The last of them may end behind what is asked for.
    let isFirst = true;
    for await (const items of this.#table.pages(query)) {
      for (const item of items) {
        const segment = toSegment(item);
        const end = segment.start + readNumber(item, 'entry_count')!;
        if (isFirst ? end <= until : end !== wantedUpTo) return undefined;
        isFirst = false;
        wantedUpTo = segment.start;
        segments.unshift(segment);
        if (segment.start <= first) return segments;
      }
    }
    return undefined;
  }

  async #elements(
    head: Head,
    segments: readonly Segment[],
    first: number,
    last: number,
  ): Promise<StoredValue[] | undefined> {
    const values: StoredValue[] = [];
    for (const { start, entries } of segments) {
      let index = start;
      for (const entry of entries) {
        const count = readNumber(entry.M ?? {}, 'count') ?? 1;
        if (index <= last && index + count > first) {
          const own =
            entry.M === undefined ? [fromAttribute(entry)] : await this.#readRun(head, entry.M, count);
          if (own === undefined) return undefined;
          // One by one: as arguments of push they would be limited.
          for (const value of own.slice(Math.max(first - index, 0), last - index + 1)) values.push(value);
        }
        index += count;
      }
    }
    return values.length === last - first + 1 ? values : undefined;
  }

  async #readRun({ body }: Head, entry: Attributes, count: number): Promise<StoredValue[] | undefined> {
    const bytes = await this.#bodies.readParts(
      body ?? '',
      entry['run']?.S ?? '',
      readNumber(entry, 'parts') ?? 0,
    );
    return bytes && decodeElements(bytes, count);
  }
}

function toSegment(item: Attributes): Segment {
  const start = Buffer.from(item['sk']!.B!).readUIntBE(1, 6);
  return { start, entries: item['entries']!.L! };
}
