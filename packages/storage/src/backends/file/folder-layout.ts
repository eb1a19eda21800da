import { join } from 'node:path';
import { backupNameOf, fileNameOf, shardName, shardOf, type FileKind } from './file-names';

/** Its presence tells a folder of a file backend from others. */
export const DESCRIPTION = 'recap.json';

/** Where in the folder everything is. */
export class FolderLayout {
  readonly values: string;
  readonly backups: string;
  readonly journal: string;
  readonly lock: string;
  readonly description: string;

  constructor(
    readonly root: string,
    readonly shardCount: number,
  ) {
    this.values = join(root, 'values');
    this.backups = join(root, 'backups');
    this.journal = join(root, 'journal');
    this.lock = join(root, 'lock');
    this.description = join(root, DESCRIPTION);
  }

  get shards(): readonly string[] {
    return Array.from({ length: this.shardCount }, (_, index) => shardName(index));
  }

  fileOf(name: string, kind: FileKind): string {
    return join(this.values, shardOf(name, this.shardCount), fileNameOf(name, kind));
  }

  backupOf(name: string, kind: FileKind, slot: number): string {
    return join(this.backups, shardOf(name, this.shardCount), backupNameOf(name, slot, kind));
  }
}
