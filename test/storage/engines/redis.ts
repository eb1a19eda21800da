import { createRedisBackend } from '@recap/storage';
import type { FakeClock } from '@recap/storage/testing';
import { Redis } from 'ioredis';
import type { Engine } from '../describe-on';
import { freshPrefix, redisUrl, redisVersion, removeOurs } from '../redis-servers';

let keyPrefix = '';
let admin: Redis | undefined;

const another = async (clock: FakeClock) => {
  const backend = createRedisBackend({ url: redisUrl ?? '', keyPrefix, clock, sweepIntervalMs: 0 });
  await backend.open();
  return backend;
};

export const redis: Engine = {
  name: 'redis',
  missing: redisUrl === undefined ? 'RECAP_TEST_REDIS_URL names no server' : undefined,
  open: (clock) => {
    keyPrefix = freshPrefix();
    return another(clock);
  },
  another,
  server: async () => {
    admin ??= new Redis(redisUrl ?? '');
    return `Redis ${await redisVersion(admin)}`;
  },
  end: async () => {
    admin ??= new Redis(redisUrl ?? '');
    await removeOurs(admin);
    admin.disconnect();
  },
};
