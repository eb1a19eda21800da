import type { Slot, State } from './file-table';
import type { Change } from './journal-line';
import { recentOf, type Append } from './list-file';

/** What is under a key after a change that nothing speaks against. */
export function stateAfter(change: Change, seq: number, there: State | undefined): State | undefined {
  switch (change.type) {
    case 'delete':
      return undefined;
    case 'set': {
      const { version, expiresAt, value } = change;
      return { kind: 'value', seq, version, expiresAt, content: value };
    }
    case 'append': {
      const { version, at, values } = change;
      const list = there?.kind === 'list' && at > 0 ? there : undefined;
      const expiresAt = change.expiresAt ?? list?.expiresAt;
      const append: Append = { seq, at, version, expiresAt, values };
      return {
        ...{ kind: 'list', seq, version, expiresAt, id: list?.id ?? seq, length: at + values.length },
        recent: recentOf(list?.recent ?? [], [append]),
        appends: [...(list?.appends ?? []), append],
      };
    }
  }
}

/** Whether a change that is read again has its place there: an append needs the list that it was made upon. */
export function continues(change: Change, slot: Slot): boolean {
  if (change.type !== 'append' || change.at === 0) return true;
  return slot.state?.kind === 'list' && slot.state.length === change.at;
}

/** Whether it is the append that the list which is there ends with; a file cut within what one write became has less. */
export function makesLast(change: Change | undefined, { state }: Slot): boolean {
  if (change?.type !== 'append' || state?.kind !== 'list') return false;
  return state.length === change.at + change.values.length;
}
