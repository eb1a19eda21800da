import type { Clock } from '@recap/storage';
import { LRUCache } from 'lru-cache';
import { RouterError } from './router-error';

const MAX_PRINCIPALS = 10_000;
const MINUTE_MS = 60_000;

interface Bucket {
  tokens: number;
  at: number;
}

/** Counts a call of `key`, or throws `RATE_LIMITED` with the seconds after which one more is allowed. */
export type LimitRate = (key: string) => void;

/** A bucket of `perMinute` calls for each key, which fills again evenly. Keeps the 10,000 keys used last. */
export function createRateLimiter(perMinute: number, clock: Clock): LimitRate {
  const buckets = new LRUCache<string, Bucket>({ max: MAX_PRINCIPALS });
  return (key) => {
    const now = clock.now();
    const bucket = buckets.get(key) ?? { tokens: perMinute, at: now };
    const refill = (Math.max(0, now - bucket.at) / MINUTE_MS) * perMinute;
    const tokens = Math.min(perMinute, bucket.tokens + refill);
    const isAllowed = tokens >= 1;
    buckets.set(key, { tokens: isAllowed ? tokens - 1 : tokens, at: now });
    if (isAllowed) return;
    const seconds = Math.max(1, Math.ceil(((1 - tokens) / perMinute) * 60));
    throw new RouterError(
      'RATE_LIMITED',
      `At most ${perMinute} requests a minute. Try again in ${seconds} s.`,
      {
        'retry-after': String(seconds),
      },
    );
  };
}
