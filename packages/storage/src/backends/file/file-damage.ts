import { relative } from 'node:path';
import { StorageError } from '../../errors';

/** A file that is not as it was written, and what became of what it held. */
export interface FileDamage {
  /** Of the file, within the folder. */
  readonly path: string;
  /** What is wrong with it. */
  readonly problem: string;
  /** Where it is known. */
  readonly partition?: string;
  readonly key?: string;
  /** The backup, within the folder, that has taken its place: an older state. Absent: reading it is `CORRUPT`. */
  readonly restoredFrom?: string;
}

export function textOfDamage({ path, problem, restoredFrom }: FileDamage): string {
  const then = restoredFrom === undefined ? 'What it held cannot be read.' : `Restored from ${restoredFrom}.`;
  return `${path} ${problem}. ${then}`;
}

/** Tells of damage, each once. */
export class DamageReport {
  readonly #root: string;
  readonly #tell: (damage: FileDamage) => void;

  constructor(root: string, tell: (damage: FileDamage) => void) {
    this.#root = root;
    this.#tell = tell;
  }

  add({ path, restoredFrom, ...damage }: FileDamage): void {
    this.#tell({
      path: relative(this.#root, path),
      ...damage,
      ...(restoredFrom !== undefined && { restoredFrom: relative(this.#root, restoredFrom) }),
    });
  }
}

export function corrupt(path: string, problem: string): StorageError {
  return new StorageError(
    'CORRUPT',
    `${path} ${problem}, and no backup of it is sound. Put the file back, or delete the item.`,
  );
}
