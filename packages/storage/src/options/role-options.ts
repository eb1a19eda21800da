import { z } from 'zod';
import { whyNoBackend } from '../backend-methods';
import { StorageError } from '../errors';
import { checkedSettings } from './backend-options';
import { clockShape } from './program-shape';
import { flag } from './setting-schemas';

/** What says itself what is wrong with it, later and with a code of its own. */
const checkedLater = () => z.unknown().optional();

const shapes = {
  createCacheBackend: {
    keyPrefix: checkedLater(),
    ownsBackend: flag().optional(),
    defaultTtlSeconds: checkedLater(),
    ...clockShape,
  },
  createDatabaseBackend: { keyPrefix: checkedLater(), ownsBackend: flag().optional() },
} satisfies Record<string, z.ZodRawShape>;

/**
 * What a role is made of.
 *
 * @throws {StorageError} `CONFIG_INVALID` for what is no backend, and for unknown or wrong options
 */
export function checkRole(caller: keyof typeof shapes, backend: unknown, options: unknown): void {
  const reason = whyNoBackend(backend);
  if (reason !== undefined)
    throw new StorageError('CONFIG_INVALID', `${caller}: what it is given ${reason}.`);
  checkedSettings(shapes[caller], caller, options);
}
