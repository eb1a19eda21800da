import { crc32 } from 'node:zlib';

/*
 * A line of a file: an object whose first member, "check", is the CRC-32 of the text of all the others. Raw line ends do
 * not occur within JSON as it is written here, so what is between two of them is a line.
 */
const BEGIN = '{"check":"';
export const LINE_BEGIN = BEGIN;
const HEX = 8;
const MEMBERS_AT = BEGIN.length + HEX + '",'.length;
export const LINE_END = 10;

export function checkOf(bytes: string | Uint8Array, before = 0): string {
  return crc32(bytes, before).toString(16).padStart(HEX, '0');
}

/** @param members of the object, without braces */
export function sealLine(members: string): string {
  return `${BEGIN}${checkOf(members)}",${members}}\n`;
}

/** The object of a line without its end; `undefined` when that is not what was written. */
export function unsealLine(line: Buffer): Readonly<Record<string, unknown>> | undefined {
  if (line.length <= MEMBERS_AT || line[line.length - 1] !== '}'.charCodeAt(0)) return undefined;
  const members = line.subarray(MEMBERS_AT, line.length - 1);
  if (line.toString('latin1', 0, MEMBERS_AT) !== `${BEGIN}${checkOf(members)}",`) return undefined;
  return parseMembers(members);
}

/** What checks out was written by this program, or by someone who takes the pains of a checksum. */
export function parseMembers(members: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(`{${members.toString()}}`) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
