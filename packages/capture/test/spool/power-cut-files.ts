import { dirname } from 'node:path';
import type { SpoolFiles } from '../../src/spool/spool-files';

interface SimulatedFile {
  /** What programs see. */
  seen: Buffer;
  /** What is on the disk for sure. */
  synced: Buffer;
  /** Whether its name is on the disk for sure. */
  isNamed: boolean;
}

export interface Cut {
  /** Bytes of each file's unsynced rest that came through all the same. */
  readonly tornAt: number;
  /** Whether the file system had noted the new length already: what did not come through reads as zeros. */
  readonly hasLength: boolean;
}

/** A disk that loses its power at a chosen call, and with it what was not synced. */
export class PowerCutFiles implements SpoolFiles {
  readonly #files = new Map<string, SimulatedFile>();
  readonly #open = new Map<number, SimulatedFile>();
  #lastOpen = 0;
  calls = 0;
  freeBytes = Number.MAX_SAFE_INTEGER;
  /** Bytes that the disk still takes. */
  room = Number.MAX_SAFE_INTEGER;

  constructor(private cutAtCall = Infinity) {}

  /** The disk as the next start finds it. */
  afterCut({ tornAt, hasLength }: Cut): PowerCutFiles {
    const left = new PowerCutFiles();
    for (const [path, { seen, synced, isNamed }] of this.#files) {
      if (!isNamed && tornAt === 0) continue;
      const end = Math.min(seen.length, synced.length + tornAt);
      const kept = hasLength ? Buffer.alloc(seen.length) : Buffer.alloc(end);
      seen.copy(kept, 0, 0, end);
      left.#files.set(path, { seen: kept, synced: kept, isNamed: true });
    }
    return left;
  }

  /** Longest unsynced rest of a file. */
  get unsyncedBytes(): number {
    return Math.max(0, ...[...this.#files.values()].map(({ seen, synced }) => seen.length - synced.length));
  }

  /** Changes what a file holds. */
  damage(path: string, change: (bytes: Buffer) => void): void {
    change(this.#of(path).seen);
  }

  get paths(): string[] {
    return [...this.#files.keys()].sort();
  }

  makeFolderBlocking(): void {
    this.#call();
  }

  createBlocking(path: string): number {
    this.#call();
    if (this.#files.has(path)) throw Object.assign(new Error('there already'), { code: 'EEXIST' });
    const file = { seen: Buffer.alloc(0), synced: Buffer.alloc(0), isNamed: false };
    this.#files.set(path, file);
    this.#lastOpen += 1;
    this.#open.set(this.#lastOpen, file);
    return this.#lastOpen;
  }

  writeBlocking(number: number, bytes: Uint8Array, position: number): number {
    const file = this.#opened(number);
    const isCut = this.calls + 1 >= this.cutAtCall;
    const taken = Math.min(bytes.length, this.room);
    this.room -= taken;
    // The kernel may have had all of it when the power went.
    file.seen = Buffer.concat([file.seen.subarray(0, position), bytes.subarray(0, taken)]);
    this.#call();
    return isCut ? 0 : taken;
  }

  truncateBlocking(number: number, length: number): void {
    this.#call();
    const file = this.#opened(number);
    file.seen = file.seen.subarray(0, length);
  }

  closeBlocking(number: number): void {
    this.#call();
    this.#opened(number);
    this.#open.delete(number);
  }

  freeBytesBlocking(): number {
    return this.freeBytes;
  }

  sync(number: number): Promise<void> {
    return this.#async(() => {
      const file = this.#opened(number);
      file.synced = Buffer.from(file.seen);
    });
  }

  syncFolder(path: string): Promise<void> {
    return this.#async(() => {
      for (const [name, file] of this.#files) if (dirname(name) === path) file.isNamed = true;
    });
  }

  list(path: string): Promise<string[]> {
    const names = this.paths.filter((name) => dirname(name) === path);
    return Promise.resolve(names.map((name) => name.slice(path.length + 1)));
  }

  readAll(path: string): Promise<Buffer> {
    return this.#async(() => Buffer.from(this.#of(path).seen));
  }

  read(path: string, offset: number, length: number): Promise<Buffer> {
    return this.#async(() => Buffer.from(this.#of(path).seen.subarray(offset, offset + length)));
  }

  remove(path: string): Promise<void> {
    return this.#async(() => {
      this.#files.delete(path);
    });
  }

  removeFolder(): Promise<void> {
    return Promise.resolve();
  }

  rename(): Promise<boolean> {
    return Promise.resolve(false);
  }

  touch(): Promise<void> {
    return Promise.resolve();
  }

  touchedAt(): Promise<number | undefined> {
    return Promise.resolve(undefined);
  }

  #call(): void {
    this.calls += 1;
    if (this.calls >= this.cutAtCall) throw new Error('power cut');
  }

  async #async<T>(work: () => T): Promise<T> {
    await Promise.resolve();
    this.#call();
    return work();
  }

  #of(path: string): SimulatedFile {
    const file = this.#files.get(path);
    if (file === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
    return file;
  }

  #opened(number: number): SimulatedFile {
    const file = this.#open.get(number);
    if (file === undefined) throw Object.assign(new Error('not open'), { code: 'EBADF' });
    return file;
  }
}
