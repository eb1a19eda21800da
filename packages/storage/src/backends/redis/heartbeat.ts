import type { RedisClient } from './redis-client';

/**
 * Breaks off connections on which no answer comes any more, as through a firewall that forgot them: TCP alone would
 * take minutes. The driver's own `socketTimeout` can hit the connection that was made after the one it was set for.
 */
export class Heartbeat {
  readonly #clients: () => readonly RedisClient[];
  readonly #intervalMs: number;
  readonly #waiting = new WeakSet<RedisClient>();
  #timer: NodeJS.Timeout | undefined;

  constructor(clients: () => readonly RedisClient[], intervalMs: number) {
    this.#clients = clients;
    this.#intervalMs = intervalMs;
  }

  start(): void {
    this.#timer = setInterval(() => {
      for (const client of this.#clients()) this.#beat(client);
    }, this.#intervalMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #beat(client: RedisClient): void {
    if (client.status !== 'ready') return;
    if (this.#waiting.has(client)) {
      client.disconnect(true);
      return;
    }
    this.#waiting.add(client);
    const end = (): void => {
      this.#waiting.delete(client);
    };
    // That it broke is told by its own events.
    client.ping().then(end, end);
  }
}
