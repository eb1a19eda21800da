import type { Address } from '../../backend';
import type { StoredValue } from '../../driver';
import { StorageError } from '../../errors';
import { checkOf, parseMembers, sealLine, unsealLine } from './sealed-line';
import { mostBytes, readValue, readValues, valueMember, valuesMembers } from './stored-text';

/** What a write does to one address, once it is decided that it does. */
export type Change = Address &
  (
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

/*
 * What happens together is one line, which is there or not. Where it goes is sealed apart from what goes there, so that of
 * a damaged line it is known which keys it was about.
 */
const BODY = ',"changes":[';

/** Far below the longest text that there can be, as a line is read again as one. */
const MAX_LINE_BYTES = 256 * 2 ** 20;

/** @throws {StorageError} `VALUE_TOO_LARGE` */
export function encodeChanges(seq: number, changes: readonly Change[]): Buffer {
  const bytes = changes.flatMap(contentOf).reduce((sum, value) => sum + mostBytes(value), 0);
  if (bytes > MAX_LINE_BYTES)
    throw new StorageError(
      'VALUE_TOO_LARGE',
      `What is written together is ${bytes} bytes, more than the ${MAX_LINE_BYTES} that the journal takes at once. Write it in parts.`,
    );
  const of = changes.map(({ partition, key }) => [partition, key]);
  const body = `${changes.map(encodeChange).join(',')}]}\n`;
  const head = `"seq":${seq},"of":${JSON.stringify(of)},"bodyCheck":"${checkOf(body)}"`;
  return Buffer.from(`${sealLine(head).slice(0, -LINE_ENDING.length)}${BODY}${body}`);
}

function contentOf(change: Change): readonly StoredValue[] {
  if (change.type === 'delete') return [];
  return change.type === 'set' ? [change.value] : change.values;
}

const LINE_ENDING = '}\n';

function encodeChange(change: Change): string {
  const head = `{"type":"${change.type}"`;
  if (change.type === 'delete') return `${head}}`;
  const { version, expiresAt } = change;
  const expiry = expiresAt === undefined ? '' : `,"expiresAt":${expiresAt}`;
  const content =
    change.type === 'set' ? valueMember(change.value) : `"at":${change.at},${valuesMembers(change.values)}`;
  return `${head},"version":${JSON.stringify(version)}${expiry},${content}}`;
}

export interface JournalLine {
  readonly seq: number;
  readonly of: readonly Address[];
  /** Absent: they are damaged. */
  readonly changes: readonly Change[] | undefined;
}

/** @param line with its end */
export function decodeChanges(line: Buffer): JournalLine | undefined {
  // Within a text its quotes would be escaped.
  const bodyAt = line.indexOf(BODY);
  if (bodyAt === -1) return undefined;
  const head = unsealLine(Buffer.concat([line.subarray(0, bodyAt), CLOSED]));
  if (head === undefined) return undefined;
  const { seq, of: names, bodyCheck } = head as { seq: number; of: [string, string][]; bodyCheck: string };
  const of = names.map(([partition, key]) => ({ partition, key }));
  const body = line.subarray(bodyAt + BODY.length);
  const read = checkOf(body) === bodyCheck ? parseMembers(changesOf(body)) : undefined;
  const changes = read?.['changes'] as Readonly<Record<string, unknown>>[] | undefined;
  return { seq, of, changes: changes?.map((change, index) => decodeChange(change, of[index]!)) };
}

const CLOSED = Buffer.from('}');

function changesOf(body: Buffer): Buffer {
  return Buffer.concat([Buffer.from('"changes":['), body.subarray(0, -LINE_ENDING.length)]);
}

function decodeChange(change: Readonly<Record<string, unknown>>, address: Address): Change {
  const values = change['type'] === 'set' ? { value: readValue(change) } : { values: readValues(change) };
  const content = change['type'] === 'delete' ? {} : { expiresAt: undefined, ...change, ...values };
  return { type: change['type'], ...content, ...address } as Change;
}
