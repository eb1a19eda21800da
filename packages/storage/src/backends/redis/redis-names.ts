import { createHash } from 'node:crypto';

/** Of the registry of partitions: on a cluster, each may be on another node. */
export const SHARDS = 16;

/** Everything of a partition has its name as hash tag, and so lies in one slot. */
export interface PartitionNames {
  /** Sorted set of the keys by their bytes, with an empty one while the registry knows the partition. */
  readonly index: string;
  /** Sorted set of keys by the instant at which they expire. */
  readonly expiries: string;
  /** Changes when the partition is taken off the registry. */
  readonly generation: string;
  /** The name of an item is this and its key. */
  readonly items: string;
}

export interface ShardNames {
  readonly partitions: string;
  /** Of each partition, what its last registration wrote. */
  readonly tokens: string;
}

/** The names of everything that is kept. A prefix is literal text, since no pattern is ever made of it. */
export class RedisNames {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  partition(partition: string): PartitionNames {
    const base = this.#base(partition);
    return { index: `${base}k`, expiries: `${base}x`, generation: `${base}g`, items: `${base}i:` };
  }

  item(partition: string, key: string): string {
    return `${this.#base(partition)}i:${key}`;
  }

  shard(shard: number): ShardNames {
    const base = `${this.#prefix}{recap:${shard}}:`;
    return { partitions: `${base}n`, tokens: `${base}t` };
  }

  shardOf(partition: string): number {
    return createHash('sha1').update(partition).digest().readUInt8(0) % SHARDS;
  }

  /** Channels are the same in all databases of a server. */
  channel(database: number, channel: string): string {
    return `${this.#prefix}c:${database}:${channel}`;
  }

  /** A hash tag ends at the first brace. */
  #base(partition: string): string {
    const tag = /[%{}]/.test(partition) ? partition.replace(/[%{}]/g, encodeURIComponent) : partition;
    return `${this.#prefix}{${tag}}:`;
  }
}
