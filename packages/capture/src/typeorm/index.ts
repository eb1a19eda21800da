export { durabilityMismatch } from './database-errors';
export type { DriverGate } from './driver-gate';
export { createEntryStoreAt, createTypeOrmEntryStore } from './typeorm-entry-store';
export type { TypeOrmEntryStoreOptions } from './typeorm-entry-store';
export { describeDatabase, resolveDatabase } from './database-options';
export type {
  DatabaseOption,
  DatabaseTarget,
  PostgresDatabaseOption,
  SqliteDatabaseOption,
  SqliteDriverName,
} from './database-options';
export { StorageEntry } from './storage-entry';
export { StorageSession } from './storage-session';
