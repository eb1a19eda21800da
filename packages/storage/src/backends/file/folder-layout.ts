import { join } from 'node:path';
import { backupNameOf, fileNameOf, shardName, shardOf, type FileKind } from './file-names';

/** Its presence tells a folder of a file backend from others. */
export const DESCRIPTION = 'recap.json';

/** Where in the folder everything is. */
export class FolderLayout {
  readonly values: string;
  readonly backups: string;
  /** What a damaged file held, of each the last. */
  readonly damaged: string;
  readonly journal: string;
  readonly lock: string;
  readonly description: string;

  constructor(
    readonly root: string,
    readonly shardCount: number,
  ) {
    this.values = join(root, 'values');
    this.backups = join(root, 'backups');
    this.damaged = join(root, 'damaged');
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

  damagedOf(name: string, kind: FileKind): string {
    return join(this.damaged, fileNameOf(name, kind));
  }
}
