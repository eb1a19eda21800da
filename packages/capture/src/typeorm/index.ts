export { createTypeOrmEntryStore } from './typeorm-entry-store';
export type { TypeOrmEntryStoreOptions } from './typeorm-entry-store';
export { describeDatabase } from './database-options';
export type {
  DatabaseOption,
  PostgresDatabaseOption,
  SqliteDatabaseOption,
  SqliteDriverName,
} from './database-options';
export { StorageEntry } from './storage-entry';
export { StorageSession } from './storage-session';
