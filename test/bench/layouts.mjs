import { availableParallelism } from 'node:os';
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
  if (availableParallelism() < 2) throw new Unavailable('pinning needs two cores');
  return { server: [taskset, '-c', '0'], load: [taskset, '-c', '1'] };
}
