import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { errorCode, StorageError } from '@recap/storage';
import { z } from 'zod';
import type { GapRecord } from '../entries/gap';
import type { SpoolFiles } from './spool-files';

/** While it is written a file has another name. */
const FILE_NAME = /^gaps-[0-9a-f]{16}\.json(?<unfinished>\.new)?$/;
/** It is written in one call: one that is there for so long is nobody's any more. */
const LONGEST_WRITE_MS = 60_000;

const schema = z.array(
  z.strictObject({
    id: z.string().min(1),
    missing: z.enum(['exchanges', 'bodies', 'headers']),
    startedAt: z.number(),
    endedAt: z.number(),
    exchanges: z.int().min(0),
    reasons: z.record(z.string(), z.number()),
    expiresAt: z.number().nullable(),
  }) satisfies z.ZodType<GapRecord>,
);

/** Writes gaps that nobody can store any more to a file of their own, before it returns. */
export function leaveGaps(files: SpoolFiles, folder: string, gaps: readonly GapRecord[]): void {
  const bytes = Buffer.from(JSON.stringify(gaps));
  files.makeFolderBlocking(folder);
  const path = join(folder, `gaps-${randomBytes(8).toString('hex')}.json`);
  const newPath = `${path}.new`;
  const file = files.createBlocking(newPath);
  try {
    for (let at = 0; at < bytes.length;) at += files.writeBlocking(file, bytes.subarray(at), at);
  } finally {
    files.closeBlocking(file);
  }
  // Another process that found half of it would take it for damaged, and remove it.
  files.renameBlocking(newPath, path);
}

/**
 * Stores what was left. Several processes may do so at once: gaps are told apart by their ids.
 *
 * @throws what `save` or the disk fails with; what was not stored stays
 */
export async function takeGaps(
  files: SpoolFiles,
  folder: string,
  save: (gaps: readonly GapRecord[]) => Promise<void>,
  onFailure: (error: unknown) => void,
): Promise<void> {
  for (const name of await files.list(folder)) {
    const parts = FILE_NAME.exec(name);
    if (parts === null) continue;
    const path = join(folder, name);
    if (parts.groups?.['unfinished'] !== undefined && !(await isAbandoned(files, path))) continue;
    const bytes = await unlessTaken(files.readAll(path));
    if (bytes === undefined) continue;
    const gaps = read(bytes, path, onFailure);
    if (gaps === undefined) continue;
    if (gaps.length > 0) await save(gaps);
    await files.remove(path);
  }
}

async function isAbandoned(files: SpoolFiles, path: string): Promise<boolean> {
  return Date.now() - ((await files.touchedAt(path)) ?? Infinity) > LONGEST_WRITE_MS;
}

async function unlessTaken(reading: Promise<Buffer>): Promise<Buffer | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** @returns none for what is damaged, `undefined` for what stays, since another release knows it */
function read(
  bytes: Buffer,
  path: string,
  onFailure: (error: unknown) => void,
): readonly GapRecord[] | undefined {
  let content: unknown;
  try {
    content = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    // A process that ended while it wrote leaves half a file.
    onFailure(error);
    return [];
  }
  const { data, error } = schema.safeParse(content);
  if (error !== undefined)
    onFailure(
      new StorageError(
        'UNAVAILABLE',
        `Another version of Recap left the gaps in ${path}, which stay there for it.`,
        { cause: error },
      ),
    );
  return data;
}
