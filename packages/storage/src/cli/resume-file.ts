import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tryToken } from '../copy/resume-token';
import { errorCode, StorageError } from '../errors';
import { refuseAbsent, type StorageEnd } from './storage-end';

/** How often a token is written at most. */
const INTERVAL_MS = 1_000;

/** Keeps the token of a copy in a file, so that it outlives the process. */
export class ResumeFile {
  #token: string | undefined;
  #isWritten = true;
  #writtenAt = 0;

  private constructor(
    readonly path: string,
    token: string | undefined,
  ) {
    this.#token = token;
  }

  /** Also when there is none yet; `undefined` when no file was asked for. */
  static async read(path: string | undefined): Promise<ResumeFile | undefined> {
    return path === undefined ? undefined : new ResumeFile(path, await contentOf(path));
  }

  /** To go on from. */
  get token(): string | undefined {
    return this.#token;
  }

  /** Writes it now and then. */
  async keep(token: string | undefined, now = Date.now()): Promise<void> {
    if (token === undefined || token === this.#token) return;
    this.#token = token;
    this.#isWritten = false;
    if (now - this.#writtenAt < INTERVAL_MS) return;
    await this.write();
    this.#writtenAt = now;
  }

  /** Writes the last one; resolves to whether there is any. */
  async write(): Promise<boolean> {
    if (this.#token === undefined) return false;
    if (this.#isWritten) return true;
    const temporary = `${this.path}.${process.pid}.tmp`;
    await writeFile(temporary, `${this.#token}\n`, { mode: 0o600, flush: true });
    await rename(temporary, this.path);
    this.#isWritten = true;
    return true;
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

async function contentOf(path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  return text === '' ? undefined : text;
}

/**
 * Looks at a position before anything is opened.
 *
 * @param ends what tells this copy from others
 * @throws {StorageError} `ARGUMENT_INVALID` for one that is damaged or of another copy; `UNAVAILABLE` when the target is gone
 */
export async function refuseToken(
  file: ResumeFile | undefined,
  target: StorageEnd,
  ends: readonly string[],
): Promise<void> {
  if (file?.token === undefined) return;
  const { path, token } = file;
  const read = tryToken(ends, token);
  if ('problem' in read)
    throw new StorageError(
      'ARGUMENT_INVALID',
      `The position in ${path} ${read.problem}. Name the right file, or begin anew with another: with --only-missing or --overwrite where the target has something already.`,
    );
  await refuseAbsent(target);
}
