import type { PostgresClient, PostgresPool } from './postgres-client';

/** Connections, of whichever pool and backend, that have a listener. */
const heard = new WeakSet<PostgresClient>();
const ignore = (): void => undefined;

/**
 * Gives each connection of a pool a listener of its own. The pool takes its own away when it hands one out, and whoever
 * gets it learns of it later in the turn: a server that ends the connection in between, as one that is restarted does,
 * would end the process. What breaks in use fails the query, or the next one.
 *
 * @returns what stops that for connections to come
 */
export function hearErrors(pool: PostgresPool): () => void {
  const hear = (client: PostgresClient): void => {
    if (heard.has(client)) return;
    heard.add(client);
    client.on('error', ignore);
  };
  pool.on('acquire', hear);
  return () => pool.removeListener?.('acquire', hear);
}
