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

/** Calls of a disk that fail. */
export interface FailingCalls {
  readonly from: number;
  /** One, or all that follow. */
  readonly count: number;
  readonly code: string;
}

/** A disk that loses its power at a chosen call, and with it what was not synced; or whose calls fail. */
export class PowerCutFiles implements SpoolFiles {
  readonly #files = new Map<string, SimulatedFile>();
  readonly #open = new Map<number, SimulatedFile>();
  #lastOpen = 0;
  calls = 0;
  freeBytes = Number.MAX_SAFE_INTEGER;
  /** Bytes that the disk still takes. */
  room = Number.MAX_SAFE_INTEGER;

  /** Calls that fail, while they are set. */
  failing: FailingCalls | undefined;
  /** Names of the calls that failed. */
  readonly failed: string[] = [];

  constructor(private cutAtCall = Infinity) {}

  /** What the process that comes after one that was killed finds. */
  afterDeath(cutAtCall = Infinity): PowerCutFiles {
    const left = new PowerCutFiles(cutAtCall);
    for (const [path, file] of this.#files) {
      // An owner's name says which process it was; this one is gone.
      const [, parent = '', folder = '', name = ''] = /^(.*)\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
      left.#files.set(`${parent}/left-${folder.replaceAll(/[^0-9a-z]/g, '')}/${name}`, { ...file });
    }
    return left;
  }

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
    this.#call('makeFolder');
  }

  createBlocking(path: string): number {
    this.#call('create');
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
    // The kernel may have had all of it when the power went, or a part when it failed.
    const reached = this.#willFail ? taken >> 1 : taken;
    file.seen = Buffer.concat([file.seen.subarray(0, position), bytes.subarray(0, reached)]);
    this.#call('write');
    return isCut ? 0 : taken;
  }

  truncateBlocking(number: number, length: number): void {
    this.#call('truncate');
    const file = this.#opened(number);
    file.seen = file.seen.subarray(0, length);
  }

  closeBlocking(number: number): void {
    this.#opened(number);
    // It is closed even where that fails.
    this.#open.delete(number);
    this.#call('close');
  }

  renameBlocking(from: string, to: string): void {
    this.#call('renameBlocking');
    this.#files.set(to, this.#of(from));
    this.#files.delete(from);
  }

  freeBytesBlocking(): number {
    this.#call('freeBytes');
    return this.freeBytes;
  }

  sync(number: number): Promise<void> {
    return this.#async('sync', () => {
      const file = this.#opened(number);
      file.synced = Buffer.from(file.seen);
    });
  }

  syncFolder(path: string): Promise<void> {
    return this.#async('syncFolder', () => {
      for (const [name, file] of this.#files) if (dirname(name) === path) file.isNamed = true;
    });
  }

  list(path: string): Promise<string[]> {
    return this.#async('list', () => {
      const below = this.paths.filter((name) => name.startsWith(`${path}/`));
      return [...new Set(below.map((name) => name.slice(path.length + 1).split('/')[0] ?? ''))];
    });
  }

  readAll(path: string): Promise<Buffer> {
    return this.#async('readAll', () => Buffer.from(this.#of(path).seen));
  }

  read(path: string, offset: number, length: number): Promise<Buffer> {
    return this.#async('read', () => Buffer.from(this.#of(path).seen.subarray(offset, offset + length)));
  }

  remove(path: string): Promise<void> {
    return this.#async('remove', () => {
      this.#files.delete(path);
    });
  }

  removeFolder(path: string): Promise<void> {
    return this.#async('removeFolder', () => {
      if (this.paths.some((name) => name.startsWith(`${path}/`)))
        throw Object.assign(new Error('not empty'), { code: 'ENOTEMPTY' });
    });
  }

  rename(from: string, to: string): Promise<boolean> {
    return this.#async('rename', () => {
      const moved = this.paths.filter((name) => name.startsWith(`${from}/`));
      for (const name of moved) {
        this.#files.set(to + name.slice(from.length), this.#of(name));
        this.#files.delete(name);
      }
      return moved.length > 0;
    });
  }

  touch(): Promise<void> {
    return this.#async('touch', () => undefined);
  }

  touchedAt(): Promise<number | undefined> {
    return this.#async('touchedAt', () => undefined);
  }

  get #willFail(): boolean {
    if (this.failing === undefined) return false;
    const { from, count } = this.failing;
    return this.calls + 1 >= from && this.calls + 1 < from + count;
  }

  #call(name: string): void {
    const fails = this.#willFail;
    this.calls += 1;
    if (this.calls >= this.cutAtCall) throw new Error('power cut');
    if (!fails) return;
    this.failed.push(name);
    throw Object.assign(new Error(`${name} fails`), { code: this.failing?.code });
  }

  async #async<T>(name: string, work: () => T): Promise<T> {
    await Promise.resolve();
    this.#call(name);
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
