import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/*
 * Who a folder belongs to stands in its name: process id, start of the process, machine, and a random part for
 * each recorder. So taking one over is one rename, which only one of several can win.
 */
const TOKEN = /^(\d+)-(\d+)-([0-9a-f]{12})-[0-9a-f]{8}(~\d+)?$/;

/** `unknown`: it may be another machine's, or another container's on the same disk. */
export type OwnerState = 'alive' | 'dead' | 'unknown';

export function newOwnerToken(): string {
  return `${process.pid}-${startOf(process.pid) ?? 0}-${machine()}-${randomBytes(4).toString('hex')}`;
}

/** Whether the process of that folder's name is still there; `undefined` for a name that is no owner's. */
export function ownerState(name: string): OwnerState | undefined {
  if (name.startsWith(RELEASED)) return 'dead';
  const [, pid, start, where] = TOKEN.exec(name) ?? [];
  if (pid === undefined || start === undefined) return undefined;
  if (where !== machine()) return 'unknown';
  if (!isRunning(Number(pid))) return 'dead';
  // A number is given again; another start tells another process.
  return startOf(Number(pid)) === start || start === '0' ? 'alive' : 'dead';
}

const RELEASED = 'left-';

/** A name for what a process leaves behind that goes on without it. */
export function releasedName(): string {
  return RELEASED + randomBytes(8).toString('hex');
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** In clock ticks since the machine started; known on Linux only. @see proc_pid_stat(5), field 22 */
function startOf(pid: number): string | undefined {
  const text = read(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  // The second field is the program's name in brackets, which may hold blanks and brackets itself.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}

let known: string | undefined;

/** Differs where process ids mean other processes: after a start of the machine, and in another container. */
function machine(): string {
  known ??= createHash('sha256')
    .update(
      JSON.stringify([
        read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')) ?? hostname(),
        read(() => readlinkSync('/proc/self/ns/pid')) ?? '',
      ]),
    )
    .digest('hex')
    .slice(0, 12);
  return known;
}

function read(work: () => string): string | undefined {
  try {
    return work();
  } catch {
    // Not on Linux, or the process is gone.
    return undefined;
  }
}
