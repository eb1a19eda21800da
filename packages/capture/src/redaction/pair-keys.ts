/*
 * Lists of pairs say a name and its value apart: `{ "name": "password", "value": "…" }`.
 */

export type PairRole = 'name' | 'value';

const ROLES: ReadonlyMap<string, PairRole> = new Map([
  ...['name', 'Name', 'NAME', 'key', 'Key', 'KEY'].map((key) => [key, 'name'] as const),
  ...['value', 'Value', 'VALUE'].map((key) => [key, 'value'] as const),
]);

/** What a key says of a pair; `undefined` for all but a few. */
export function pairRole(key: string): PairRole | undefined {
  return ROLES.get(key);
}

/** What was seen of a pair in one object; positions include quotes. */
export interface Pair {
  readonly name?: Span;
  /** A value that came before its name. */
  readonly value?: Span;
  readonly valueKey?: Span;
}

export type Span = readonly [from: number, to: number];
