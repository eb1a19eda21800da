import type { ValueShapes } from './value-shapes';

const MAX_PATH_LENGTH = 256;
const PLAIN_KEY = /^[^.[\]"\s\p{Cc}]+$/u;
const UNFIT_FOR_STORING = /[\p{Cc}\p{Surrogate}]/gu;

/** Paths that the program named itself. */
export interface PathRules {
  readonly isEmpty: boolean;
  /** Whether the place with this path is to be hidden. */
  hides(path: string): boolean;
}

/** @param rules written as paths are reported; `[]` stands for any element */
export function createPathRules(rules: readonly string[] = []): PathRules {
  const patterns = rules.map((rule) => rule.split('[]').map(escapePattern).join('\\[\\d+\\]'));
  const pattern = patterns.length === 0 ? undefined : new RegExp(`^(?:${patterns.join('|')})$`);
  return {
    isEmpty: pattern === undefined,
    hides: (path) => pattern !== undefined && pattern.test(path),
  };
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** The part of a path that a key adds: `.name`, or `["odd name"]` when it would be taken for more than one part. */
export function keySegment(key: string): string {
  return PLAIN_KEY.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/** The path as it may be stored: at most 256 characters, well-formed, without secrets by shape. */
export function presentPath(path: string, shapes: ValueShapes): string {
  // Hidden before it is cut, since half a secret has no shape any more.
  const shown = shapes.hide(path).replace(UNFIT_FOR_STORING, '\ufffd');
  return shown.length <= MAX_PATH_LENGTH
    ? shown
    : `${shown.slice(0, MAX_PATH_LENGTH - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
