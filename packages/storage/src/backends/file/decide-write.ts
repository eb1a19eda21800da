import type { DriverWrite, Verdict } from '../../driver';
import type { State } from './file-table';
import type { Change } from './journal-line';

/** What a write means where `there` is visible: its verdict, and the change that it makes if it makes one. */
export interface Decision {
  readonly verdict: Verdict;
  readonly change?: Change;
}

/** @throws what is wrong with something damaged, where the write depends on it */
export function decideWrite(write: DriverWrite, there: State | undefined): Decision {
  const { partition, key } = write;
  switch (write.type) {
    case 'delete':
      if (there === undefined) return { verdict: { status: 'missing' } };
      if (write.ifVersion !== undefined && versionOf(there) !== write.ifVersion)
        return { verdict: { status: 'conflict' } };
      return { verdict: { status: 'deleted' }, change: { type: 'delete', partition, key } };
    case 'set': {
      const { version, expiresAt, value } = write;
      if (there?.version === version) return { verdict: { status: 'written' } };
      if (write.ifAbsent && there !== undefined) return { verdict: { status: 'exists' } };
      if (write.ifVersion !== undefined && (there === undefined || versionOf(there) !== write.ifVersion))
        return { verdict: { status: 'conflict' } };
      const change: Change = { type: 'set', partition, key, version, expiresAt, value };
      return { verdict: { status: 'written' }, change };
    }
    case 'append': {
      const { version, expiresAt, values } = write;
      if (there?.kind === 'damaged') throw there.error;
      if (there?.kind === 'value') return { verdict: { status: 'wrong-type' } };
      const at = there?.length ?? 0;
      if (there?.recent.includes(version)) return { verdict: { status: 'written', length: at } };
      const change: Change = { type: 'append', partition, key, version, expiresAt, at, values };
      return { verdict: { status: 'written', length: at + values.length }, change };
    }
  }
}

function versionOf(state: State): string {
  if (state.kind === 'damaged') throw state.error;
  return state.version;
}
