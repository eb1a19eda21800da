import { createHash } from 'node:crypto';
import type { PostgresClient, PostgresNotification, PostgresPool } from './postgres-client';

const RECONNECT_MS = 1_000;

/** LISTEN and NOTIFY on one connection of the pool, taken with the first subscription and given back with the last. */
export class PostgresListener {
  readonly #pool: PostgresPool;
  readonly #suffix: string;
  readonly #onError: (error: unknown) => void;
  readonly #listeners = new Map<string, Set<(message: string) => void>>();
  #client: PostgresClient | undefined;
  /** LISTEN, UNLISTEN and connecting, one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(pool: PostgresPool, suffix: string, onError: (error: unknown) => void) {
    this.#pool = pool;
    this.#suffix = suffix;
    this.#onError = onError;
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.#pool.query({ text: 'SELECT pg_notify($1, $2)', values: [this.#nameOf(channel), message] });
  }

  async subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>> {
    const name = this.#nameOf(channel);
    const those = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, those.add(listener));
    const end = (): Promise<void> => {
      those.delete(listener);
      if (those.size === 0 && this.#listeners.get(name) === those) this.#listeners.delete(name);
      return this.#inTurn(() => this.#settle(name));
    };
    try {
      await this.#inTurn(() => this.#settle(name));
    } catch (error) {
      await end().catch(this.#onError);
      throw error;
    }
    return end;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#listeners.clear();
    await this.#inTurn(async () => this.#drop());
  }

  /** Makes the server know what is listened to now, whatever it was when this was asked for. */
  async #settle(name: string): Promise<void> {
    if (this.#listeners.size === 0) {
      this.#drop();
    } else if (this.#client === undefined) {
      await this.#connect();
    } else {
      const command = this.#listeners.has(name) ? 'LISTEN' : 'UNLISTEN';
      await this.#client.query({ text: `${command} "${name}"` });
    }
  }

  async #connect(): Promise<void> {
    const client = await this.#pool.connect();
    this.#client = client;
    client.on('notification', this.#onNotification);
    client.on('error', this.#onBroken);
    client.on('end', this.#onBroken);
    try {
      for (const name of this.#listeners.keys()) await client.query({ text: `LISTEN "${name}"` });
    } catch (error) {
      this.#drop();
      throw error;
    }
  }

  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.removeListener('notification', this.#onNotification);
    client?.removeListener('end', this.#onBroken);
    // Closed rather than used again: it still listens. Its error listener stays, for what breaks on the way.
    client?.release(true);
  }

  readonly #onNotification = ({ channel, payload = '' }: PostgresNotification): void => {
    for (const listener of this.#listeners.get(channel) ?? []) listener(payload);
  };

  readonly #onBroken = (error?: Error): void => {
    if (error !== undefined) this.#onError(error);
    if (this.#client === undefined) return;
    this.#drop();
    this.#reconnect();
  };

  #reconnect(): void {
    if (this.#isClosed || this.#listeners.size === 0) return;
    this.#retry = setTimeout(() => {
      const again = async (): Promise<void> => {
        if (this.#client === undefined && this.#listeners.size > 0) await this.#connect();
      };
      this.#inTurn(again).catch((error: unknown) => {
        this.#onError(error);
        this.#drop();
        this.#reconnect();
      });
    }, RECONNECT_MS);
    this.#retry.unref();
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    await mine;
  }

  /** A name of a channel holds 63 bytes, ours up to 1,024. */
  #nameOf(channel: string): string {
    return `recap_${createHash('sha256').update(`${this.#suffix}:${channel}`).digest('hex').slice(0, 40)}`;
  }
}
