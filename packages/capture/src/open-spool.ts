import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { StorageError } from '@recap/storage';
import type { EntryStore } from './entries/entry-store';
import { createEntryTools } from './recorder/entry-tools';
import { packEntry, prepareUnpacked } from './recorder/prepare-entry';
import { RECORDER_DEFAULTS, type RecorderOptions } from './recorder/recorder-options';
import { Spool } from './spool';
import type { DatabaseTarget } from './typeorm';

/** A compressed body that unfolds to more holds the program's thread up for too long. */
const MAX_DECODED_BYTES = 1024 * 1024;

/**
 * The spool that a recorder's options ask for. Nothing is written until something is spooled.
 *
 * @throws {StorageError} `CONFIG_INVALID` for `spooled` without a spool
 */
export function openSpool(
  options: RecorderOptions,
  target: DatabaseTarget,
  store: EntryStore,
  onFailure: (error: unknown, where: string) => void,
): Spool | undefined {
  const { spool: settings, durability } = options;
  const isInMemory = target.dialect === 'sqlite' && target.path === ':memory:';
  const isOff = settings === false || (settings === undefined && isInMemory);
  if (isOff) {
    if (durability !== 'spooled') return undefined;
    const reason = isInMemory ? 'a database in memory has no spool by default' : 'spool is false';
    throw new StorageError('CONFIG_INVALID', `durability "spooled" needs a spool, and ${reason}.`);
  }
  const tools = createEntryTools(options, onFailure);
  const unpackedTools = { ...tools, maxDecodedBytes: MAX_DECODED_BYTES };
  return new Spool({
    path: folderOf(target, settings?.path),
    maxBytes: settings?.maxBytes ?? RECORDER_DEFAULTS.spoolMaxBytes,
    minFreeDiskBytes: settings?.minFreeDiskBytes ?? RECORDER_DEFAULTS.minFreeDiskBytes,
    prepare: (exchange) => ({
      entry: prepareUnpacked(exchange, unpackedTools),
      compress: exchange.compress,
    }),
    pack: ({ entry, compress }) => packEntry(entry, compress, tools),
    store,
    onFailure,
  });
}

/** Another database has another folder: what is left in one must not be stored in the other. */
function folderOf(target: DatabaseTarget, parent: string | undefined): string {
  if (target.dialect === 'sqlite') {
    return parent === undefined ? `${target.path}-spool` : resolve(parent, nameOf(target.path));
  }
  const { url, host, port, database } = target.connection;
  const { host: urlHost, pathname } = typeof url === 'string' && URL.canParse(url) ? new URL(url) : NO_URL;
  const address = JSON.stringify([host, port, database, urlHost, pathname, target.schema]);
  return resolve(parent ?? './.recap', `spool-${nameOf(address)}`);
}

const NO_URL = { host: null, pathname: null };

function nameOf(database: string): string {
  return createHash('sha256').update(database).digest('hex').slice(0, 12);
}
