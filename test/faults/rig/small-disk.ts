import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A folder on a disk that another program can fill, and free again. */
export interface SmallDisk {
  readonly kind: 'tmpfs' | 'limit';
  readonly folder: string;
  /** Leaves so much. */
  fill(pid: number | undefined, leftBytes?: number): void;
  free(pid: number | undefined): void;
}

const MIB = 1024 * 1024;
const mounted: string[] = [];

afterAll(() => {
  for (const folder of mounted.splice(0)) execFileSync('umount', ['-l', folder]);
});

/**
 * A file system of 16 MiB in memory, where this user may mount one. Elsewhere the host is forbidden by the kernel to make
 * any file larger than it is, which for it is a full disk as well.
 */
export function smallDisk(parent: string): SmallDisk {
  const folder = join(parent, 'small');
  mkdirSync(folder);
  const mayMount = process.env['RECAP_FAULTS_NO_TMPFS'] !== '1';
  const mount = ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder];
  if (mayMount && spawnSync('mount', mount, { stdio: 'ignore' }).status === 0) {
    mounted.push(folder);
    const ballast = join(folder, 'ballast');
    return {
      kind: 'tmpfs',
      folder,
      fill: (_pid, leftBytes = 0) => {
        const file = openSync(ballast, 'w');
        try {
          for (;;) {
            const { bavail, bsize } = statfsSync(folder);
            const bytes = Math.min(MIB, bavail * bsize - leftBytes);
            if (bytes <= 0 || writeSync(file, Buffer.alloc(bytes)) === 0) return;
          }
        } catch (error) {
          // The host was quicker to take the last page.
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        } finally {
          closeSync(file);
        }
      },
      free: () => rmSync(ballast),
    };
  }
  console.warn('No file system can be mounted here: the host’s files are limited instead (prlimit --fsize).');
  const limit = (pid: number | undefined, bytes: string): void => {
    execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`]);
  };
  return {
    kind: 'limit',
    folder,
    fill: (pid, leftBytes = 0) => limit(pid, String(leftBytes === 0 ? 0 : MIB)),
    free: (pid) => limit(pid, 'unlimited'),
  };
}
