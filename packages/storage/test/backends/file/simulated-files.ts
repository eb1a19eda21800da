import { constants } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { EntryKind, FileSystem, FolderEntry, OpenFile } from '../../../src/backends/file/file-system';

interface SimulatedFile {
  readonly kind: 'file';
  /** What programs see. */
  seen: Buffer;
  /** What is on the disk for sure. */
  synced: Buffer;
}

interface SimulatedFolder {
  readonly kind: 'folder';
  readonly entries: Map<string, Node>;
  synced: Map<string, Node>;
}

interface SimulatedLink {
  readonly kind: 'link';
}

type Node = SimulatedFile | SimulatedFolder | SimulatedLink;

/** What a power cut leaves of what was not synced: of names, and of what is in files. */
export interface Cut {
  readonly keepsNames: boolean;
  readonly keepsContent: boolean;
}

const MAX_BYTES = Number.MAX_SAFE_INTEGER;

/** A disk in memory, whose calls are counted and can fail, and that can lose its power. */
export class SimulatedFiles implements FileSystem {
  #root: SimulatedFolder = newFolder();
  calls = 0;
  /** Names of calls, in their order. */
  readonly trace: string[] = [];
  /** Paths that were opened, or given to a call. */
  readonly paths = new Set<string>();
  /** Calls of these numbers fail with this code, once each or from the first one on. */
  failing: { readonly from: number; readonly count: number; readonly code: string } | undefined;
  failed = 0;
  /** Bytes that the disk still takes. */
  room = MAX_BYTES;

  /** The disk as the next start finds it. */
  afterCut(cut: Cut): SimulatedFiles {
    const left = new SimulatedFiles();
    left.#root = copyFolder(this.#root, cut);
    return left;
  }

  /** Everything that is in files. */
  files(): Map<string, Buffer> {
    const found = new Map<string, Buffer>();
    const open: [string, SimulatedFolder][] = [['', this.#root]];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [path, folder] = next;
      for (const [name, node] of folder.entries) {
        if (node.kind === 'folder') open.push([`${path}/${name}`, node]);
        else if (node.kind === 'file') found.set(`${path}/${name}`, node.seen);
      }
    }
    return found;
  }

  damage(path: string, bytes: Buffer): void {
    const { entries } = this.#folder(dirname(path));
    entries.set(basename(path), { kind: 'file', seen: bytes, synced: bytes });
  }

  unlinkNow(path: string): void {
    this.#folder(dirname(path)).entries.delete(basename(path));
  }

  linkSymbolically(path: string): void {
    this.#folder(dirname(path)).entries.set(basename(path), { kind: 'link' });
  }

  async open(path: string, flags: number): Promise<OpenFile> {
    await this.#call('open', path);
    if (path === '/') return this.#opened(this.#root, path);
    const folder = this.#folder(dirname(path));
    const name = basename(path);
    const there = folder.entries.get(name);
    if ((flags & constants.O_EXCL) !== 0) {
      if (there !== undefined) throw failure('EEXIST', path);
      const file: SimulatedFile = { kind: 'file', seen: Buffer.alloc(0), synced: Buffer.alloc(0) };
      folder.entries.set(name, file);
      return this.#opened(file, path);
    }
    if (there === undefined) throw failure('ENOENT', path);
    if (there.kind === 'link') throw failure('ELOOP', path);
    return this.#opened(there, path);
  }

  async list(path: string): Promise<readonly FolderEntry[]> {
    await this.#call('list', path);
    return [...this.#folder(path).entries].map(([name, { kind }]) => ({ name, kind }));
  }

  async kindOf(path: string): Promise<EntryKind> {
    await this.#call('kindOf', path);
    return this.#node(path).kind;
  }

  async realPath(path: string): Promise<string> {
    await this.#call('realPath', path);
    return path;
  }

  async makeFolder(path: string): Promise<void> {
    await this.#call('makeFolder', path);
    const { entries } = this.#folder(dirname(path));
    if (entries.has(basename(path))) throw failure('EEXIST', path);
    entries.set(basename(path), newFolder());
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#call('rename', from);
    this.paths.add(to);
    const node = this.#node(from);
    this.#folder(dirname(to)).entries.set(basename(to), node);
    this.#folder(dirname(from)).entries.delete(basename(from));
  }

  async link(from: string, to: string): Promise<void> {
    await this.#call('link', from);
    this.paths.add(to);
    const { entries } = this.#folder(dirname(to));
    if (entries.has(basename(to))) throw failure('EEXIST', to);
    entries.set(basename(to), this.#node(from));
  }

  async remove(path: string): Promise<void> {
    await this.#call('remove', path);
    this.#node(path);
    this.#folder(dirname(path)).entries.delete(basename(path));
  }

  async removeFolder(path: string): Promise<void> {
    await this.#call('removeFolder', path);
    if (this.#folder(path).entries.size > 0) throw failure('ENOTEMPTY', path);
    this.#folder(dirname(path)).entries.delete(basename(path));
  }

  async writtenAt(path: string): Promise<number> {
    await this.#call('writtenAt', path);
    this.#node(path);
    return 0;
  }

  async touch(path: string): Promise<void> {
    await this.#call('touch', path);
    this.#node(path);
  }

  #opened(node: SimulatedFile | SimulatedFolder, path: string): OpenFile {
    const file = node as SimulatedFile;
    const sync = async (name: string): Promise<void> => {
      await this.#call(name, path);
      if (node.kind === 'folder') node.synced = new Map(node.entries);
      else node.synced = Buffer.from(node.seen);
    };
    return {
      read: async (buffer, offset, length, position) => {
        await this.#call('read', path);
        const bytes = file.seen.subarray(position, position + length);
        buffer.set(bytes, offset);
        return { bytesRead: bytes.length };
      },
      write: async (buffer, offset, length, position) => {
        const problem = await this.#call('write', path).catch((error: unknown) => error as Error);
        // A part may have been written when it failed.
        const taken = Math.min(problem === undefined ? length : length >> 1, this.room);
        this.room -= taken;
        const next = Buffer.alloc(Math.max(file.seen.length, position + taken));
        file.seen.copy(next);
        next.set(buffer.subarray(offset, offset + taken), position);
        file.seen = next;
        if (problem instanceof Error) throw problem;
        if (this.room === 0) throw failure('ENOSPC', path);
        return { bytesWritten: length };
      },
      truncate: async (length) => {
        await this.#call('truncate', path);
        file.seen = file.seen.subarray(0, length);
      },
      chmod: () => this.#call('chmod', path),
      stat: async () => {
        await this.#call('stat', path);
        return { size: file.seen.length };
      },
      datasync: () => sync('datasync'),
      sync: () => sync('sync'),
      close: () => this.#call('close', path),
    };
  }

  async #call(name: string, path: string): Promise<void> {
    await Promise.resolve();
    this.calls += 1;
    this.trace.push(name);
    this.paths.add(path);
    const { failing } = this;
    if (failing === undefined || this.calls < failing.from || this.calls >= failing.from + failing.count)
      return;
    this.failed += 1;
    throw failure(failing.code, path);
  }

  #folder(path: string): SimulatedFolder {
    const node = this.#node(path);
    if (node.kind !== 'folder') throw failure('ENOTDIR', path);
    return node;
  }

  #node(path: string): Node {
    let node: Node = this.#root;
    for (const name of path.split('/').filter((part) => part !== '')) {
      const next: Node | undefined = node.kind === 'folder' ? node.entries.get(name) : undefined;
      if (next === undefined) throw failure('ENOENT', path);
      node = next;
    }
    return node;
  }
}

function newFolder(): SimulatedFolder {
  return { kind: 'folder', entries: new Map(), synced: new Map() };
}

function copyFolder(folder: SimulatedFolder, cut: Cut): SimulatedFolder {
  const entries = new Map<string, Node>();
  for (const [name, node] of cut.keepsNames ? folder.entries : folder.synced) {
    if (node.kind === 'folder') entries.set(name, copyFolder(node, cut));
    else if (node.kind === 'link') entries.set(name, node);
    else {
      const bytes = Buffer.from(cut.keepsContent ? node.seen : node.synced);
      entries.set(name, { kind: 'file', seen: bytes, synced: bytes });
    }
  }
  return { kind: 'folder', entries, synced: new Map(entries) };
}

function failure(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated, ${path}`), { code });
}
