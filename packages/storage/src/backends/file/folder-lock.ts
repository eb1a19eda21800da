import { join } from 'node:path';
import { errorCode, StorageError } from '../../errors';
import { newOwnerToken, ownerState, releasedName } from '../../owner-token';
import { unlessGone, type FileCalls } from './file-calls';

const BEAT_MS = 5_000;
/** An owner that cannot be asked for, in another container or on another machine, is gone after this silence. */
const SILENT_MS = 20_000;
const LOOK_MS = 1_000;

/** Of this program: they were given back, even where their file could not be renamed. */
const released = new Set<string>();

/**
 * One file in a folder of its own, whose name says who has the lock. To take over is to rename it, which of several can
 * do only one.
 */
export class FolderLock {
  readonly #folder: string;
  readonly #calls: FileCalls;
  readonly #name = newOwnerToken();
  readonly #onError: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #seenAt = 0;
  #lost: StorageError | undefined;

  constructor(folder: string, calls: FileCalls, onError: (error: unknown) => void) {
    this.#folder = folder;
    this.#calls = calls;
    this.#onError = onError;
  }

  /** @throws {StorageError} `UNAVAILABLE` when another has it */
  async take(): Promise<void> {
    try {
      while (!(await this.#tryToTake())) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    } catch (error) {
      released.add(this.#name);
      throw error;
    }
    this.#seenAt = performance.now();
    this.#timer = setInterval(() => {
      this.#beat().catch(this.#onError);
    }, BEAT_MS);
    this.#timer.unref();
  }

  /**
   * Of a program that was stopped for a while, the lock may have been taken: then it must write no more. Only the file
   * tells: a clock may have stood still too.
   */
  async check(): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost;
    if (performance.now() - this.#seenAt > BEAT_MS) await this.#beat();
    else await this.#unlessTaken(this.#calls.system.kindOf(this.#own));
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    released.add(this.#name);
    await unlessGone(this.#calls.system.rename(this.#own, join(this.#folder, releasedName())));
  }

  get #own(): string {
    return join(this.#folder, this.#name);
  }

  async #beat(): Promise<void> {
    await this.#unlessTaken(this.#calls.system.touch(this.#own));
    this.#seenAt = performance.now();
  }

  async #unlessTaken(asked: Promise<unknown>): Promise<void> {
    try {
      await asked;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      this.#lost = new StorageError(
        'UNAVAILABLE',
        `The lock ${this.#folder} was taken by another program while this one stood still. Open the backend again.`,
      );
      throw this.#lost;
    }
  }

  async #tryToTake(): Promise<boolean> {
    const names = await this.#owners();
    for (const name of names) {
      const state = released.has(name) ? 'dead' : (ownerState(name) ?? 'unknown');
      if (state === 'alive') throw held(this.#folder, name);
      if (state === 'unknown' && !(await this.#isSilent(name))) return false;
    }
    const [first, ...others] = names;
    if (first === undefined) {
      const file = await this.#calls.create(this.#own);
      await file.close();
    } else if ((await unlessGone(this.#renameFrom(first))) === undefined) return false;
    for (const other of others) await this.#calls.removeIfThere(join(this.#folder, other));
    // Two that found no file at all have each made one.
    const rivals = (await this.#owners()).filter((name) => name !== this.#name);
    if (rivals.length === 0) return true;
    await this.#calls.removeIfThere(this.#own);
    throw held(this.#folder, rivals[0]!);
  }

  async #owners(): Promise<string[]> {
    return (await this.#calls.system.list(this.#folder)).map(({ name }) => name).sort();
  }

  async #renameFrom(name: string): Promise<true> {
    await this.#calls.system.rename(join(this.#folder, name), this.#own);
    await this.#calls.system.touch(this.#own);
    return true;
  }

  readonly #watched = new Map<string, { readonly writtenAt: number; readonly since: number }>();

  /** By this program's own clock: those of two machines may differ. */
  async #isSilent(name: string): Promise<boolean> {
    const writtenAt = await unlessGone(this.#calls.system.writtenAt(join(this.#folder, name)));
    if (writtenAt === undefined) return false;
    const before = this.#watched.get(name);
    if (before === undefined) {
      this.#watched.set(name, { writtenAt, since: performance.now() });
      return false;
    }
    if (before.writtenAt !== writtenAt) throw held(this.#folder, name);
    return performance.now() - before.since >= SILENT_MS;
  }
}

function held(folder: string, name: string): StorageError {
  const [pid] = /^\d+/.exec(name) ?? [];
  const who = pid === undefined ? 'another program' : `the process ${pid}`;
  return new StorageError(
    'UNAVAILABLE',
    `${folder} is held by ${who}: a folder has one writer at a time. End it, or choose another path.`,
  );
}
