import { createHash } from 'node:crypto';
import { StorageError } from '../../errors';
import type { PostgresNotification, PostgresPool } from './postgres-client';
import { WatchedConnection } from './watched-connection';

export interface PostgresListenerOptions {
  readonly pool: PostgresPool;
  /** Tells this schema's channels from another's on the same server. */
  readonly suffix: string;
  readonly heartbeatMs: number;
  readonly onError: (error: unknown) => void;
}

const RECONNECT_MS = 1_000;

/** LISTEN and NOTIFY on one connection of the pool, taken with the first subscription and given back with the last. */
export class PostgresListener {
  readonly #options: PostgresListenerOptions;
  readonly #listeners = new Map<string, Set<(message: string) => void>>();
  #connection: WatchedConnection | undefined;
  /** LISTEN, UNLISTEN and connecting, one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: PostgresListenerOptions) {
    this.#options = options;
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.#options.pool.query({
      text: 'SELECT pg_notify($1, $2)',
      values: [this.#nameOf(channel), message],
    });
  }

  async subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>> {
    if (this.#options.pool.options?.max === 1)
      throw new StorageError(
        'CONFIG_INVALID',
        'A subscription takes a connection to PostgreSQL for itself, and a pool of one has none left for calls. Raise "pool.max" to 2.',
      );
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
      await end().catch(this.#options.onError);
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
    } else if (this.#connection === undefined) {
      await this.#connect();
    } else {
      const command = this.#listeners.has(name) ? 'LISTEN' : 'UNLISTEN';
      await this.#connection.ask(`${command} "${name}"`);
    }
  }

  async #connect(): Promise<void> {
    const client = await this.#options.pool.connect();
    const { heartbeatMs } = this.#options;
    const connection = new WatchedConnection(client, heartbeatMs, (cause) =>
      this.#onBroken(connection, failure(heartbeatMs, cause)),
    );
    this.#connection = connection;
    client.on('notification', (message) => {
      if (this.#connection === connection) this.#hear(message);
    });
    client.on('error', (error) => this.#onBroken(connection, error));
    client.on('end', () => this.#onBroken(connection));
    try {
      for (const name of this.#listeners.keys()) await connection.ask(`LISTEN "${name}"`);
    } catch (error) {
      this.#drop();
      throw error;
    }
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.release();
  }

  #hear({ channel, payload = '' }: PostgresNotification): void {
    for (const listener of this.#listeners.get(channel) ?? []) listener(payload);
  }

  #onBroken(connection: WatchedConnection, error?: Error): void {
    if (error !== undefined) this.#options.onError(error);
    // What one that was given up tells late is not of the one after it.
    if (this.#connection !== connection) return;
    this.#drop();
    this.#reconnect();
  }

  #reconnect(): void {
    if (this.#isClosed || this.#listeners.size === 0) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      const again = async (): Promise<void> => {
        if (this.#connection === undefined && this.#listeners.size > 0) await this.#connect();
      };
      this.#inTurn(again).catch((error: unknown) => {
        this.#options.onError(error);
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
    return `recap_${createHash('sha256').update(`${this.#options.suffix}:${channel}`).digest('hex').slice(0, 40)}`;
  }
}

function failure(heartbeatMs: number, cause: unknown): StorageError {
  return new StorageError(
    'UNAVAILABLE',
    `The connection to PostgreSQL that listens for messages failed, or gave no answer for ${heartbeatMs} ms. It is replaced; messages meanwhile are lost.`,
    { cause },
  );
}
