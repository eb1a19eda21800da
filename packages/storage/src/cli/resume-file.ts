import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { errorCode } from '../errors';

/** How often a token is written at most. */
const INTERVAL_MS = 1_000;

/** Keeps the token of a copy in a file, so that it outlives the process. */
export class ResumeFile {
  readonly #path: string;
  #token: string | undefined;
  #isWritten = true;
  #writtenAt = 0;

  constructor(path: string) {
    this.#path = path;
  }

  async read(): Promise<string | undefined> {
    try {
      const text = (await readFile(this.#path, 'utf8')).trim();
      this.#token = text === '' ? undefined : text;
      return this.#token;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
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
    const temporary = `${this.#path}.${process.pid}.tmp`;
    await writeFile(temporary, `${this.#token}\n`, { mode: 0o600, flush: true });
    await rename(temporary, this.#path);
    this.#isWritten = true;
    return true;
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}
