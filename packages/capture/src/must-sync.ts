import type { RecorderOptions } from './recorder/recorder-options';
import type { DatabaseTarget } from './typeorm';

/**
 * Whether each commit has to be synced. What is committed is taken off the spool's disk, so with `spooled` too a
 * commit must not go with the power; how a PostgreSQL server is set is its owner's word then.
 */
export function mustSync(durability: RecorderOptions['durability'], target: DatabaseTarget): boolean {
  if (durability === 'strict') return true;
  return durability === 'spooled' && target.dialect === 'sqlite' && target.path !== ':memory:';
}
