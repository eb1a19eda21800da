import { errorCode, StorageError } from '../errors';
import type { ResolvedBackend, ResolvedStorage } from './resolved-config';

/** The package that each type needs, unless a client was handed in. */
const PACKAGES: Readonly<Partial<Record<ResolvedBackend['type'], string>>> = {
  sqlite: 'better-sqlite3',
  postgres: 'pg',
  redis: 'ioredis',
  mongodb: 'mongodb',
  dynamodb: '@aws-sdk/client-dynamodb',
};

/**
 * Looks whether the drivers that a configuration needs are installed, and loads none.
 *
 * @throws {StorageError} `DRIVER_MISSING`, with the command that installs all that are missing
 */
export function checkDrivers({ cache, database }: ResolvedStorage): void {
  const backends = [cache, database].flatMap((half) =>
    half ? [half.backend, ...(half.fallback?.to ?? [])] : [],
  );
  const needed = backends
    .filter((backend) => !('client' in backend) || backend.client === undefined)
    .map(({ type }) => PACKAGES[type])
    .filter((name) => name !== undefined);
  const missing = [...new Set(needed)].filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const names = missing.join(' ');
  throw new StorageError('DRIVER_MISSING', `Not installed: ${missing.join(', ')}. Run: npm install ${names}`);
}

function isInstalled(name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch (error) {
    if (errorCode(error) === 'MODULE_NOT_FOUND') return false;
    throw error;
  }
}
