import { backendType, type BackendType } from './backend-types';
import type { ConfigProblem } from '../options/config-problem';
import { backendShapes, settingAliases } from '../options/config-schemas';
import { postgresFields, redisFields } from '../options/connection-fields';
import { isRecord } from './map-texts';
import { renameSettings } from './rename-settings';
import type { ResolvedBackend, Role } from './resolved-config';
import { settings } from '../options/setting-schemas';
import { foreignProblems, foreignSettings } from './foreign-settings';
import { zodProblems } from '../options/zod-problems';

type Path = readonly PropertyKey[];

const MIB = 2 ** 20;

/** What depends on the part that a backend plays. */
export interface BackendDefaults {
  /** The file of SQLite. */
  readonly path: string;
  /** Of the file backend. */
  readonly folder: string;
  /** What memory does. */
  readonly whenFull: 'evict' | 'refuse';
  readonly maxValueBytes: { readonly memory: number; readonly file: number; readonly sqlite: number };
}

const defaultsOf = (role: Role): BackendDefaults => ({
  path: '.recap/storage.db',
  folder: '.recap/files',
  whenFull: role === 'cache' ? 'evict' : 'refuse',
  maxValueBytes: { memory: 16 * MIB, file: 16 * MIB, sqlite: MIB },
});

const KEY_PREFIX = 'recap:';

const schemas = Object.fromEntries(
  Object.entries(backendShapes).map(([type, shape]) => [type, settings(shape, foreignSettings)]),
) as unknown as { readonly [Type in BackendType]: ReturnType<typeof settings<(typeof backendShapes)[Type]>> };

/** The settings of one backend, or `undefined` after adding to `problems` what is wrong with them. */
export function resolveBackend(
  given: unknown,
  role: Role,
  path: Path,
  problems: ConfigProblem[],
  defaults: BackendDefaults = defaultsOf(role),
): ResolvedBackend | undefined {
  if (!isRecord(given)) {
    problems.push({ path, message: 'has to be an object of settings with a "type"' });
    return undefined;
  }
  const found = backendType(given['type']);
  if ('problem' in found) {
    // Whose type is of another system has its settings too: told all at once.
    problems.push({ path: [...path, 'type'], message: found.problem });
    problems.push(...foreignProblems(Object.keys(given), path));
    return undefined;
  }
  const before = problems.length;
  problems.push(...lostPlaces(given, settingAliases[found.type], path));
  const { type: _type, ...named } = renameSettings(given, settingAliases[found.type], path, problems);
  const parsed = schemas[found.type].safeParse(named);
  if (!parsed.success) problems.push(...zodProblems(parsed.error, path));
  if (!parsed.success || problems.length > before) return undefined;
  const { keyPrefix = KEY_PREFIX, ...rest } = parsed.data;
  // They would become the hash tag of its names.
  if (found.type === 'redis' && /[{}]/.test(keyPrefix)) {
    problems.push({ path: [...path, 'keyPrefix'], message: 'of redis holds no braces' });
  }
  if (found.type === 'dynamodb' && keyPrefix.includes('\0')) {
    problems.push({ path: [...path, 'keyPrefix'], message: 'of dynamodb holds no NUL' });
  }
  const backend = connected({ ...rest, type: found.type }, named, path, problems, defaults);
  return problems.length > before ? undefined : ({ ...backend, keyPrefix } as ResolvedBackend);
}

/** `url: process.env.URL` of a variable that is not set would be the storage that is there by default, in silence. */
function lostPlaces(
  given: Readonly<Record<string, unknown>>,
  aliases: Readonly<Record<string, string>>,
  path: Path,
): ConfigProblem[] {
  return Object.keys(given)
    .filter((name) => ['url', 'host', 'path'].includes(aliases[name] ?? name) && given[name] === undefined)
    .map((name) => ({
      path: [...path, name],
      message: 'is there, and undefined. Leave it out for the default, or write "$NAME" for a variable',
    }));
}

type Loose = Readonly<Record<string, unknown>> & { readonly type: BackendType };

function connected(
  backend: Loose,
  named: Readonly<Record<string, unknown>>,
  path: Path,
  problems: ConfigProblem[],
  { path: file, folder, whenFull, maxValueBytes }: BackendDefaults,
): Loose {
  switch (backend.type) {
    case 'file':
      if (backend['enableSharding'] === false && (named['shardCount'] ?? 1) !== 1)
        problems.push({
          path: [...path, 'shardCount'],
          message: 'does not go together with "enableSharding": false',
        });
      return {
        ...{ ...backend, path: backend['path'] ?? folder },
        maxValueBytes: backend['maxValueBytes'] ?? maxValueBytes.file,
      };
    case 'sqlite':
      checkWays(backend.type, named, path, problems);
      return {
        ...{ ...backend, path: backend['path'] ?? file },
        maxValueBytes: backend['maxValueBytes'] ?? maxValueBytes.sqlite,
      };
    case 'memory':
      return {
        ...{ ...backend, whenFull: backend['whenFull'] ?? whenFull },
        maxValueBytes: backend['maxValueBytes'] ?? maxValueBytes.memory,
      };
    case 'postgres':
    case 'redis': {
      checkWays(backend.type, named, path, problems);
      const read = backend.type === 'postgres' ? postgresFields : redisFields;
      const { fields, problems: wrong } = read(backend, named);
      problems.push(...wrong.map((each) => ({ ...each, path: [...path, ...each.path] })));
      return { ...fields, type: backend.type };
    }
    case 'mongodb':
      checkWays(backend.type, named, path, problems);
      return backend;
    case 'dynamodb':
      checkWays(backend.type, named, path, problems);
      return backend;
    case 'custom':
      return backend;
  }
}

type Located = 'sqlite' | 'postgres' | 'redis' | 'mongodb' | 'dynamodb';

const PLACE = ['url', 'host', 'port'];
const ACCOUNT = ['username', 'password', 'db'];
/** What goes with none of the settings after it. */
const WAYS: Readonly<Record<Located, Readonly<Record<string, readonly string[]>>>> = {
  sqlite: { client: ['path', 'createFolder', 'synchronous', 'busyTimeoutMs'] },
  postgres: {
    client: [
      ...[...PLACE, 'database', 'username', 'password', 'ssl', 'channelBinding', 'options'],
      ...['applicationName', 'pool'],
    ],
  },
  redis: {
    client: [
      ...PLACE,
      ...ACCOUNT,
      'family',
      'tls',
      'sentinel',
      'cluster',
      'clientName',
      'connectTimeoutMs',
      'autoPipelining',
    ],
    sentinel: [...PLACE, 'cluster'],
    cluster: [...PLACE, 'db', 'family'],
  },
  mongodb: {
    client: [
      ...[...PLACE, 'username', 'password', 'authSource', 'replicaSet', 'tls'],
      ...['applicationName', 'connectTimeoutMs', 'pool'],
    ],
    url: ['host', 'port', 'username', 'password', 'authSource', 'replicaSet'],
  },
  dynamodb: { client: ['region', 'endpoint', 'credentials', 'maxConnections'] },
};

/** Two ways to find a server are one too many: one of them would be ignored. */
function checkWays(
  type: Located,
  named: Readonly<Record<string, unknown>>,
  path: Path,
  problems: ConfigProblem[],
): void {
  for (const [way, others] of Object.entries(WAYS[type])) {
    if (named[way] === undefined) continue;
    for (const other of others.filter((each) => named[each] !== undefined)) {
      problems.push({ path: [...path, other], message: `does not go together with "${way}"` });
    }
  }
}
