import type { Backend } from '../../backend';
import { checkOptions } from '../../check-options';
import { createBackend, type CreateBackendOptions } from '../../create-backend';
import { MemoryDriver } from './memory-driver';

export interface MemoryBackendOptions extends CreateBackendOptions {
  /** 1,000,000 unless given. */
  readonly maxItems?: number;
  /** Of partitions, keys and values as UTF-8: 256 MiB unless given. The heap needs more: some 300 bytes for each item. */
  readonly maxBytes?: number;
  /** 16 MiB unless given. */
  readonly maxValueBytes?: number;
  /** `refuse` (the default) rejects `CAPACITY_EXCEEDED`; `evict` drops what was not used for longest. */
  readonly whenFull?: 'refuse' | 'evict';
}

const MIB = 2 ** 20;
/** What a string of V8 holds. */
const MAX_STRING = 2 ** 29 - 24;

/**
 * Keeps everything in this process, and forgets it on `close()`.
 *
 * @throws {StorageError} `CONFIG_INVALID`
 */
export function createMemoryBackend(options: MemoryBackendOptions = {}): Backend {
  checkOptions(options, {
    maxItems: [1, Number.MAX_SAFE_INTEGER],
    maxBytes: [1, Number.MAX_SAFE_INTEGER],
    maxValueBytes: [1, MAX_STRING],
  });
  const {
    maxItems = 1_000_000,
    maxBytes = 256 * MIB,
    maxValueBytes = 16 * MIB,
    whenFull = 'refuse',
  } = options;
  return createBackend(new MemoryDriver({ maxItems, maxBytes, maxValueBytes, whenFull }), options);
}
