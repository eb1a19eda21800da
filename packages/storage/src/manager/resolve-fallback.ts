import { z } from 'zod';
import { BACKEND_TYPES, type BackendType } from './backend-types';
import type { ConfigProblem } from '../options/config-problem';
import { identityOfConfig } from './identity-of';
import { isRecord } from './map-texts';
import { resolveBackend } from './resolve-backend';
import type { ResolvedBackend, ResolvedFallback, Role } from './resolved-config';
import { flag, settings, wholeNumber } from '../options/setting-schemas';
import { zodProblems } from '../options/zod-problems';

/** What stands behind each type when the fallback is `'documented'`. */
const DOCUMENTED: Readonly<Partial<Record<BackendType, readonly BackendType[]>>> = {
  redis: ['memory'],
  postgres: ['sqlite', 'memory'],
  sqlite: ['memory'],
};

/** What a backend takes by default (16 MiB), as a text within the journal, where quotes and bytes take more room. */
const MAX = 34 * 2 ** 20;
const JOURNALED = { memory: MAX, file: MAX, sqlite: MAX };

/** What one process has for itself, as what it writes meanwhile has to be. */
const OF_ONE_PROCESS: readonly BackendType[] = ['memory', 'file', 'sqlite', 'custom'];

/** More would be a chain that nobody oversees. */
const MOST = BACKEND_TYPES.length;

export const fallbackShape = {
  to: z.unknown().optional(),
  reads: z.enum(['known', 'partial'], { error: 'has to be "known" or "partial"' }).optional(),
  probeIntervalMs: wholeNumber(10, 600_000).default(1_000),
  stableMs: wholeNumber(0, 3_600_000).default(10_000),
  adoptWrites: flag().default(false),
};

const schema = settings(fallbackShape);

export function resolveFallback(
  given: unknown,
  role: Role,
  primary: ResolvedBackend,
  problems: ConfigProblem[],
): ResolvedFallback | undefined {
  const path = [role, 'fallback'];
  const isShort = given === 'documented' || Array.isArray(given);
  if (typeof given === 'string' && !isShort) {
    const message = 'has to be "documented", a list of backends such as ["memory"], or an object of settings';
    problems.push({ path, message });
    return undefined;
  }
  const parsed = schema.safeParse(isShort ? { to: given } : given);
  if (!parsed.success) {
    problems.push(...zodProblems(parsed.error, path));
    return undefined;
  }
  const { to, reads = role === 'cache' ? 'partial' : 'known', ...rest } = parsed.data;
  const names = listOf(to, primary.type);
  const toPath = isShort ? path : [...path, 'to'];
  if (typeof names === 'string') {
    problems.push({ path: toPath, message: names });
    return undefined;
  }
  const before = problems.length;
  const backends = names.map((each, index) =>
    resolveBackend(
      typeof each === 'string' ? { type: each } : each,
      role,
      to === 'documented' ? toPath : [...toPath, index],
      problems,
      // What was written meanwhile must not be dropped before it is replayed, in a cache neither.
      {
        ...{ path: `.recap/${role}-fallback.db`, folder: `.recap/${role}-fallback` },
        ...{ whenFull: 'refuse', maxValueBytes: JOURNALED },
      },
    ),
  );
  const seen = new Set([identityOfConfig(primary)]);
  for (const [index, backend] of backends.entries()) {
    if (backend !== undefined && !OF_ONE_PROCESS.includes(backend.type)) {
      const message = `cannot be ${backend.type}: what is written meanwhile is kept for each process by itself, and a server has several. Take memory, file or sqlite`;
      problems.push({ path: [...toPath, index], message });
    }
    const identity = backend && identityOfConfig(backend);
    if (identity === undefined) continue;
    // It would be away as well, and a write would be replayed to where it came from.
    if (seen.has(identity))
      problems.push({ path: [...toPath, index], message: 'is the same storage as one before it' });
    seen.add(identity);
  }
  if (problems.length > before) return undefined;
  return { to: backends.filter((each) => each !== undefined), reads, ...rest };
}

function listOf(to: unknown, primary: BackendType): readonly unknown[] | string {
  if (to === 'documented') {
    return DOCUMENTED[primary] ?? `${primary} has no documented fallback. Name the types, such as ["memory"]`;
  }
  const isList = Array.isArray(to) && to.length > 0 && to.length <= MOST;
  if (!isList)
    return `has to be "documented" or a list of 1 to ${MOST} backends, such as ["sqlite", "memory"]`;
  const nested = (to as unknown[]).some((each) => isRecord(each) && each['fallback'] !== undefined);
  return nested ? 'has a fallback of its own in it; one list says the whole order' : (to as unknown[]);
}
