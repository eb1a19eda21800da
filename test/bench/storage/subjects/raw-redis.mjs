import { randomUUID } from 'node:crypto';
import Redis from 'ioredis';
import { KEYS } from '../values.mjs';

const PREFIX = '{messages}:';
const INDEX = '{messages}';
const EXPIRIES = '{messages}-expiries';
/** Redis knows no order of keys, so that who wants to scan keeps one, and what is to leave it when it has expired. */
const SET = {
  numberOfKeys: 3,
  lua: `redis.call('ZADD', KEYS[2], 0, ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('SET', KEYS[1], ARGV[2])
return 1`,
};
/** A list's first element holds when it expires and its last versions, of which none is appended twice. */
const APPEND = {
  numberOfKeys: 2,
  lua: `local first = redis.call('LINDEX', KEYS[1], 0)
if not first then
  redis.call('ZADD', KEYS[2], 0, ARGV[1])
  redis.call('RPUSH', KEYS[1], '-\\n' .. ARGV[2], ARGV[3])
  return 1
end
local expires, versions = string.match(first, '^(%S+)\\n(.*)$')
if expires ~= '-' and tonumber(expires) <= tonumber(ARGV[4]) then return redis.error_reply('EXPIRED') end
if string.find(versions, ARGV[2], 1, true) then return redis.call('LLEN', KEYS[1]) - 1 end
versions = string.sub(ARGV[2] .. ' ' .. versions, 1, 8 * 37 - 1)
redis.call('LSET', KEYS[1], 0, expires .. '\\n' .. versions)
return redis.call('RPUSH', KEYS[1], ARGV[3]) - 1`,
};

/** `ioredis` by hand, with its usual options: one round trip for one operation, but for a scan, which takes two. */
export async function openSubject(_kind, { url }) {
  const scripts = { setAndNote: SET, appendOnce: APPEND };
  const redis = new Redis(url, { lazyConnect: true, scripts });
  await redis.connect();
  const nameOf = (id) => PREFIX + KEYS[id];
  const listName = (list) => `${PREFIX}list:${list}`;
  return {
    get: async (id) => {
      const record = await redis.get(nameOf(id));
      return record === null ? undefined : decode(record).value;
    },
    set: (id, value) => redis.setAndNote(nameOf(id), INDEX, EXPIRIES, KEYS[id], encode(value)),
    append: (list, value) =>
      redis.appendOnce(
        listName(list),
        `${INDEX}-lists`,
        `list:${list}`,
        randomUUID(),
        JSON.stringify(value),
        Date.now(),
      ),
    list: async (list) => ({
      length: (await redis.llen(listName(list))) - 1,
      last: JSON.parse(await redis.lindex(listName(list), -1)),
    }),
    drop: (list) => redis.unlink(listName(list)),
    scan: async (from, limit) => {
      const keys = await redis.zrangebylex(INDEX, `[${KEYS[from]}`, '+', 'LIMIT', 0, limit);
      const records = await redis.mget(keys.map((key) => PREFIX + key));
      const items = records.map((record, at) => ({ key: keys[at], ...decode(record) }));
      return items.map(({ value }) => value);
    },
    keys: () => redis.zrange(INDEX, 0, -1),
    count: () => redis.zcard(INDEX),
    close: async () => {
      await redis.quit();
    },
  };
}

/** The version and the instant of expiry stand before the value. */
function encode(value) {
  return `${randomUUID()} -\n${JSON.stringify(value)}`;
}

function decode(record) {
  const end = record.indexOf('\n');
  const [version, expiresAt] = record.slice(0, end).split(' ');
  return { version, expiresAt, value: JSON.parse(record.slice(end + 1)) };
}
