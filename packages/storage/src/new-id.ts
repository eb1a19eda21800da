import { v7 } from 'uuid';

/**
 * A new UUID version 7: its text sorts by time of creation, so an index on it grows at one end.
 *
 * @see RFC 9562, section 5.7
 */
export function newId(): string {
  return v7();
}
