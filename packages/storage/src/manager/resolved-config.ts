import type { z } from 'zod';
import type { backendShapes } from '../options/config-schemas';

type Settings<Type extends keyof typeof backendShapes> = z.output<z.ZodObject<(typeof backendShapes)[Type]>>;

/** Settings of one backend with every default filled in; a URL has become fields. */
export type ResolvedBackend =
  | ResolvedMemory
  | ResolvedFile
  | ResolvedSqlite
  | ResolvedPostgres
  | ResolvedRedis
  | ResolvedMongodb
  | ResolvedDynamodb
  | ResolvedCustom;

interface Named {
  readonly keyPrefix: string;
}

export type ResolvedMemory = Settings<'memory'> &
  Named & { readonly type: 'memory'; readonly whenFull: 'evict' | 'refuse'; readonly maxValueBytes: number };
export type ResolvedFile = Settings<'file'> &
  Named & { readonly type: 'file'; readonly path: string; readonly maxValueBytes: number };
export type ResolvedSqlite = Settings<'sqlite'> &
  Named & { readonly type: 'sqlite'; readonly path: string; readonly maxValueBytes: number };
export type ResolvedPostgres = Omit<Settings<'postgres'>, 'url'> & Named & { readonly type: 'postgres' };
export type ResolvedRedis = Omit<Settings<'redis'>, 'url'> & Named & { readonly type: 'redis' };
export type ResolvedMongodb = Settings<'mongodb'> & Named & { readonly type: 'mongodb' };
export type ResolvedDynamodb = Settings<'dynamodb'> & Named & { readonly type: 'dynamodb' };
export type ResolvedCustom = Settings<'custom'> & Named & { readonly type: 'custom' };

export interface ResolvedFallback {
  readonly to: readonly ResolvedBackend[];
  readonly reads: 'known' | 'partial';
  readonly probeIntervalMs: number;
  readonly stableMs: number;
  readonly adoptWrites: boolean;
}

/** What is kept on one side of a pair. */
export type Role = 'cache' | 'database';

export interface ResolvedHalf {
  readonly role: Role;
  readonly backend: ResolvedBackend;
  readonly fallback: ResolvedFallback | undefined;
}

export interface ResolvedStorage {
  readonly cache: ResolvedHalf | undefined;
  readonly database: ResolvedHalf | undefined;
  readonly slowOperationMs: number | undefined;
}
