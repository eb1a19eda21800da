import type { Backend } from '../../backend';
import { createBackend, type CreateBackendOptions } from '../../create-backend';
import { backendOptions } from '../../options/backend-options';
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

/**
 * Keeps everything in this process, and forgets it on `close()`.
 *
 * @throws {StorageError} `CONFIG_INVALID`
 */
export function createMemoryBackend(given: MemoryBackendOptions = {}): Backend {
  const options = backendOptions('memory', 'createMemoryBackend', given);
  const {
    maxItems = 1_000_000,
    maxBytes = 256 * MIB,
    maxValueBytes = 16 * MIB,
    whenFull = 'refuse',
  } = options;
  return createBackend(new MemoryDriver({ maxItems, maxBytes, maxValueBytes, whenFull }), options);
}
