import type { Position } from '../entries/entry-store';
import { QueryError } from './query-error';

const MAX_INSTANT = 8.64e15;
const MAX_ID_LENGTH = 128;

/** The opaque form of a position in a list. It holds nothing else: owner and filters are applied afresh. */
export function encodeCursor({ at, id }: Position): string {
  return Buffer.from(JSON.stringify([at, id])).toString('base64url');
}

/** @throws {QueryError} `CURSOR_INVALID` for anything that {@link encodeCursor} did not make. */
export function decodeCursor(cursor: string): Position {
  const position = parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  // Decoding forgives foreign characters; only the exact form is accepted.
  if (position === undefined || encodeCursor(position) !== cursor) {
    throw new QueryError(
      'CURSOR_INVALID',
      'The cursor is none that a list returned. Send it as it came, or leave it out to begin at the start.',
      { fields: [{ field: 'cursor', message: 'is not a cursor that a list returned' }] },
    );
  }
  return position;
}

function parse(text: string): Position | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [at, id] = value as unknown[];
  if (typeof at !== 'number' || !(Math.abs(at) <= MAX_INSTANT)) return undefined;
  if (typeof id !== 'string' || id === '' || id.length > MAX_ID_LENGTH) return undefined;
  return { at, id };
}
