import type { SetWrite, StoredValue } from '../../driver';

/** Of what goes in one statement with others. */
const MOST_BYTES = 4 * 2 ** 20;

export function fitInOne(values: readonly StoredValue[]): boolean {
  return values.length === 1 || values.reduce((sum, { length }) => sum + length, 0) <= MOST_BYTES;
}

/** As many as fit into one statement: a text of all of them may be longer than text can be. */
export function groupsOf(writes: readonly SetWrite[]): readonly (readonly SetWrite[])[] {
  const groups: SetWrite[][] = [];
  let room = 0;
  for (const write of writes) {
    room -= write.value.length;
    if (room < 0 || groups.length === 0) {
      groups.push([]);
      room = MOST_BYTES - write.value.length;
    }
    groups.at(-1)!.push(write);
  }
  return groups;
}
