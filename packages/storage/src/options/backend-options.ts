import { z } from 'zod';
import { isWellFormed } from '../well-formed';
import { configInvalid, pathText } from './config-problem';
import { backendShapes, handedIn } from './config-schemas';
import { postgresFields, redisFields } from './connection-fields';
import { functionOf, programShape } from './program-shape';
import { flag, secret, settings } from './setting-schemas';
import { zodProblems } from './zod-problems';

/** Backends that are made by a function of their own, beside the configuration. */
type Single = keyof typeof singleShapes;

/** Of the settings that a configuration takes, those that a single backend has; a default is the backend's own. */
function own(shape: z.ZodRawShape, not: readonly string[] = []): Record<string, z.ZodType> {
  return Object.fromEntries(
    Object.entries(shape)
      .filter(([name]) => !not.includes(name))
      .map(([name, schema]) => {
        const inner =
          schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault ? schema.unwrap() : schema;
        return [name, (inner as z.ZodType).optional()];
      }),
  );
}

const OF_THE_ROLE = ['keyPrefix'];
const AROUND = ['retry', 'circuitBreaker'];
const tls = () => z.union([flag(), handedIn('the options of a TLS connection')]).optional();

/** What keys begin with in the engine itself; it may be empty. */
const prefix = (without: RegExp, called: string) => {
  const message = `has to be a text of at most 512 bytes without ${called}`;
  return z
    .string({ error: message })
    .refine((text) => Buffer.byteLength(text) <= 512 && isWellFormed(text) && !without.test(text), message)
    .optional();
};

const singleShapes = {
  memory: { ...own(backendShapes.memory, OF_THE_ROLE), ...programShape },
  file: {
    ...own(backendShapes.file, OF_THE_ROLE),
    onDamage: functionOf(' that is told of damaged files').optional(),
    fileSystem: handedIn('a file system: an object with the methods of FileSystem').optional(),
    ...programShape,
  },
  sqlite: { ...own(backendShapes.sqlite, OF_THE_ROLE), ...programShape },
  postgres: {
    ...own(backendShapes.postgres, [...OF_THE_ROLE, ...AROUND]),
    password: z.union([secret(), functionOf(' that gives it')]).optional(),
    ssl: tls(),
    ...programShape,
  },
  redis: {
    ...own(backendShapes.redis, AROUND),
    keyPrefix: prefix(/[{}]/, 'braces'),
    tls: tls(),
    onWarning: functionOf(' that is told of warnings').optional(),
    ...programShape,
  },
  mongodb: {
    ...own(backendShapes.mongodb, [...OF_THE_ROLE, ...AROUND]),
    tls: tls(),
    ...programShape,
  },
  dynamodb: {
    ...own(backendShapes.dynamodb, AROUND),
    keyPrefix: prefix(/\0/, 'NUL'),
    random: functionOf(' that gives numbers from 0 up to 1').optional(),
    ...programShape,
  },
} satisfies Record<string, z.ZodRawShape>;

/** What other names are called here. */
const REMEDIES = {
  memory: {},
  file: { baseDir: 'here "path"' },
  sqlite: { filename: 'here "path"' },
  postgres: { connectionString: 'here "url"' },
  redis: { database: 'here "db"' },
  mongodb: { uri: 'here "url"', connectionString: 'here "url"' },
  dynamodb: { tableName: 'here "table"' },
} satisfies Record<Single, Readonly<Record<string, string>>>;

const fieldsOf = { postgres: postgresFields, redis: redisFields };

/** Those whose server knows users by name. */
const WITH_USERS: readonly Single[] = ['postgres', 'redis', 'mongodb'];

/**
 * The options of a single backend, by the same rules as in a configuration.
 *
 * @throws {StorageError} `CONFIG_INVALID` with everything that is wrong, and with the valid names for an unknown one
 */
export function backendOptions<Options extends object>(
  type: Single,
  caller: string,
  given: Options,
): Options {
  const named = WITH_USERS.includes(type) ? withUsername(caller, given) : given;
  const options = checkedSettings(singleShapes[type], caller, named, REMEDIES[type]) as Options & {
    readonly url?: string;
  };
  if ((type === 'postgres' || type === 'redis') && options.url !== undefined) {
    const { problems } = fieldsOf[type]({ url: options.url });
    if (problems.length > 0) throw configInvalid(caller, problems, placeOf);
  }
  return options;
}

/** @throws {StorageError} `CONFIG_INVALID` with everything that is wrong */
export function checkedSettings(
  shape: z.ZodRawShape,
  caller: string,
  given: unknown,
  remedies: Readonly<Record<string, string>> = {},
): object {
  const parsed = settings(shape, remedies).safeParse(given);
  if (!parsed.success) throw configInvalid(caller, zodProblems(parsed.error, []), placeOf);
  return parsed.data;
}

/** `user`, as drivers call it, is another name of `username`. What is no object is refused later. */
function withUsername(caller: string, given: unknown): unknown {
  if (typeof given !== 'object' || given === null || !('user' in given)) return given;
  const { user, ...others } = given;
  if (user === undefined) return others;
  if ('username' in others && others.username !== undefined)
    throw configInvalid(caller, [{ path: ['user'], message: 'says the same as "username". Say it once' }]);
  return { ...others, username: user };
}

function placeOf({ path }: { readonly path: readonly PropertyKey[] }): string {
  return path.length === 0 ? 'options' : pathText(path);
}
