import type { StoredValue } from '../../driver';
import { LINE_END, sealLine, unsealLine } from './sealed-line';
import { readValues, valuesMembers } from './stored-text';

/** How many appends a list remembers, so as to know one that comes again. */
export const RECENT = 8;

/** One append, as it is kept. */
export interface Append {
  readonly seq: number;
  /** How many elements were there before. */
  readonly at: number;
  readonly version: string;
  /** Of the whole list from then on. */
  readonly expiresAt: number | undefined;
  readonly values: readonly StoredValue[];
}

export interface ListHead {
  readonly partition: string;
  readonly key: string;
  /** Tells it from lists that were there before: the number of the write that began it. */
  readonly id: number;
  readonly generation: number;
  /** Versions of appends that have become one line, the last first. */
  readonly recent: readonly string[];
}

/** A line of a list's file, some in every so many bytes, so that elements are found without reading all before them. */
export interface ListMark {
  /** How many elements are before it. */
  readonly at: number;
  readonly offset: number;
}

const MARK_BYTES = 2 ** 16;

/** Marks a line if it is far enough behind the last one. The first mark is that of the first line. */
export function markLine(marks: ListMark[], at: number, offset: number): void {
  const last = marks.at(-1);
  if (last === undefined || offset - last.offset >= MARK_BYTES) marks.push({ at, offset });
}

/** The whole of a list's file. */
export interface ReadList {
  readonly head: ListHead;
  readonly appends: readonly Append[];
  readonly values: readonly StoredValue[];
  readonly marks: readonly ListMark[];
  /** Where the next line goes, in place of the last one. */
  readonly endAt: number;
  /** It has the last line, which says how long the list is. */
  readonly isWhole: boolean;
  /** What that line says, where it is sound. */
  readonly toldLength: number | undefined;
}

/*
 * A file of lines: the head, each append, and an end that says how many elements there are. What is appended goes over the
 * end, with a new one, so that a file that lost lines at its end is not taken for a shorter list.
 */
export function encodeListHead(head: ListHead): string {
  return sealLine(JSON.stringify(head).slice(1, -1));
}

export function encodeAppend({ seq, at, version, expiresAt, values }: Append): string {
  const members = JSON.stringify({ seq, at, version, ...(expiresAt !== undefined && { expiresAt }) });
  return sealLine(`${members.slice(1, -1)},${valuesMembers(values)}`);
}

export function encodeListEnd(length: number): string {
  return sealLine(`"length":${length}`);
}

/** `undefined` when the head is not what was written; else everything up to the first damage. */
export function decodeListFile(bytes: Buffer): ReadList | undefined {
  const appends: Append[] = [];
  const values: StoredValue[] = [];
  const marks: ListMark[] = [];
  let head: ListHead | undefined;
  let isWhole = false;
  let at = 0;
  for (let end = bytes.indexOf(LINE_END); end !== -1; end = bytes.indexOf(LINE_END, at)) {
    const line = unsealLine(bytes.subarray(at, end));
    if (line === undefined) break;
    if (head === undefined) {
      head = headOf(line);
      if (head === undefined) return undefined;
    } else if ('length' in line) {
      isWhole = line['length'] === values.length && end + 1 === bytes.length;
      break;
    } else {
      const elements = elementsOfLine(line, values.length);
      if (elements === undefined) break;
      markLine(marks, values.length, at);
      appends.push({ expiresAt: undefined, ...line, values: elements } as unknown as Append);
      for (const element of elements) values.push(element);
    }
    at = end + 1;
  }
  const toldLength = isWhole ? values.length : lengthAtEnd(bytes);
  return head && { head, appends, values, marks, endAt: at, isWhole, toldLength };
}

/** @param bytes of the first line, with its end */
export function decodeListHead(bytes: Buffer): ListHead | undefined {
  const line = bytes.at(-1) === LINE_END ? unsealLine(bytes.subarray(0, -1)) : undefined;
  return line && headOf(line);
}

function headOf(line: Readonly<Record<string, unknown>>): ListHead | undefined {
  return 'id' in line ? (line as unknown as ListHead) : undefined;
}

/**
 * The elements of some lines that follow each other; `undefined` when they are not what was written.
 *
 * @param from how many elements are before them
 */
export function decodeListLines(bytes: Buffer, from: number): StoredValue[] | undefined {
  const values: StoredValue[] = [];
  let at = 0;
  for (let end = bytes.indexOf(LINE_END); end !== -1; end = bytes.indexOf(LINE_END, at)) {
    const line = unsealLine(bytes.subarray(at, end));
    const elements = line && elementsOfLine(line, from + values.length);
    if (elements === undefined) return undefined;
    for (const element of elements) values.push(element);
    at = end + 1;
  }
  return at === bytes.length ? values : undefined;
}

function elementsOfLine(line: Readonly<Record<string, unknown>>, at: number): StoredValue[] | undefined {
  return line['at'] === at ? readValues(line) : undefined;
}

function lengthAtEnd(bytes: Buffer): number | undefined {
  if (bytes[bytes.length - 1] !== LINE_END) return undefined;
  const line = unsealLine(bytes.subarray(bytes.lastIndexOf(LINE_END, bytes.length - 2) + 1, -1));
  return line !== undefined && 'length' in line ? Number(line['length']) : undefined;
}

export function recentOf(recent: readonly string[], appends: readonly Append[]): readonly string[] {
  const versions = appends.map(({ version }) => version).filter((version) => version !== '');
  const added = versions.slice(-RECENT);
  return [...added.reverse(), ...recent].slice(0, RECENT);
}
