import type { StoredValue } from '../../driver';
import { sealLine } from './sealed-line';
import { readValue, readValues, valueMember, valuesMembers } from './stored-text';

/** What a write does to one address, once it is decided that it does. */
export type Change = { readonly partition: string; readonly key: string } & (
  | {
      readonly type: 'set';
      readonly version: string;
      readonly expiresAt: number | undefined;
      readonly value: StoredValue;
    }
  | {
      readonly type: 'append';
      readonly version: string;
      readonly expiresAt: number | undefined;
      readonly at: number;
      readonly values: readonly StoredValue[];
    }
  | { readonly type: 'delete' }
);

/** A segment's first line: what is in segments before it counts up to `after`. */
export function encodeSegmentHead(number: number, after: number): string {
  return sealLine(`"segment":${number},"after":${after}`);
}

/** What happens together is one line, which is there or not. */
export function encodeChanges(seq: number, changes: readonly Change[]): string {
  return sealLine(`"seq":${seq},"changes":[${changes.map(encodeChange).join(',')}]`);
}

function encodeChange(change: Change): string {
  const head = `{"type":"${change.type}","partition":${JSON.stringify(change.partition)},"key":${JSON.stringify(change.key)}`;
  if (change.type === 'delete') return `${head}}`;
  const { version, expiresAt } = change;
  const expiry = expiresAt === undefined ? '' : `,"expiresAt":${expiresAt}`;
  const content =
    change.type === 'set' ? valueMember(change.value) : `"at":${change.at},${valuesMembers(change.values)}`;
  return `${head},"version":${JSON.stringify(version)}${expiry},${content}}`;
}

export function decodeChanges(line: Readonly<Record<string, unknown>>): Change[] {
  const { changes } = line;
  if (!Array.isArray(changes)) return [];
  return changes.map((change: Readonly<Record<string, unknown>>) => {
    if (change['type'] === 'set')
      return { expiresAt: undefined, ...change, value: readValue(change) } as Change;
    if (change['type'] === 'append')
      return { expiresAt: undefined, ...change, values: readValues(change) } as unknown as Change;
    return change as unknown as Change;
  });
}
