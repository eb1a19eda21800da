import type { StoredValue } from '../../driver';
import { checkOf, parseMembers } from './sealed-line';
import { readValue, valueMember } from './stored-text';

/** What is in the file of a value beside the value. */
export interface ValueHead {
  readonly partition: string;
  readonly key: string;
  readonly seq: number;
  /** Counts the writes of this file, and so tells which backup comes next. */
  readonly generation: number;
  readonly version: string;
  readonly expiresAt: number | undefined;
}

/*
 * One object of JSON in three lines: the checksum of the second; what the value is called, with the checksum of the
 * third; the value. So a start needs to read no values, and a damaged value is still known by its name.
 */
const BEGIN = '{"check":"';
const HEAD_AT = BEGIN.length + 8 + '",\n'.length;
const HEAD_END = ',\n';
/** Two names of 1,024 bytes, each of which takes six as "\u0000", and the rest. */
export const MAX_HEAD_BYTES = 16_384;

export function encodeValueFile(head: ValueHead, value: StoredValue): Buffer {
  const last = `${valueMember(value)}}\n`;
  const { expiresAt, ...others } = head;
  const members = { ...others, ...(expiresAt !== undefined && { expiresAt }), valueCheck: checkOf(last) };
  const line = JSON.stringify(members).slice(1, -1);
  return Buffer.from(`${BEGIN}${checkOf(line)}",\n${line}${HEAD_END}${last}`);
}

/** What stands where a value was lost, so that nothing older is taken for it. */
export function encodeLostValue(head: ValueHead, why: string): Buffer {
  const bytes = encodeValueFile(head, JSON.stringify(why));
  // Never what was written: nothing reads it as a value.
  return Buffer.concat([bytes.subarray(0, -2), Buffer.from(',"isLost":true}\n')]);
}

interface ReadHead extends ValueHead {
  readonly valueCheck: string;
  readonly valueAt: number;
}

/** From the first bytes of a file. */
export function readValueHead(bytes: Buffer): ReadHead | undefined {
  const end = bytes.indexOf(HEAD_END, HEAD_AT);
  if (end === -1) return undefined;
  const line = bytes.subarray(HEAD_AT, end);
  if (bytes.toString('latin1', 0, HEAD_AT) !== `${BEGIN}${checkOf(line)}",\n`) return undefined;
  const head = parseMembers(line);
  return head && ({ expiresAt: undefined, ...head, valueAt: end + HEAD_END.length } as unknown as ReadHead);
}

/** The whole file, or `undefined` when it is not what was written. */
export function decodeValueFile(
  bytes: Buffer,
): { readonly head: ValueHead; readonly value: StoredValue } | undefined {
  const head = readValueHead(bytes);
  if (head === undefined) return undefined;
  const last = bytes.subarray(head.valueAt);
  if (checkOf(last) !== head.valueCheck) return undefined;
  const value = valueOf(last);
  return value === undefined ? undefined : { head, value };
}

const VALUE_BEGIN = '"value":';

function valueOf(last: Buffer): StoredValue | undefined {
  // The text itself, without parsing it here and again above.
  if (last.toString('latin1', 0, VALUE_BEGIN.length) === VALUE_BEGIN)
    return last.toString('utf8', VALUE_BEGIN.length, last.length - '}\n'.length);
  const object = parseMembers(last.subarray(0, -'}\n'.length));
  return object && readValue(object);
}
