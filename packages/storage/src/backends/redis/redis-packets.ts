import type { RedisClient } from './redis-client';

/**
 * Lets what is asked of the server in one turn of the event loop leave in one packet: the driver hands each command to
 * the system by itself, which costs both ends more than the command does. Nothing waits for it, since a packet leaves
 * as soon as all that was awaited in that turn has gone on.
 */
export class RedisPackets {
  readonly #client: RedisClient;
  #isOpen = false;

  constructor(client: RedisClient) {
    this.#client = client;
  }

  /** To be called before a command. */
  open(): void {
    if (this.#isOpen) return;
    const streams = this.#streams();
    if (streams.length === 0) return;
    this.#isOpen = true;
    for (const stream of streams) stream.cork();
    process.nextTick(() => {
      this.#isOpen = false;
      for (const stream of streams) stream.uncork();
    });
  }

  /** Those that there are: a connection that was lost has none for a while. */
  #streams(): Corked[] {
    const client = this.#client;
    const nodes = client.isCluster ? (client.nodes?.('all') ?? []) : [client];
    return nodes.flatMap(({ stream }) => (isCorked(stream) ? [stream] : []));
  }
}

interface Corked {
  cork(): void;
  uncork(): void;
}

/** A client of the user's may be another that only looks the same. */
function isCorked(stream: unknown): stream is Corked {
  const { cork, uncork } = (stream ?? {}) as Partial<Corked>;
  return typeof cork === 'function' && typeof uncork === 'function';
}
