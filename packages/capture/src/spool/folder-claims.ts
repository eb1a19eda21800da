import { join } from 'node:path';
import { newOwnerToken, ownerState, releasedName } from '@recap/storage';
import type { SpoolFiles } from './spool-files';

/** A folder of another machine that was not touched for so long has no owner any more. */
const ABANDONED_AFTER_MS = 60_000;

/** The folders of one recorder among those of all that store into the same database. */
export class FolderClaims {
  readonly #parent: string;
  readonly #files: SpoolFiles;
  readonly #token = newOwnerToken();
  #made = 0;
  /** Of folders whose owner cannot be asked: when they were touched, and since when that is so, by this process's clock. */
  readonly #watched = new Map<string, { readonly touchedAt: number; readonly since: number }>();

  constructor(parent: string, files: SpoolFiles) {
    this.#parent = parent;
    this.#files = files;
  }

  newFolder(): string {
    this.#made += 1;
    return join(this.#parent, `${this.#token}~${this.#made}`);
  }

  /** Tells others, who cannot ask for this process, that it is there. */
  async keepAlive(): Promise<void> {
    for (const name of await this.#files.list(this.#parent)) {
      if (name.startsWith(this.#token)) await this.#files.touch(join(this.#parent, name));
    }
  }

  /** Makes folders of dead processes this one's, and names them. */
  async takeDead(): Promise<string[]> {
    const taken: string[] = [];
    for (const name of await this.#files.list(this.#parent)) {
      if (name.startsWith(this.#token)) continue;
      try {
        const folder = await this.#take(name);
        if (folder !== undefined) taken.push(folder);
      } catch (error) {
        // What was taken is this one's by now, and must not be forgotten; the others are found at the next look.
        if (taken.length === 0) throw error;
        break;
      }
    }
    return taken;
  }

  async #take(name: string): Promise<string | undefined> {
    const state = ownerState(name);
    const isFree = state === 'dead' || (state === 'unknown' && (await this.#isAbandoned(name)));
    if (!isFree) return undefined;
    const folder = this.newFolder();
    // Of several that try, one succeeds.
    return (await this.#files.rename(join(this.#parent, name), folder)) ? folder : undefined;
  }

  /** Leaves a folder to whoever comes next. */
  async release(folder: string): Promise<void> {
    await this.#files.rename(folder, join(this.#parent, releasedName()));
  }

  async #isAbandoned(name: string): Promise<boolean> {
    const touchedAt = await this.#files.touchedAt(join(this.#parent, name));
    if (touchedAt === undefined) return false;
    const before = this.#watched.get(name);
    const now = performance.now();
    if (before?.touchedAt === touchedAt) return now - before.since >= ABANDONED_AFTER_MS;
    this.#watched.set(name, { touchedAt, since: now });
    return false;
  }
}
