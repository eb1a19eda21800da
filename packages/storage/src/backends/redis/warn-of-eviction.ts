import type { RedisClient } from './redis-client';

/** INFO rather than CONFIG, which most hosted servers refuse. */
export async function warnOfEviction(client: RedisClient, warn: (message: string) => void): Promise<void> {
  const nodes = client.isCluster ? (client.nodes?.('master') ?? []) : [client];
  for (const node of nodes) {
    const policy = await policyOf(node);
    if (policy === undefined || policy === 'noeviction') continue;
    const remedy = policy.startsWith('allkeys')
      ? 'it drops items without a word, and the indexes by which others are listed and cleared. Set it to "noeviction", or for a cache to "volatile-lru" and give every item a lifetime.'
      : 'it drops items that have a lifetime without a word. Set it to "noeviction", unless this backend is a cache.';
    warn(`Redis has the maxmemory-policy "${policy}": when its memory is full ${remedy}`);
    return;
  }
}

async function policyOf(node: RedisClient): Promise<string | undefined> {
  try {
    return /^maxmemory_policy:(\S+)/m.exec(await node.info('memory'))?.[1];
  } catch {
    // A node that is down, or that this user may not ask, warns of nothing; the others may.
    return undefined;
  }
}
