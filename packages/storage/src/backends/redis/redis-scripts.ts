import { script } from './redis-script';

/** The head of what is under a name, and whether it is visible. */
const HEAD = `
local function head(item)
  local text = redis.pcall('GETRANGE', item, 0, 127)
  if type(text) == 'table' then text = redis.call('LINDEX', item, 0) end
  if not text or text == '' then return nil end
  local kind, version, expires, recent = string.match(text, '^(.)(%S+) (%d*)\\n(.*)$')
  if not kind then return redis.error_reply('RECAPCORRUPT no head that is known') end
  return { kind = kind, version = version, expires = expires, recent = recent }
end
local function is_live(found, now)
  return found and (found.expires == '' or tonumber(found.expires) > now)
end`;

/*
 * The keys of a partition are in its index together with an empty one, which says that the registry knows the
 * partition. Where that is missing, nothing is written before the caller has registered it, and can name the
 * generation that it saw before: then nobody has taken it off the registry in between.
 */
const ADMIT = `
local function unregistered(index, generation, seen)
  if redis.call('ZSCORE', index, '') then return nil end
  local current = redis.call('GET', generation) or '-'
  return seen ~= current and current or nil
end`;

/**
 * KEYS index, expiries, generation, item; ARGV key, record, and where there are any generation seen, expiresAt, ttlMs.
 * Answers 1 where the key is new, and 0 where it is not.
 */
export const SET = script(`
local added = redis.call('ZADD', KEYS[1], 0, ARGV[1])
if added == 1 and not redis.call('ZSCORE', KEYS[1], '') then
  local current = redis.call('GET', KEYS[3]) or '-'
  if ARGV[3] ~= current then
    redis.call('DEL', KEYS[1])
    return current
  end
  redis.call('ZADD', KEYS[1], 0, '')
end
if ARGV[4] then
  redis.call('SET', KEYS[4], ARGV[2], 'PX', ARGV[5])
  redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
else
  redis.call('SET', KEYS[4], ARGV[2])
  if added == 0 then redis.call('ZREM', KEYS[2], ARGV[1]) end
end
return added`);

/** KEYS items; ARGV records. Overwrites those that are there; answers the places of the others, from 0. */
export const OVERWRITE = script(`
local missing = {}
for place, item in ipairs(KEYS) do
  if not redis.call('SET', item, ARGV[place], 'XX') then missing[#missing + 1] = place - 1 end
end
return missing`);

/**
 * KEYS item and expiries by turns; ARGV for each record, key, expiresAt, ttlMs, the last two empty where it does not
 * expire. As `OVERWRITE`.
 */
export const OVERWRITE_EXPIRING = script(`
local missing = {}
for place = 1, #KEYS / 2 do
  local item, at = KEYS[2 * place - 1], 4 * place - 3
  if ARGV[at + 2] == '' then
    if not redis.call('SET', item, ARGV[at], 'XX') then missing[#missing + 1] = place - 1 end
  elseif redis.call('SET', item, ARGV[at], 'XX', 'PX', ARGV[at + 3]) then
    redis.call('ZADD', KEYS[2 * place], ARGV[at + 2], ARGV[at + 1])
  else missing[#missing + 1] = place - 1 end
end
return missing`);

/**
 * KEYS item; ARGV now, version, elements. Grows a list that is there, and leaves its expiry alone;
 * answers -1 where `WRITE` has to look closer.
 */
export const GROW = script(`
local first = redis.pcall('LINDEX', KEYS[1], 0)
if type(first) ~= 'string' then return -1 end
local expires, recent = string.match(first, '^l%S+ (%d*)\\n(.*)$')
if not recent or (expires ~= '' and tonumber(expires) <= tonumber(ARGV[1])) then return -1 end
local version = ARGV[2]
if string.find(' ' .. recent .. ' ', ' ' .. version .. ' ', 1, true) then return -1 end
local cut = 0
for _ = 1, 7 do
  cut = string.find(recent, ' ', cut + 1, true)
  if not cut then break end
end
if cut then recent = string.sub(recent, 1, cut - 1) end
redis.call('LSET', KEYS[1], 0, 'l' .. version .. ' ' .. expires .. '\\n' .. version .. ' ' .. recent)
return redis.call('RPUSH', KEYS[1], unpack(ARGV, 3)) - 1`);

/**
 * KEYS index, expiries, generation, items; ARGV now, generation seen, and for each item
 * type, key, version, expiresAt, ttlMs, condition, count, values.
 * All or none: conditions come first. Answers a letter or a length for each.
 */
export const WRITE = script(
  HEAD,
  ADMIT,
  `
local now = tonumber(ARGV[1])
local writes, at, is_adding = {}, 3, false
for item = 4, #KEYS do
  local count = tonumber(ARGV[at + 6])
  if ARGV[at] ~= 'd' then is_adding = true end
  writes[item - 3] = { item = KEYS[item], type = ARGV[at], key = ARGV[at + 1], version = ARGV[at + 2],
    expires = ARGV[at + 3], ttl = ARGV[at + 4], condition = ARGV[at + 5], first = at + 7, last = at + 6 + count }
  at = at + 7 + count
end
-- Before conditions: what was sent ahead of this may be sent again for the same reason, and is to come first.
if is_adding then
  local current = unregistered(KEYS[1], KEYS[3], ARGV[2])
  if current then return current end
end
local answers, is_refused = {}, false
for place, write in ipairs(writes) do
  local found = head(write.item)
  if found and found.err then return found end
  local live = is_live(found, now)
  write.found, write.live = found, live
  local answer = 'w'
  if write.type == 'd' then
    answer = live and 'd' or 'm'
    if write.condition ~= '' and live and found.version ~= write.condition then answer = 'c' end
  elseif write.type == 'a' then
    if live and found.kind ~= 'l' then answer = 't' end
  else
    if live and found.version == write.version then write.is_done = true
    elseif write.condition == ' ' then answer = live and 'e' or 'w'
    elseif write.condition ~= '' and not (live and found.version == write.condition) then answer = 'c' end
  end
  if answer == 'e' or answer == 'c' or answer == 't' then is_refused = true end
  answers[place] = answer
end
if is_refused then return answers end
-- Where the server has no memory left, this is refused, and so everything is.
if is_adding then redis.call('ZADD', KEYS[1], 0, '') end
local function note(write, expires)
  redis.call('ZADD', KEYS[1], 0, write.key)
  if expires ~= '' then redis.call('ZADD', KEYS[2], expires, write.key)
  else redis.call('ZREM', KEYS[2], write.key) end
end
for place, write in ipairs(writes) do
  local item = write.item
  if write.type == 'd' then
    if write.found then redis.call('UNLINK', item) end
    redis.call('ZREM', KEYS[1], write.key)
    redis.call('ZREM', KEYS[2], write.key)
  elseif write.type == 's' then
    if not write.is_done then
      if write.expires ~= '' then redis.call('SET', item, ARGV[write.first], 'PX', write.ttl)
      else redis.call('SET', item, ARGV[write.first]) end
      note(write, write.expires)
    end
  else
    local list = write.live and write.found
    if not list then
      if write.found then redis.call('UNLINK', item) end
      local start = 'l' .. write.version .. ' ' .. write.expires .. '\\n' .. write.version
      redis.call('RPUSH', item, start, unpack(ARGV, write.first, write.last))
      note(write, write.expires)
      if write.expires ~= '' then redis.call('PEXPIRE', item, write.ttl) end
      answers[place] = write.last - write.first + 1
    else
      local recent, count, is_repeated = { write.version }, 1, false
      for version in string.gmatch(list.recent, '%S+') do
        if version == write.version then is_repeated = true end
        if count < 8 then
          count = count + 1
          recent[count] = version
        end
      end
      if is_repeated then answers[place] = redis.call('LLEN', item) - 1
      else
        local expires = write.expires ~= '' and write.expires or list.expires
        redis.call('LSET', item, 0, 'l' .. write.version .. ' ' .. expires .. '\\n' .. table.concat(recent, ' '))
        answers[place] = redis.call('RPUSH', item, unpack(ARGV, write.first, write.last)) - 1
        if write.expires ~= '' then
          note(write, expires)
          redis.call('PEXPIRE', item, write.ttl)
        end
      end
    end
  end
end
return answers`,
);

/*
 * For scripts that make names of items out of that of the index. While a cluster moves a partition to another node, an
 * item that is missing may be on the other one, where the index is or is not yet: with a second name beside it the server
 * says so. `TRYAGAIN` makes the driver ask again.
 */
const MOVING = `
local function try_again(answer)
  if not string.find(answer.err, 'non local key', 1, true) then return answer end
  return redis.error_reply('TRYAGAIN The partition is being moved to another node')
end
local function if_moved(item)
  local answer = redis.pcall('EXISTS', item, KEYS[1])
  return type(answer) == 'table' and try_again(answer) or nil
end`;

/**
 * KEYS index, expiries; ARGV command, bound, bound, count, bytes. Reads so many keys of the index, and what is under
 * them, of a list the head, until that takes more bytes. Answers whether there may be more, the last key that it has
 * read, and keys and records by turns. Drops from the index what expired or was evicted.
 */
export const SCAN = script(
  MOVING,
  `
local items, bytes, most = string.sub(KEYS[1], 1, -2) .. 'i:', 0, tonumber(ARGV[5])
local keys = redis.call(ARGV[1], KEYS[1], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])
local answer, size = { #keys == tonumber(ARGV[4]) and 1 or 0, keys[#keys] or '' }, 2
for place, key in ipairs(keys) do
  local record = redis.pcall('GET', items .. key)
  if type(record) == 'table' and string.find(record.err, 'WRONGTYPE', 1, true) then
    record = redis.pcall('LINDEX', items .. key, 0)
  end
  if type(record) == 'table' then return try_again(record) end
  local moved = not record and if_moved(items .. key)
  if moved then return moved end
  if record then
    bytes = bytes + #record
    answer[size + 1], answer[size + 2], size = key, record, size + 2
    if bytes > most and place < #keys then
      answer[1], answer[2] = 1, key
      break
    end
  else
    redis.call('ZREM', KEYS[1], key)
    redis.call('ZREM', KEYS[2], key)
  end
end
return answer`,
);

/**
 * KEYS index, expiries; ARGV now, command, bound, bound, count. Reads so many keys of the index, and answers how many
 * there were, the last of them, and those that are visible. Drops from the index what the server dropped or evicted.
 * Only what is noted to have expired is looked at: it may have been overwritten since.
 */
export const KEYS = script(
  HEAD,
  MOVING,
  `
local items, now = string.sub(KEYS[1], 1, -2) .. 'i:', tonumber(ARGV[1])
local keys = redis.call(ARGV[2], KEYS[1], ARGV[3], ARGV[4], 'LIMIT', 0, ARGV[5])
local answer, names = { #keys, keys[#keys] or '' }, {}
-- It is the smallest, and comes first or last.
if keys[1] == '' then table.remove(keys, 1) elseif keys[#keys] == '' then table.remove(keys) end
if #keys == 0 then return answer end
for place, key in ipairs(keys) do names[place] = items .. key end
local count = redis.pcall('EXISTS', unpack(names))
if type(count) == 'table' then return try_again(count) end
local are_all_there = count == #names
local has_none_expired = redis.call('ZCOUNT', KEYS[2], '-inf', ARGV[1]) == 0
for place, key in ipairs(keys) do
  if not are_all_there and redis.call('EXISTS', names[place]) == 0 then
    local moved = if_moved(names[place])
    if moved then return moved end
    redis.call('ZREM', KEYS[1], key)
    redis.call('ZREM', KEYS[2], key)
  else
    local expires = not has_none_expired and redis.call('ZSCORE', KEYS[2], key)
    local found = expires and tonumber(expires) <= now and head(names[place])
    if found and found.err then return found end
    if not found or is_live(found, now) then answer[#answer + 1] = key end
  end
end
return answer`,
);

/** KEYS item; ARGV now, start, end. Answers elements, or 0 where a value is. */
export const RANGE = script(
  HEAD,
  `
local found = head(KEYS[1])
if found and found.err then return found end
if not is_live(found, tonumber(ARGV[1])) then return {} end
if found.kind ~= 'l' then return 0 end
local length, first, last = redis.call('LLEN', KEYS[1]) - 1, tonumber(ARGV[2]), tonumber(ARGV[3])
if first < 0 then first = math.max(length + first, 0) end
if last < 0 then last = length + last end
last = math.min(last, length - 1)
if last < first then return {} end
return redis.call('LRANGE', KEYS[1], first + 1, last + 1)`,
);

/** KEYS item; ARGV now. Answers -1 where a value is. */
export const LENGTH = script(
  HEAD,
  `
local found = head(KEYS[1])
if found and found.err then return found end
if not is_live(found, tonumber(ARGV[1])) then return 0 end
return found.kind == 'l' and redis.call('LLEN', KEYS[1]) - 1 or -1`,
);

/*
 * What overwrites an item by itself, for ever, leaves the expiry noted that the item had before.
 */
const LASTS = `
local function lasts(item)
  local found = head(item)
  return found and found.expires == ''
end
local function moved_of(items, keys)
  for _, key in ipairs(keys) do
    local moved = redis.pcall('EXISTS', items .. key) ~= 1 and if_moved(items .. key)
    if moved then return moved end
  end
  return nil
end`;

/**
 * KEYS index, expiries; ARGV now, offset, how many expiries to look at behind it. Answers how many items are visible at
 * least, how many are not any more at most, and with which offset to go on to know better, or -1 where that is known.
 */
export const COUNT = script(
  HEAD,
  MOVING,
  LASTS,
  `
local items, seen = string.sub(KEYS[1], 1, -2) .. 'i:', tonumber(ARGV[2])
local keys = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', seen, ARGV[3])
local moved = moved_of(items, keys)
if moved then return moved end
for _, key in ipairs(keys) do
  if lasts(items .. key) then redis.call('ZREM', KEYS[2], key) else seen = seen + 1 end
end
local expired = redis.call('ZCOUNT', KEYS[2], '-inf', ARGV[1])
local marked = redis.call('ZSCORE', KEYS[1], '') and 1 or 0
return { redis.call('ZCARD', KEYS[1]) - marked - expired, expired, expired > seen and seen or -1 }`,
);

/** KEYS index, expiries; ARGV now, limit. Answers how many have expired, and at how many it has looked. */
export const SWEEP = script(
  HEAD,
  MOVING,
  LASTS,
  `
local items = string.sub(KEYS[1], 1, -2) .. 'i:'
local keys = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
local moved, swept = moved_of(items, keys), 0
if moved then return moved end
for _, key in ipairs(keys) do
  if not lasts(items .. key) then
    redis.call('UNLINK', items .. key)
    redis.call('ZREM', KEYS[1], key)
    swept = swept + 1
  end
  redis.call('ZREM', KEYS[2], key)
end
return { swept, #keys }`,
);

/** KEYS index, generation; ARGV the next generation. Answers 1 when the partition holds nothing, not even a mark. */
export const VACATE = script(`
local count = redis.call('ZCARD', KEYS[1])
if count > 1 or (count == 1 and not redis.call('ZSCORE', KEYS[1], '')) then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], ARGV[1], 'PX', 3600000)
return 1`);

/** KEYS partitions, tokens; ARGV partition, token. */
export const REGISTER = script(`
redis.call('ZADD', KEYS[1], 0, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1`);

/** KEYS partitions, tokens; ARGV partition, token. Leaves alone what was registered again since. */
export const UNREGISTER = script(`
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1`);

/** KEYS partitions, tokens; ARGV bound, bound, count. Answers names, each with its token. */
export const LIST = script(`
local answer = {}
for place, name in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])) do
  answer[2 * place - 1] = name
  answer[2 * place] = redis.call('HGET', KEYS[2], name) or ''
end
return answer`);

/**
 * KEYS channel; ARGV message. A key takes it to the same node of a cluster each time: a bare PUBLISH goes to any, and
 * messages overtake each other.
 */
export const PUBLISH = script(`return redis.call('PUBLISH', KEYS[1], ARGV[1])`);
