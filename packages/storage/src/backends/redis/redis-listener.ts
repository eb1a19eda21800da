import { endClient } from './redis-connection';
import type { RedisClient } from './redis-client';

/** Subscriptions share one connection of their own, made for the first, which subscribes again when it was lost. */
export class RedisListener {
  readonly #duplicate: () => RedisClient;
  readonly #onError: (error: unknown) => void;
  readonly #listeners = new Map<string, Set<(message: string) => void>>();
  #client: RedisClient | undefined;
  /** One step after the other, so that subscribing and ending never overtake each other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(duplicate: () => RedisClient, onError: (error: unknown) => void) {
    this.#duplicate = duplicate;
    this.#onError = onError;
  }

  async subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>> {
    const those = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, those.add(listener));
    const end = async (): Promise<void> => {
      those.delete(listener);
      if (those.size === 0 && this.#listeners.get(channel) === those) this.#listeners.delete(channel);
      await this.#inTurn(() => this.#settle(channel));
    };
    try {
      await this.#inTurn(() => this.#settle(channel));
    } catch (error) {
      await end().catch(this.#onError);
      throw error;
    }
    return end;
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#inTurn(() => this.#drop());
  }

  /** Makes the server know what is listened to now, whatever it was when this was asked for. */
  async #settle(channel: string): Promise<void> {
    if (this.#listeners.size === 0) return this.#drop();
    if (this.#client === undefined) return this.#connect();
    if (this.#listeners.has(channel)) await this.#client.subscribe(channel);
    else await this.#client.unsubscribe(channel);
  }

  async #connect(): Promise<void> {
    const client = this.#duplicate();
    client.on('error', this.#onError);
    client.on('message', this.#onMessage);
    try {
      await client.connect();
    } catch (error) {
      client.disconnect();
      throw error;
    }
    this.#client = client;
    // A cluster does so itself. A single connection would too, but let a failure end the process.
    if (!client.isCluster) client.on('ready', this.#onReconnected);
    await Promise.all([...this.#listeners.keys()].map((channel) => client.subscribe(channel)));
  }

  async #drop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    client?.removeListener('message', this.#onMessage);
    client?.removeListener('ready', this.#onReconnected);
    if (client !== undefined) await endClient(client);
  }

  readonly #onMessage = (channel: string, message: string): void => {
    for (const listener of this.#listeners.get(channel) ?? []) listener(message);
  };

  readonly #onReconnected = (): void => {
    const client = this.#client;
    for (const channel of this.#listeners.keys()) client?.subscribe(channel).catch(this.#onError);
  };

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    await mine;
  }
}
