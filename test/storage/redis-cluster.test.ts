import { createRedisBackend } from '@recap/storage';
import type { FakeClock } from '@recap/storage/testing';
import { Cluster } from 'ioredis';
import { describeOn } from './describe-on';
import { clusterNodes, freshPrefix, redisVersion, removeOurs } from './redis-servers';

let keyPrefix = '';
let admin: Cluster | undefined;

const another = async (clock: FakeClock) => {
  const cluster = { nodes: clusterNodes ?? [] };
  const backend = createRedisBackend({ cluster, keyPrefix, clock, sweepIntervalMs: 0 });
  await backend.open();
  return backend;
};

describeOn({
  name: 'redis cluster',
  missing: clusterNodes === undefined ? 'RECAP_TEST_REDIS_CLUSTER names no nodes' : undefined,
  open: (clock) => {
    keyPrefix = freshPrefix();
    return another(clock);
  },
  another,
  server: async () => {
    admin ??= new Cluster(clusterNodes ?? []);
    return `Redis ${await redisVersion(admin)}, ${admin.nodes('master').length} masters and as many replicas`;
  },
  end: async () => {
    if (admin === undefined) return;
    await removeOurs(admin);
    admin.disconnect();
  },
});
