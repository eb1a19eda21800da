import Redis from 'ioredis';
import { KEYS } from '../values.mjs';

const PREFIX = 'messages:';
const INDEX = '{messages}';
/** Redis knows no order of keys, so that who wants to scan keeps one. */
const SET = {
  numberOfKeys: 2,
  lua: "redis.call('ZADD', KEYS[2], 0, ARGV[1]) redis.call('SET', KEYS[1], ARGV[2]) return 1",
};

/** `ioredis` by hand, with its usual options: one command for one operation, but for a scan, which takes two. */
export async function openSubject(_kind, { url }) {
  const redis = new Redis(url, { lazyConnect: true, scripts: { setAndNote: SET } });
  await redis.connect();
  return {
    get: async (id) => {
      const text = await redis.get(PREFIX + KEYS[id]);
      return text === null ? undefined : JSON.parse(text);
    },
    set: (id, value) => redis.setAndNote(PREFIX + KEYS[id], INDEX, KEYS[id], JSON.stringify(value)),
    append: (list, value) => redis.rpush(`list:${list}`, JSON.stringify(value)),
    list: async (list) => ({
      length: await redis.llen(`list:${list}`),
      last: JSON.parse(await redis.lindex(`list:${list}`, -1)),
    }),
    drop: (list) => redis.unlink(`list:${list}`),
    scan: async (from, limit) => {
      const keys = await redis.zrangebylex(INDEX, `[${KEYS[from]}`, '+', 'LIMIT', 0, limit);
      const texts = await redis.mget(keys.map((key) => PREFIX + key));
      return texts.map((text) => JSON.parse(text));
    },
    keys: () => redis.zrange(INDEX, 0, -1),
    count: () => redis.zcard(INDEX),
    close: async () => {
      await redis.quit();
    },
  };
}
