import { connectionsOf } from './connections-of';
import type { PostgresClient, PostgresPool } from './postgres-client';

/** As long as Redis is given. */
const QUIT_MS = 1_000;

/** What `pg` makes; of a pool that is handed in, less is asked. */
export type OwnPool = PostgresPool & {
  on(event: 'connect', listener: (client: OwnClient) => void): unknown;
};

interface OwnClient extends PostgresClient {
  readonly connection: { readonly stream: { destroy(): unknown } };
}

/**
 * Cuts off the connections that the server does not close a while after the pool's end. `pg` waits for that, and a server
 * that hangs would keep the process from ending.
 */
export function cutOffAtEnd(pool: OwnPool): PostgresPool {
  const connections = connectionsOf(pool);
  const end = pool.end.bind(pool);
  return Object.assign(pool, {
    end: async (): Promise<void> => {
      await end();
      const cutOff = (): void => {
        for (const { connection } of connections) connection.stream.destroy();
      };
      // As long as there are any, they keep the process up, and the timer need not.
      setTimeout(cutOff, QUIT_MS).unref();
    },
  });
}
