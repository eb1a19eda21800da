import type { Clock } from '@recap/storage';
import { z } from 'zod';
import { compressorOf, type CodecName } from '../compressors';
import type { EndpointRules } from '../entries/endpoint-key';
import type { RedactionRules } from '../redaction/redactor';
import type { CaptureOptions } from './capture-options';
import type { RecorderStats } from './recorder';
import { captureOptionShape, checkOptions } from './capture-options';
import { overloadSchema, type OverloadSettings } from './overload-options';

/** The part of pino's interface that Recap uses; pino, Fastify's and most other loggers have it. */
export interface Logger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export interface RecorderOptions<Database = unknown> extends CaptureOptions {
  /**
   * Where entries are kept; default `{ type: 'sqlite', path: './.recap/recap.db' }`. Also
   * `{ type: 'postgres', url }`, TypeORM's `DataSourceOptions`, or a `DataSource` of the program, of which
   * only the connection's fields are taken: Recap opens a small pool of its own.
   */
  readonly database?: Database;
  /** Lets Recap keep its tables in the SQLite file of a program's `DataSource`; default false: that is refused. */
  readonly shareSqliteFile?: boolean;
  /** `false` stores everything as it is. Default: the built-in rules; an object adds to them. */
  readonly redaction?: RedactionRules | false;
  /**
   * What compresses bodies; default `zlib`. `fast` is brotli at its first level: a third less time, about as small.
   * `zstd` needs Node 22.15 and is the best of all for large bodies. `pako` is zlib's format in JavaScript. Whatever
   * is chosen, all are read.
   */
  readonly codec?: CodecName;
  /** Bodies from this size on, a request and its response taken together, are compressed; default 1,024. */
  readonly compressionThresholdBytes?: number;
  /** Age at which a session ends although its owner never pauses; default 24. */
  readonly sessionMaxAgeHours?: number;
  /** How endpoints are compared, beyond slashes and case. */
  readonly endpoints?: EndpointRules;
  /** Size at which the oldest entries are deleted; default 1 GiB on SQLite, none on a server; `'unlimited'`. */
  readonly maxDatabaseBytes?: number | 'unlimited';
  /** Free space on the disk of an embedded database below which recording pauses; default 512 MiB. */
  readonly minFreeDiskBytes?: number;
  /** How often expired entries are deleted; default 60 s. They are invisible at once all the same. */
  readonly sweepIntervalMs?: number;
  /** Longest time an entry waits to be written; default 50 ms. */
  readonly flushIntervalMs?: number;
  /** Exchanges that may wait to be written; default 10,000. */
  readonly maxQueuedExchanges?: number;
  /** Bytes that may wait to be written; default 64 MiB. */
  readonly maxQueuedBytes?: number;
  /** Bytes that all exchanges in progress may hold together; default 64 MiB. */
  readonly maxOpenBytes?: number;
  /**
   * Redacts, packs and stores in a thread of its own. Default: wherever that can be; `stats().worker` says whether
   * it is. `true` refuses what cannot, `false` does the same work on the program's thread, in short slices.
   */
  readonly worker?: boolean;
  /**
   * On SIGTERM and SIGINT, writes what is queued and closes, and then lets the signal end the program; default
   * false. A program that listens for the signal itself ends by itself, as without, and is recorded until then.
   */
  readonly closeOnSignals?: boolean;
  /**
   * What an exchange survives before it is stored; default `buffered`: it waits in memory, for at most
   * `flushIntervalMs` while the store is there. `spooled`: it is redacted and in a journal on the local disk before
   * its response ends, and survives the end of the process. `strict`: it is committed and synced in the database before
   * the last byte of its response goes out.
   */
  readonly durability?: 'buffered' | 'spooled' | 'strict';
  /** How long `strict` lets an answer wait for its commit; default 2,000 ms. */
  readonly strictTimeoutMs?: number;
  /**
   * What becomes of an answer whose exchange `strict` could not commit. `fail-closed` (default): 503 in its place, or
   * broken off when a part has gone out. `fail-open`: it goes out as it is, and the exchange is recorded as in `buffered`.
   */
  readonly onStrictFailure?: 'fail-closed' | 'fail-open';
  /**
   * The journal on the local disk. `buffered` puts there what the queue has no room for; `false`: that is shed
   * instead. Default for a database in memory: `false`.
   */
  readonly spool?: SpoolSettings | false;
  /** What gives way when there is more to record than can be stored, or the program's event loop is late. */
  readonly overload?: OverloadSettings;
  /** Default: silent, but for one warning on the console for each kind of failure. */
  readonly logger?: Logger;
  /** Logs every exchange and batch at level `debug`; default false. */
  readonly debug?: boolean;
  /** Operations of the store that take longer are logged; default 100. */
  readonly slowOperationMs?: number;
  /** Told of every failure inside Recap; what it throws is ignored. */
  readonly onError?: (error: unknown, where: string) => void;
  /** Given the figures of `stats()` every `statsIntervalMs`, and once more when the recorder is closed. */
  readonly onStats?: (stats: RecorderStats) => void;
  /** How often `onStats` is called; default 10 s. */
  readonly statsIntervalMs?: number;
  /** For tests. */
  readonly clock?: Clock;
  /** For tests; default UUID version 7. */
  readonly newId?: () => string;
  /** For tests: 0 up to 1, decides which exchanges a `sample` takes. */
  readonly random?: () => number;
}

export interface SpoolSettings {
  /** Folder; default beside the SQLite file, else `./.recap/spool-` and a hash of the server's address. */
  readonly path?: string;
  /** Size at which it takes no more; default 1 GiB. */
  readonly maxBytes?: number;
  /** Free space on its disk below which it takes no more; default 512 MiB. */
  readonly minFreeDiskBytes?: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

const bytes = z.int().positive();
const milliseconds = z.number().positive().max(86_400_000);
const words = z.array(z.string().min(1));

const schema = z.strictObject({
  ...captureOptionShape,
  database: z
    .unknown()
    .refine(
      (value) => value === undefined || (typeof value === 'object' && value !== null),
      'Expected an object',
    )
    .optional(),
  shareSqliteFile: z.boolean().optional(),
  redaction: z
    .union([
      z.literal(false),
      z.strictObject({
        add: words.optional(),
        remove: words.optional(),
        paths: words.optional(),
        patterns: z.array(z.instanceof(RegExp)).optional(),
        module: z.string().min(1).optional(),
      }),
    ])
    .optional(),
  codec: z.enum(['zlib', 'pako', 'fast', 'zstd']).optional(),
  compressionThresholdBytes: z.int().min(0).optional(),
  sessionMaxAgeHours: z.number().positive().max(8_760).optional(),
  endpoints: z.strictObject({ versionPrefixes: words.optional(), basePrefixes: words.optional() }).optional(),
  maxDatabaseBytes: z.union([bytes, z.literal('unlimited')]).optional(),
  minFreeDiskBytes: z.int().min(0).optional(),
  sweepIntervalMs: milliseconds.optional(),
  flushIntervalMs: milliseconds.optional(),
  maxQueuedExchanges: z.int().positive().optional(),
  maxQueuedBytes: bytes.optional(),
  maxOpenBytes: bytes.optional(),
  worker: z.boolean().optional(),
  closeOnSignals: z.boolean().optional(),
  durability: z.enum(['buffered', 'spooled', 'strict']).optional(),
  strictTimeoutMs: milliseconds.optional(),
  onStrictFailure: z.enum(['fail-closed', 'fail-open']).optional(),
  spool: z
    .union([
      z.literal(false),
      z.strictObject({
        path: z
          .string()
          .min(1)
          .refine((path) => !path.includes('\0'), 'Expected a path, which has no NUL')
          .optional(),
        maxBytes: bytes.optional(),
        minFreeDiskBytes: z.int().min(0).optional(),
      }),
    ])
    .optional(),
  overload: overloadSchema.optional(),
  logger: z
    .custom<Logger>((value) => typeof (value as Logger | undefined)?.warn === 'function', {
      message: 'Expected a logger with debug, info, warn and error',
    })
    .optional(),
  debug: z.boolean().optional(),
  slowOperationMs: z.number().positive().optional(),
  onError: z.custom((value) => typeof value === 'function', { message: 'Expected a function' }).optional(),
  onStats: z.custom((value) => typeof value === 'function', { message: 'Expected a function' }).optional(),
  statsIntervalMs: milliseconds.optional(),
  clock: z.custom((value) => typeof (value as Clock | undefined)?.now === 'function').optional(),
  newId: z.custom((value) => typeof value === 'function').optional(),
  random: z.custom((value) => typeof value === 'function').optional(),
});

/** @throws {StorageError} `CONFIG_INVALID`, naming every wrong option, or a codec that this Node does not have. */
export function checkRecorderOptions(options: RecorderOptions): void {
  checkOptions(schema, options, 'createRecorder');
  if (options.codec !== undefined) compressorOf(options.codec);
}

export const RECORDER_DEFAULTS = {
  maxBodyBytes: 256 * KIB,
  compressionThresholdBytes: KIB,
  sessionMaxAgeHours: 24,
  sessionTimeoutMinutes: 30,
  ttlDays: 30,
  embeddedMaxDatabaseBytes: 1024 * MIB,
  minFreeDiskBytes: 512 * MIB,
  sweepIntervalMs: 60_000,
  flushIntervalMs: 50,
  batchSize: 500,
  /** Without a worker SQLite writes on the program's own thread: a COMMIT of more holds it up for too long. */
  embeddedBatchSize: 200,
  maxQueuedExchanges: 10_000,
  maxQueuedBytes: 64 * MIB,
  maxOpenBytes: 64 * MIB,
  slowOperationMs: 100,
  statsIntervalMs: 10_000,
  spoolMaxBytes: 1024 * MIB,
  strictTimeoutMs: 2_000,
} as const;
