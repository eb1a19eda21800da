export { StorageError, errorCode } from './errors';
export type { StorageErrorCode } from './errors';
export { systemClock } from './clock';
export type { Clock } from './clock';
export { newId } from './new-id';
export { loadBetterSqlite } from './load-better-sqlite';
export type { BetterSqlite, BetterSqliteSources, PackageSource } from './load-better-sqlite';
export { loadDriver } from './load-driver';
export type {
  Address,
  AppendOptions,
  Backend,
  BackendStats,
  Capabilities,
  DeleteOptions,
  Health,
  Item,
  ItemHead,
  KeyRange,
  Page,
  PageOptions,
  ScanOptions,
  SetOptions,
  Value,
  ValueItem,
  Write,
  WriteOutcome,
} from './backend';
export type { JsonValue } from './json-value';
export type { JsonCondition, JsonFilter, JsonScalar } from './json-filter';
export type {
  AppendWrite,
  Awaitable,
  DeleteWrite,
  Driver,
  DriverPage,
  ReadItem,
  DriverScan,
  DriverWrite,
  SetWrite,
  StoredItem,
  StoredRange,
  StoredValue,
  Verdict,
} from './driver';
export type { ByteRange } from './byte-range';
export { createBackend } from './create-backend';
export type { CreateBackendOptions } from './create-backend';
export { createDynamodbBackend } from './backends/dynamodb/dynamodb-backend';
export type { DynamodbBackendOptions, DynamodbCredentials } from './backends/dynamodb/dynamodb-options';
export { createMemoryBackend } from './backends/memory/memory-backend';
export type { MemoryBackendOptions } from './backends/memory/memory-backend';
export { createPostgresBackend } from './backends/postgres/postgres-backend';
export type { PostgresBackendOptions, PostgresPoolOptions } from './backends/postgres/postgres-backend';
export type {
  PostgresClient,
  PostgresNotification,
  PostgresPool,
  PostgresQueryConfig,
  PostgresResult,
} from './backends/postgres/postgres-client';
export { createCacheBackend } from './cache/create-cache-backend';
export type { CacheBackendOptions } from './cache/create-cache-backend';
export type { CacheBackend, CacheItem } from './cache/cache-backend';
export { createDatabaseBackend } from './database/create-database-backend';
export type { DatabaseBackendOptions } from './database/create-database-backend';
export type { DatabaseBackend, DatabaseItem } from './database/database-backend';
export type { RoleOptions } from './key-space/key-space';
export { BatchError } from './key-space/batch-error';
export type { BatchOutcome } from './key-space/batch-error';
export { escapePattern } from './key-space/key-pattern';
export { createStorageBackends } from './manager/create-storage-backends';
export { StorageManager } from './manager/storage-manager';
export type { StorageBackends } from './manager/storage-backends';
export type { HalfHealth, StorageHealth } from './manager/storage-health';
export type { StorageOptions } from './manager/storage-options';
export type { FailureContext, Logger } from './manager/storage-log';
export { loadStorageConfig } from './manager/load-storage-config';
export type { LoadConfigOptions } from './manager/load-storage-config';
export type { Environment } from './manager/expand-references';
export type { BackendTypeAlias } from './manager/backend-types';
export type {
  BackendConfig,
  CircuitBreakerConfig,
  ClusterConfig,
  CustomConfig,
  DynamodbConfig,
  DynamodbCredentialsConfig,
  FallbackBackend,
  FallbackConfig,
  FallbackSettings,
  FileConfig,
  FlagSetting,
  HalfConfig,
  MemoryConfig,
  MongodbConfig,
  NodeConfig,
  NumberSetting,
  PoolConfig,
  PostgresConfig,
  RedisConfig,
  RemoteConfig,
  RetryConfig,
  SentinelConfig,
  SqliteConfig,
  StorageConfig,
  TlsConfig,
} from './manager/storage-config';
export type { FallbackEvent } from './fallback/fallback-event';
export { createSqliteBackend } from './backends/sqlite/sqlite-backend';
export type { SqliteBackendOptions } from './backends/sqlite/sqlite-backend';
export type { SqliteDatabase, SqliteOpenOptions, SqliteStatement } from './backends/sqlite/sqlite-client';
export { createCachedDatabase } from './cached-database/create-cached-database';
export type {
  CachedDatabase,
  CachedDatabaseOptions,
  CachingFailure,
  CachingStats,
  CachingStrategy,
} from './cached-database/cached-database';
export type { WriteBehindOptions } from './cached-database/write-behind-queue';
export type { Pause } from './cached-database/pause';
export { createRedisBackend } from './backends/redis/redis-backend';
export type {
  RedisBackendOptions,
  RedisClusterOptions,
  RedisNode,
  RedisSentinelOptions,
} from './backends/redis/redis-options';
export { copyStorage } from './copy/copy-storage';
export type { CopyStorageOptions } from './copy/copy-storage';
export type { CopyOptions, CopyPhase, CopyProgress, CopyResult } from './copy/copy-options';
export type { CopyCounts } from './copy/copy-counts';
export type { ExistingPolicy } from './copy/piece-writer';
export { CopyError } from './copy/copy-error';
export type { Difference } from './copy/copy-error';
export { backupStorage } from './archive/backup-storage';
export type { BackupOptions, BackupResult } from './archive/backup-storage';
export { restoreStorage } from './archive/restore-storage';
export type { RestoreOptions } from './archive/restore-storage';
export { checkStorage } from './copy/check-storage';
export type { CheckOptions, CheckResult, Damage } from './copy/check-storage';
export { createFileBackend } from './backends/file/file-backend';
export type { FileBackendOptions } from './backends/file/file-backend';
export type { FileDamage } from './backends/file/file-damage';
export type { EntryKind, FileSystem, FolderEntry, OpenFile } from './backends/file/file-system';
export { reshardFileStorage } from './backends/file/reshard-file-storage';
export type { Resharded, ReshardOptions } from './backends/file/reshard-file-storage';
export { newOwnerToken, ownerState, releasedName } from './owner-token';
export type { OwnerState } from './owner-token';
export { createMongodbBackend } from './backends/mongodb/mongodb-backend';
export type { MongodbBackendOptions, MongodbPoolOptions } from './backends/mongodb/mongodb-options';
