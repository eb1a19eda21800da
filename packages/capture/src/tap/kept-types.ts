import picomatch from 'picomatch';
import { mediaType } from '../body-kind';

const matchers = new Map<string, (type: string) => boolean>();

/** Whether a program allowed bodies of this type: `patterns` are media types, with `*` for a part (`image/*`). */
export function isKeptType(contentType: string | undefined, patterns: readonly string[]): boolean {
  const type = mediaType(contentType);
  return patterns.some((pattern) => {
    let matches = matchers.get(pattern);
    if (matches === undefined) {
      matches = picomatch(pattern, { nocase: true, dot: true });
      // Patterns come from the program's options, so there are few of them.
      matchers.set(pattern, matches);
    }
    return matches(type);
  });
}
