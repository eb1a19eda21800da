import type { CacheBackend } from '../cache/cache-backend';
import type { DatabaseBackend } from '../database/database-backend';
import type { BatchOutcome } from '../key-space/batch-error';
import { partitionOf } from '../key-space/partition-of';
import type { FakeClock } from './fake-clock';
import { rejects } from './suite-context';
import type { TestFramework } from './test-framework';

/** What caches and databases have in common. */
export type Role = Pick<
  CacheBackend & DatabaseBackend,
  'connect' | 'disconnect' | 'get' | 'set' | 'delete' | 'mget' | 'mset' | 'exists' | 'clear' | 'keys'
>;

/** What each part of the suite of a role works with: for every test an empty one. */
export interface RoleContext<R extends Role = Role> extends TestFramework {
  readonly role: () => R;
  readonly clock: () => FakeClock;
  /** One of another prefix on the same backend, open as long as the first one. */
  readonly neighbour: (keyPrefix: string) => Promise<R>;
  /** An instance sees at once what another one of the same prefix has written. */
  readonly sharesAtOnce: boolean;
}

/** Opens an empty one for a test, on a backend of its own; then others beside it, on the same backend. */
export type OpenRole<R> = (clock: FakeClock) => Promise<(keyPrefix: string) => Promise<R>>;

export async function outcomesOf(call: Promise<unknown>): Promise<readonly (readonly [string, string])[]> {
  const error = (await rejects(call, 'BATCH_FAILED')) as Error & { outcomes: readonly BatchOutcome[] };
  return error.outcomes.map((outcome) => [
    outcome.key,
    outcome.status === 'failed' ? String((outcome.error as { code?: unknown }).code) : outcome.status,
  ]);
}

export const byBytes = (keys: readonly string[]): string[] =>
  [...keys].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));

/** Of 2,000 keys, 700 that live in one partition, so that a scan of it has several pages; in their order. */
export async function fillMany(role: Role): Promise<string[]> {
  const keys: string[] = [];
  for (let number = 0; keys.length < 2_000; number += 1) {
    const key = `item:${String(number).padStart(6, '0')}`;
    if (number < 1_300 || partitionOf(key) === 7) keys.push(key);
  }
  await role.mset(keys.map((key, index) => [key, index] as const));
  return keys;
}
