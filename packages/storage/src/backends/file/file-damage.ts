import { relative } from 'node:path';
import { StorageError } from '../../errors';
import type { EntryKind } from './file-system';
import type { State } from './file-table';

/** A file that is not as it was written, and what became of what it held. */
export interface FileDamage {
  /** Of the file, within the folder. */
  readonly path: string;
  /** What is wrong with it. */
  readonly problem: string;
  /** Where it is known. */
  readonly partition?: string;
  readonly key?: string;
  /**
   * The backup, within the folder, that has taken its place: an older state. Of a list it may be the file itself, whose
   * sound beginning stays. Absent: reading it is `CORRUPT`.
   */
  readonly restoredFrom?: string;
  /** Of a list that was restored: how many elements it has now. */
  readonly keptElements?: number;
  /** How many it had beyond them, where that is known. */
  readonly lostElements?: number;
}

export function textOfDamage({
  path,
  problem,
  restoredFrom,
  keptElements,
  lostElements,
}: FileDamage): string {
  if (restoredFrom === undefined) return `${path} ${problem}. What it held cannot be read.`;
  const from = restoredFrom === path ? 'what is sound of it' : restoredFrom;
  if (keptElements === undefined) return `${path} ${problem}. Restored from ${from}.`;
  const lost = lostElements === undefined ? 'what came after them' : `${lostElements} after them`;
  return `${path} ${problem}. Restored from ${from}: the list has its first ${keptElements} elements, ${lost} are lost.`;
}

/** The problem of what is in the place of a file. */
export function isNoFile(kind: EntryKind): string {
  return kind === 'other' ? 'is no file' : `is a ${kind}, not a file`;
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

/**
 * What a list has after it was restored to this state.
 *
 * @param before how many it had, where that is known
 */
export function elementsOf(
  state: State,
  before: number | undefined,
): Pick<FileDamage, 'keptElements' | 'lostElements'> {
  if (state.kind !== 'list') return {};
  const lost = before !== undefined && before >= state.length ? { lostElements: before - state.length } : {};
  return { keptElements: state.length, ...lost };
}
