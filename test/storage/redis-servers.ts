import { Cluster, type Redis } from 'ioredis';

/** Redis for tests: `RECAP_TEST_REDIS_URL`, `RECAP_TEST_REDIS_CLUSTER`. */
const { RECAP_TEST_REDIS_URL: url, RECAP_TEST_REDIS_CLUSTER: cluster } = process.env;

export const redisUrl = url;

export const clusterNodes = cluster?.split(',').map((address) => {
  const [host = '', port] = address.split(':');
  return { host, port: Number(port) };
});

/** Text of this process alone, with what a pattern would take for its own. */
const prefix = `recap-test*?[a-z]\\-${process.pid}`;
let prefixes = 0;

/** A prefix under which nothing is yet. */
export function freshPrefix(): string {
  prefixes += 1;
  return `${prefix}-${prefixes}:`;
}

/** Removes what tests of this process left, and nothing else: the server may be the user's own. */
export async function removeOurs(client: Redis | Cluster): Promise<void> {
  const match = `${prefix.replace(/[*?[\]\\]/g, '\\$&')}-*`;
  for (const node of client instanceof Cluster ? client.nodes('master') : [client])
    for await (const keys of node.scanStream({ match, count: 1_000 }) as AsyncIterable<string[]>)
      for (const key of keys) await node.unlink(key);
}

export async function redisVersion(client: Redis | Cluster): Promise<string> {
  const info = await client.info('server');
  return /redis_version:(\S+)/.exec(info)?.[1] ?? '';
}
