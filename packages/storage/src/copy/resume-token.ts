import { createHash } from 'node:crypto';
import { StorageError } from '../errors';
import type { Sample } from './copied-samples';
import type { CopyCounts } from './copy-counts';
import type { Position } from './piece-source';

/** Where a copy stopped. */
export interface ResumePoint {
  readonly position: Position;
  readonly counts: CopyCounts;
  readonly samples: readonly Sample[];
}

const FORM = 2;

/** @param ends what tells this copy from others */
export function writeToken(ends: readonly string[], { position, counts, samples }: ResumePoint): string {
  const text = JSON.stringify([FORM, ends, position.partition, position.key, counts, samples]);
  return `${Buffer.from(text).toString('base64url')}.${checksum(text)}`;
}

/** @throws {StorageError} `ARGUMENT_INVALID` for what is no token, or that of another copy */
export function readToken(ends: readonly string[], token: string): ResumePoint {
  const read = tryToken(ends, token);
  if ('problem' in read) throw invalidToken(read.problem);
  return read;
}

/** Where a token goes on, or what is wrong with it, in words. */
export function tryToken(ends: readonly string[], token: string): ResumePoint | { readonly problem: string } {
  const [encoded = '', sum] = token.trim().split('.');
  const text = Buffer.from(encoded, 'base64url').toString();
  if (sum !== checksum(text)) return { problem: 'is none, or is damaged' };
  // What has its checksum has been written by `writeToken`, if by another release of it.
  const [form, of, partition, key, counts, samples] = JSON.parse(text) as [
    number,
    readonly string[],
    string,
    string,
    CopyCounts,
    readonly Sample[],
  ];
  if (form !== FORM) return { problem: 'was written by another release' };
  if (JSON.stringify(of) !== JSON.stringify(ends))
    return { problem: `is of another copy (${of.join(', ')}), not of this one (${ends.join(', ')})` };
  return { position: { partition, key }, counts, samples };
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

export function invalidToken(why: string): StorageError {
  return new StorageError('ARGUMENT_INVALID', `The token to resume from ${why}. Begin anew without it.`);
}
