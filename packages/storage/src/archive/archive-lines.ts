import { createHash } from 'node:crypto';
import { isUint8Array } from 'node:util/types';
import type { Value } from '../backend';
import type { Piece } from '../copy/piece';
import type { JsonValue } from '../json-value';

/** The first line of every archive. A reader refuses a `form` that it does not know. */
export interface ArchiveHeader {
  readonly recapArchive: number;
  /** ISO 8601. */
  readonly createdAt: string;
  /** The name of the backend. */
  readonly source: string;
}

/** The last one: what came before it. */
export interface ArchiveFooter {
  readonly end: true;
  readonly values: number;
  readonly lists: number;
  readonly elements: number;
  /** Of all items, as that of a copy. */
  readonly digest: string;
}

export const ARCHIVE_FORM = 1;

/** A value, or an element of a list, as it stands in an archive. */
export type ArchivedValue = { readonly json: JsonValue } | { readonly bytes: string };

export type ArchivedPiece = {
  readonly partition: string;
  readonly key: string;
  readonly version: string;
  readonly expiresAt?: number;
} & (
  ArchivedValue | { readonly from: number; readonly list: readonly ArchivedValue[]; readonly isLast: boolean }
);

export function toArchived(piece: Piece): ArchivedPiece {
  const { partition, key, version, expiresAt } = piece;
  const head = { partition, key, version, ...(expiresAt === undefined ? {} : { expiresAt }) };
  if (piece.type === 'value') return { ...head, ...toArchivedValue(piece.value) };
  const { offset, values, isLast } = piece;
  return { ...head, from: offset, list: values.map(toArchivedValue), isLast };
}

export function fromArchived(archived: ArchivedPiece): Piece {
  const { partition, key, version, expiresAt } = archived;
  const head = { partition, key, version, ...(expiresAt === undefined ? {} : { expiresAt }) };
  if (!('list' in archived)) return { ...head, type: 'value', value: fromArchivedValue(archived) };
  const { from, list, isLast } = archived;
  return { ...head, type: 'list', offset: from, values: list.map(fromArchivedValue), isLast };
}

function toArchivedValue(value: Value): ArchivedValue {
  if (!isUint8Array(value)) return { json: value };
  return { bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
}

function fromArchivedValue(archived: ArchivedValue): Value {
  return 'bytes' in archived ? new Uint8Array(Buffer.from(archived.bytes, 'base64')) : archived.json;
}

/** Begins every line; its digits are of the line's own text and the sum of the line before. */
const SUM = /^\{"sum":"([0-9a-f]{32})",/;

/** Each line's sum goes into the next one's, so none can be changed, moved, doubled or left out unseen. */
export class LineSums {
  #last = '';

  get last(): string {
    return this.#last;
  }

  /** @param text of an object with at least one member */
  write(text: string): string {
    this.#last = this.#sumOf(text);
    return `{"sum":"${this.#last}",${text.slice(1)}\n`;
  }

  /** The object's text, or `undefined` for a line that is not what was written. */
  read(line: string): string | undefined {
    const [begin, sum] = SUM.exec(line) ?? [];
    if (begin === undefined) return undefined;
    const text = `{${line.slice(begin.length)}`;
    if (this.#sumOf(text) !== sum) return undefined;
    this.#last = sum;
    return text;
  }

  #sumOf(text: string): string {
    return createHash('sha256').update(this.#last).update(text).digest('hex').slice(0, 32);
  }
}
