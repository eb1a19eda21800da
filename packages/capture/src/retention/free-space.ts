import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

const DEFAULT_FILE = './.recap/recap.db';

/** The file of an embedded database; `undefined` for a server or a database in memory. */
export function embeddedFile(database: unknown): string | undefined {
  if (database === undefined) return resolve(DEFAULT_FILE);
  const { options } = database as { options?: unknown };
  // A DataSource holds its fields in there.
  const { path, database: file, type } = (options ?? database) as Readonly<Record<string, unknown>>;
  if (typeof type !== 'string' || !type.includes('sqlite')) return undefined;
  const name = path ?? file;
  return typeof name === 'string' && name !== ':memory:' && name !== '' ? resolve(name) : undefined;
}

/** Whether the disk that holds `file` has at least `minBytes` for an unprivileged writer. */
export async function hasFreeSpace(file: string, minBytes: number): Promise<boolean> {
  const { bavail, bsize } = await statfs(dirname(file));
  return bavail * bsize >= minBytes;
}
