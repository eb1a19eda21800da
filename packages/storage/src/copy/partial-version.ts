import { createHash } from 'node:crypto';

const FORM = /^recap-copying:([0-9a-f]{32}):(\d{1,15})$/;

/**
 * The version of a list of which only the first `count` elements have been copied. It says whose they are: a copy that
 * goes on after it was killed finds out by it what it has done, since no token is written in the same step.
 */
export function partialVersion(finalVersion: string, count: number): string {
  return `recap-copying:${hashOf(finalVersion)}:${count}`;
}

/** How far a copy of this list has come, or that it was a copy of something else; `undefined` for a list of others. */
export function readPartialVersion(
  version: string,
  finalVersion: string,
): { readonly count: number } | 'outdated' | undefined {
  const [, hash, count] = FORM.exec(version) ?? [];
  if (hash === undefined) return undefined;
  return hash === hashOf(finalVersion) ? { count: Number(count) } : 'outdated';
}

function hashOf(version: string): string {
  return createHash('sha256').update(version).digest('hex').slice(0, 32);
}
