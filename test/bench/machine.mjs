import { readFileSync, statfsSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import Database from 'better-sqlite3';
import { LOAD_PROGRAM } from './load/saturated.mjs';

const GIB = 1024 ** 3;
/** By their magic numbers; in memory, nothing waits for a disk. @see https://man7.org/linux/man-pages/man2/statfs.2.html */
const FILE_SYSTEMS = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'XFS'],
  [0x9123683e, 'Btrfs'],
  [0x794c7630, 'overlay'],
  [0x01021994, 'tmpfs, in memory'],
]);

/** What a reader has to know to compare figures: never a name of the machine or of who measured. */
export function describeMachine() {
  const cores = cpus();
  const model = cores[0]?.model.replace(/\s+/g, ' ').trim() ?? process.arch;
  const database = new Database(':memory:');
  const sqlite = database.prepare('SELECT sqlite_version()').pluck().get();
  database.close();
  return [
    `${cores.length} cores (${model}), ${Math.round(totalmem() / GIB)} GiB`,
    systemName(),
    `Node ${process.version}`,
    `SQLite ${sqlite}`,
    `files on ${FILE_SYSTEMS.get(statfsSync(tmpdir()).type) ?? 'another file system'}`,
    `load by ${LOAD_PROGRAM}`,
  ].join(', ');
}

function systemName() {
  try {
    const release = readFileSync('/etc/os-release', 'utf8');
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(release)?.[1] ?? process.platform;
  } catch (error) {
    if (error.code === 'ENOENT') return process.platform;
    throw error;
  }
}
