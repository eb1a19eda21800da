import type { ConfigProblem } from '../options/config-problem';
import { isRecord } from './map-texts';
import { foreignProblems } from './foreign-settings';
import { resolveBackend } from './resolve-backend';
import { resolveFallback } from './resolve-fallback';
import type { ResolvedHalf, ResolvedStorage, Role } from './resolved-config';
import { unknownSettings, wholeNumber } from '../options/setting-schemas';
import { zodProblems } from '../options/zod-problems';

const NAMES = ['cache', 'database', 'slowOperationMs'];
/** An hour: longer than any time-out that can be set. */
const slowOperationMs = wholeNumber(0, 3_600_000).optional();

/** Every default filled in, or everything that is wrong. References to the environment have been replaced before. */
export function resolveConfig(
  given: unknown,
): { readonly config: ResolvedStorage } | { readonly problems: readonly ConfigProblem[] } {
  if (!isRecord(given)) {
    return { problems: [{ path: [], message: 'has to be an object with "cache" and "database"' }] };
  }
  const problems: ConfigProblem[] = [];
  const unknown = Object.keys(given).filter((name) => !NAMES.includes(name));
  if (unknown.length > 0) {
    problems.push({ path: [], message: rootProblem(unknown) });
    problems.push(...foreignProblems(unknown, []));
  }
  const cache = resolveHalf(given['cache'], 'cache', problems);
  const database = resolveHalf(given['database'], 'database', problems);
  if (given['cache'] === undefined && given['database'] === undefined) {
    problems.push({ path: [], message: 'has neither "cache" nor "database"' });
  }
  const slow = slowOperationMs.safeParse(given['slowOperationMs']);
  if (!slow.success) problems.push(...zodProblems(slow.error, ['slowOperationMs']));
  if (problems.length > 0) return { problems };
  return { config: { cache, database, slowOperationMs: slow.data } };
}

function rootProblem(unknown: readonly string[]): string {
  const isBackend = unknown.some((name) => name.toLowerCase() === 'type');
  return isBackend
    ? 'is the configuration of one backend. Say what it is for: { cache: { type: … }, database: { type: … } }'
    : unknownSettings(unknown, NAMES);
}

function resolveHalf(given: unknown, role: Role, problems: ConfigProblem[]): ResolvedHalf | undefined {
  if (given === undefined) return undefined;
  const { fallback, ...own } = isRecord(given) ? given : { fallback: undefined };
  const backend = resolveBackend(isRecord(given) ? own : given, role, [role], problems);
  if (backend === undefined) return undefined;
  if (fallback === undefined) return { role, backend, fallback };
  return { role, backend, fallback: resolveFallback(fallback, role, backend, problems) };
}
