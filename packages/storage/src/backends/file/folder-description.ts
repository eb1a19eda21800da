import { join } from 'node:path';
import { StorageError } from '../../errors';
import { unlessGone, type FileCalls } from './file-calls';
import { isShardName, temporaryName } from './file-names';
import { FolderLayout } from './folder-layout';
import { moveToShards } from './move-to-shards';
import { sealLine, unsealLine } from './sealed-line';

const LAYOUT = 1;
const DEFAULT_SHARDS = 16;

export interface FolderDescription {
  readonly shardCount: number;
  /** Files may be in folders of another count. */
  readonly isMoving: boolean;
}

/** @param shardCount as it has to be; absent: as it is, 16 for a new folder */
export async function describeFolder(
  root: string,
  calls: FileCalls,
  shardCount: number | undefined,
  onDamage: (path: string, problem: string) => void,
): Promise<FolderLayout> {
  const { description: path, values } = new FolderLayout(root, 1);
  await removeTemporary(path, calls);
  const known = await readDescription(root, calls);
  const isMissing = known === undefined && (await holdsFiles(values, calls));
  if (known === 'damaged' || isMissing) onDamage(path, isMissing ? 'is missing' : 'is damaged');
  const there = known === 'damaged' || isMissing ? await guessDescription(values, calls, shardCount) : known;
  if (there !== undefined) checkShardCount(root, there.shardCount, shardCount);
  const description = there ?? { shardCount: shardCount ?? DEFAULT_SHARDS, isMoving: false };
  const layout = new FolderLayout(root, description.shardCount);
  await makeFolders(layout, calls);
  if (there === undefined) await writeDescription(layout, calls, false);
  if (description.isMoving) await finishMove(layout, calls);
  return layout;
}

/** What a process that died had begun to write. */
async function removeTemporary(description: string, calls: FileCalls): Promise<void> {
  const path = temporaryName(description);
  const kind = await unlessGone(calls.system.kindOf(path));
  if (kind !== undefined && kind !== 'folder') await calls.removeIfThere(path);
}

export async function readDescription(
  root: string,
  calls: FileCalls,
): Promise<FolderDescription | 'damaged' | undefined> {
  const path = new FolderLayout(root, 1).description;
  const bytes = await calls.read(path);
  if (bytes === undefined) return undefined;
  const line = unsealLine(bytes.subarray(0, -1));
  if (line === undefined) return 'damaged';
  if (line['layout'] === LAYOUT)
    return { shardCount: Number(line['shardCount']), isMoving: line['isMoving'] === true };
  throw new StorageError(
    'DATABASE_UNSUPPORTED',
    `${path} has layout ${String(line['layout'])}; this release knows ${LAYOUT}. Use the release that wrote it, or a newer one.`,
  );
}

/** Folders alone are what a first start leaves that was interrupted. */
async function holdsFiles(values: string, calls: FileCalls): Promise<boolean> {
  for (const { name, kind } of (await unlessGone(calls.system.list(values))) ?? [])
    if (kind === 'folder' && (await calls.system.list(join(values, name))).length > 0) return true;
  return false;
}

/** As many as it has to be, or as there are folders; every file is brought to where it belongs then. */
async function guessDescription(
  values: string,
  calls: FileCalls,
  shardCount: number | undefined,
): Promise<FolderDescription> {
  const names = (await calls.system.list(values)).map(({ name }) => name);
  return { shardCount: shardCount ?? Math.max(1, names.filter(isShardName).length), isMoving: true };
}

export async function writeDescription(
  { description, root, shardCount }: FolderLayout,
  calls: FileCalls,
  isMoving: boolean,
): Promise<void> {
  const members = `"layout":${LAYOUT},"shardCount":${shardCount}${isMoving ? ',"isMoving":true' : ''}`;
  await calls.replace(description, Buffer.from(sealLine(members)));
  await calls.syncFolder(root);
}

export async function makeFolders(
  { root, values, backups, journal, shards }: FolderLayout,
  calls: FileCalls,
): Promise<void> {
  for (const folder of [values, backups, journal]) await calls.makeFolder(folder);
  for (const folder of [values, backups]) {
    const made = [];
    for (const shard of shards) made.push(await calls.makeFolder(join(folder, shard)));
    if (made.includes(true)) await calls.syncFolder(folder);
  }
  await calls.syncFolder(root);
}

/** What was moved before it was interrupted stays. */
export async function finishMove(
  layout: FolderLayout,
  calls: FileCalls,
  onMoved?: (files: number) => void,
): Promise<void> {
  await makeFolders(layout, calls);
  await moveToShards(layout, calls, onMoved);
  await writeDescription(layout, calls, false);
}

/** @throws {StorageError} `CONFIG_INVALID` */
export function checkShardCount(root: string, there: number, asked: number | undefined): void {
  if (asked === undefined || asked === there) return;
  throw new StorageError(
    'CONFIG_INVALID',
    `${root} has ${there} shards, not ${asked}. Change it with reshardFileStorage(), or leave "shardCount" and "enableSharding" out.`,
  );
}
