import { readFileSync } from 'node:fs';
import { findProgram } from '../../scripts/debian.mjs';
import { Unavailable } from './recorders/unavailable.mjs';

const taskset = findProgram('taskset');

/**
 * How the cores are shared out. `pinned`: the program, with all of its threads, has one core, and the load another.
 * `spare`: nothing is pinned, so that the program's threads find a second core where the load leaves it.
 *
 * @returns {{ server: string[], load: string[] }} what stands before their commands
 */
export function prefixesOf(layout) {
  if (layout === 'spare') return { server: [], load: [] };
  if (!taskset) throw new Unavailable('there is no taskset on this machine (package util-linux)');
  const [own, other] = allowedCores();
  if (other === undefined) throw new Unavailable('pinning needs two cores');
  return { server: [taskset, '-c', String(own)], load: [taskset, '-c', String(other)] };
}

/** The first cores that this process may use, which in a container need not begin with 0. */
function allowedCores() {
  const status = readFileSync('/proc/self/status', 'latin1');
  const [, list] = /^Cpus_allowed_list:\s*(.+)$/m.exec(status);
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return first === last ? [first] : [first, first + 1];
  });
}
