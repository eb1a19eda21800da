import type { PostgresClient } from './postgres-client';

interface Pool<Client extends PostgresClient> {
  on(event: 'connect', listener: (client: Client) => void): unknown;
}

/** The connections of a pool that were made from now on, and have not ended; those still being made are none. */
export function connectionsOf<Client extends PostgresClient>(pool: Pool<Client>): ReadonlySet<Client> {
  const connections = new Set<Client>();
  pool.on('connect', (client) => {
    connections.add(client);
    client.on('end', () => connections.delete(client));
  });
  return connections;
}
