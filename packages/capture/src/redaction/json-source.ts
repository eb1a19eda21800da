import type { OnHidden, RedactionContext } from './redaction-context';

/** JSON as bytes, and the same bytes as a string of one character each. */
export interface JsonSource {
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly from: number;
  readonly to: number;
  /** True when nothing can follow the last byte, so that a number there is whole. */
  readonly isEnded: boolean;
  /** How many strings this JSON is within. */
  readonly level: number;
  /** Path of the whole. */
  readonly base: string;
  readonly context: RedactionContext;
  readonly onHidden: OnHidden;
  /** Whether a string without marks may hold a secret by shape, when that is known already. */
  readonly mayHoldUnmarked: boolean | undefined;
}

export interface JsonOutcome {
  /** `unfinished`: right so far, but its end is missing. `invalid`: no JSON from some point on. */
  readonly state: 'complete' | 'unfinished' | 'invalid';
  /** The redacted text up to the last complete token, one character for each byte. */
  readonly text: string;
  readonly isChanged: boolean;
}

/** Where the text begins after a byte order mark. */
export function afterBom(bytes: Uint8Array, from: number): number {
  const isBom = bytes[from] === 0xef && bytes[from + 1] === 0xbb && bytes[from + 2] === 0xbf;
  return isBom ? from + 3 : from;
}
