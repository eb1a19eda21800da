import { checkName, checkText, checkVersion } from '../check-arguments';
import type { Piece } from '../copy/piece';
import { errorCode } from '../errors';
import { fromArchived, type ArchivedPiece, type ArchiveHeader } from './archive-lines';

/** A line's object, or `undefined` for what is no JSON. Whoever makes an archive can make its sums too. */
export function readObject(text: string): object | undefined {
  try {
    return JSON.parse(text) as object;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function isHeader(read: object): read is ArchiveHeader {
  const { recapArchive, createdAt, source } = read as Record<keyof ArchiveHeader, unknown>;
  return typeof recapArchive === 'number' && typeof createdAt === 'string' && typeof source === 'string';
}

/** The piece that a line holds, or `undefined` for what no backend could have held. */
export function readPiece(read: object): Piece | undefined {
  return isPiece(read) ? fromArchived(read) : undefined;
}

type Unchecked = Readonly<Record<string, unknown>>;

function isPiece(read: object): read is ArchivedPiece {
  const { partition, key, version, expiresAt, from, list, isLast } = read as Unchecked;
  if (typeof partition !== 'string' || typeof version !== 'string') return false;
  try {
    // What is left of it without a prefix may be nothing.
    checkText(partition, 'partition');
    checkName(key, 'key');
    checkVersion(version, 'version');
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  }
  if (expiresAt !== undefined && !Number.isSafeInteger(expiresAt)) return false;
  if (list === undefined) return isValue(read);
  if (!Number.isSafeInteger(from) || (from as number) < 0 || typeof isLast !== 'boolean') return false;
  return Array.isArray(list) && list.length > 0 && list.every(isValue);
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function isValue(read: unknown): boolean {
  if (typeof read !== 'object' || read === null) return false;
  const { json, bytes } = read as Unchecked;
  return bytes === undefined ? json !== undefined : typeof bytes === 'string' && BASE64.test(bytes);
}
