import { StorageError } from '../errors';

/** 100 years; so an instant in ms, given by mistake, is refused. */
const MAX_TTL_SECONDS = 3_155_760_000;

/**
 * Ms since the epoch at which something ends that begins now.
 *
 * @throws {StorageError} `ARGUMENT_INVALID` unless it is above 0, at most 100 years, and whole in milliseconds
 */
export function toExpiry(ttlSeconds: unknown, now: number, what = 'ttlSeconds'): number | undefined {
  if (ttlSeconds === undefined) return undefined;
  const milliseconds = Math.round(Number(ttlSeconds) * 1_000);
  const isExact = typeof ttlSeconds === 'number' && milliseconds / 1_000 === ttlSeconds;
  if (isExact && ttlSeconds > 0 && ttlSeconds <= MAX_TTL_SECONDS) return now + milliseconds;
  const given = typeof ttlSeconds === 'number' ? ttlSeconds : `of type ${typeof ttlSeconds}`;
  throw new StorageError(
    'ARGUMENT_INVALID',
    `"${what}" must be above 0, at most ${MAX_TTL_SECONDS} (100 years), and have up to three decimals; it is ${given}.`,
  );
}
