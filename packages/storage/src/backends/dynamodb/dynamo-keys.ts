import type { Attributes } from './dynamo-client';

/** Of the index of expiries, since one key of an index takes only so many writes. */
export const EXPIRY_SHARDS = 8;

/** The name of the index of what expires. */
export const EXPIRY_INDEX = 'recap-expiry';

/*
 * A partition key is the prefix, a NUL (no prefix holds one), a letter and a name; a sort key has 1,024 bytes, exactly
 * as many as a key may have, so that nothing else fits into it:
 *
 *   i<partition>    <key>                        an item: a value, or the head of a list
 *   p               <partition>                  the partitions that may hold something
 *   o               <body>                       the bodies, with the item that each belongs to
 *   b<body>         r<run><number of the part>   a part of a large value, or of many elements
 *   b<body>         s<index>                     elements of a list, from that index on
 *
 * and in the index of expiries x<shard> with the instant as its sort key.
 */
export class DynamoKeys {
  readonly #prefix: string;
  readonly #shards: readonly Buffer[];

  constructor(prefix: string) {
    this.#prefix = `${prefix}\0`;
    this.#shards = Array.from({ length: EXPIRY_SHARDS }, (_, shard) =>
      Buffer.concat([this.#name('x'), Buffer.of(shard)]),
    );
  }

  /** What items of a partition have in common. */
  items(partition: string): Buffer {
    return this.#name(`i${partition}`);
  }

  item(partition: string, key: string): Attributes {
    return { pk: { B: this.items(partition) }, sk: { B: Buffer.from(key) } };
  }

  partitions(): Buffer {
    return this.#name('p');
  }

  partition(partition: string): Attributes {
    return { pk: { B: this.partitions() }, sk: { B: Buffer.from(partition) } };
  }

  bodies(): Buffer {
    return this.#name('o');
  }

  body(body: string): Attributes {
    return { pk: { B: this.bodies() }, sk: { B: Buffer.from(body) } };
  }

  bodyItems(body: string): Buffer {
    return this.#name(`b${body}`);
  }

  part(body: string, run: string, part: number): Attributes {
    return {
      pk: { B: this.bodyItems(body) },
      sk: { B: Buffer.concat([Buffer.from(`r${run}`), ordered(part)]) },
    };
  }

  segment(body: string, index: number): Attributes {
    return { pk: { B: this.bodyItems(body) }, sk: { B: segmentKey(index) } };
  }

  shard(shard: number): Buffer {
    return this.#shards[shard]!;
  }

  shardOf(key: string): Buffer {
    let sum = 0;
    for (let at = 0; at < key.length; at += 1) sum = (sum * 31 + key.charCodeAt(at)) | 0;
    return this.shard(Math.abs(sum) % EXPIRY_SHARDS);
  }

  #name(name: string): Buffer {
    return Buffer.from(this.#prefix + name);
  }
}

export function segmentKey(index: number): Buffer {
  return Buffer.concat([Buffer.from('s'), ordered(index)]);
}

/** Bytes that sort as the numbers do. */
function ordered(value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(value, 0, 6);
  return bytes;
}
