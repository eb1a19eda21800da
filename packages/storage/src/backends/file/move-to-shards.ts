import { join } from 'node:path';
import { errorCode } from '../../errors';
import { unlessGone, type FileCalls } from './file-calls';
import { isTemporary, readBackupName, readFileName, shardOf } from './file-names';
import type { FolderLayout } from './folder-layout';

/**
 * Brings every file to the folder of its shard. Each is in both before it is gone from the first, since after a power cut a
 * renamed one may be in neither.
 */
export async function moveToShards(
  layout: FolderLayout,
  calls: FileCalls,
  onMoved: (files: number) => void = () => undefined,
): Promise<void> {
  let moved = 0;
  for (const folder of [layout.backups, layout.values]) {
    const misplaced: string[] = [];
    const former: string[] = [];
    for (const { name: shard, kind } of await calls.system.list(folder)) {
      if (kind !== 'folder') continue;
      former.push(shard);
      for (const { name: fileName } of await calls.system.list(join(folder, shard))) {
        const path = join(folder, shard, fileName);
        if (isTemporary(fileName)) await unlessGone(calls.system.remove(path));
        const name = (folder === layout.values ? readFileName : readBackupName)(fileName)?.name;
        if (name === undefined || shardOf(name, layout.shardCount) === shard) continue;
        await linkOrCopy(path, join(folder, shardOf(name, layout.shardCount), fileName), calls);
        misplaced.push(path);
        moved += 1;
        onMoved(moved);
      }
    }
    for (const shard of layout.shards) await calls.syncFolder(join(folder, shard));
    for (const path of misplaced) await calls.removeIfThere(path);
    for (const shard of former) {
      const path = join(folder, shard);
      await calls.syncFolder(path);
      if (layout.shards.includes(shard)) continue;
      // What is not ours may be in it.
      if ((await calls.system.list(path)).length === 0) await calls.system.removeFolder(path);
    }
    await calls.syncFolder(folder);
  }
}

async function linkOrCopy(from: string, to: string, calls: FileCalls): Promise<void> {
  try {
    await calls.system.link(from, to);
  } catch (error) {
    // It was there already when this was interrupted.
    if (errorCode(error) === 'EEXIST') return;
    if (!calls.cannotLink(error)) throw error;
    const bytes = await calls.read(from);
    if (bytes !== undefined) await calls.replace(to, bytes);
  }
}
