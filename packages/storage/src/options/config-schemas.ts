import { z } from 'zod';
import { whyNoBackend } from '../backend-methods';
import { isWellFormed } from '../well-formed';
import { flag, hostName, secret, settings, text, wholeNumber } from './setting-schemas';

const MINUTE_MS = 60_000;
const MIB = 2 ** 20;
const duration = (maxMs = 10 * MINUTE_MS) => wholeNumber(1, maxMs);
const port = () => wholeNumber(1, 65_535);

/** Settings, or `false` for going without. */
function unlessFalse<Shape extends z.ZodRawShape>(shape: Shape) {
  const withSettings = settings(shape);
  return z
    .union([z.literal(false, { error: 'has to be false' }), withSettings])
    .prefault({} as z.input<typeof withSettings>);
}

const tlsShape = {
  ca: secret().optional(),
  cert: secret().optional(),
  key: secret().optional(),
  servername: text().optional(),
  rejectUnauthorized: flag().default(true),
};

const tls = () => z.union([flag(), settings(tlsShape)]);

/** What is left of a document of 16 MiB beside the value: its address, and what belongs to them. */
export const MAX_MONGODB_VALUE_BYTES = 16 * MIB - 64 * 1024;

const KEY_PREFIX = 'has to be a text of 1 to 512 bytes';

const halfShape = {
  keyPrefix: z
    .string({ error: KEY_PREFIX })
    .refine((prefix) => prefix !== '' && Buffer.byteLength(prefix) <= 512 && isWellFormed(prefix), KEY_PREFIX)
    .optional(),
};

const remoteShape = {
  ...halfShape,
  timeoutMs: duration().default(10_000),
  retry: unlessFalse({
    retries: wholeNumber(0, 20).default(3),
    initialDelayMs: duration().default(50),
    maxDelayMs: duration().default(2_000),
  }),
  circuitBreaker: unlessFalse({
    failures: wholeNumber(1, 1_000).default(5),
    resetAfterMs: duration().default(5_000),
  }),
};

/** Taken as it is: a parsed copy would be without its methods. */
export const handedIn = (what: string) =>
  z.custom<object>((value) => (typeof value === 'object' || typeof value === 'function') && value !== null, {
    error: `has to be ${what}`,
  });
const node = (defaultPort: number) =>
  settings({ host: hostName().max(255), port: port().default(defaultPort) });
const nodes = (defaultPort: number) =>
  z
    .array(node(defaultPort), { error: 'has to be a list of nodes' })
    .min(1, 'has to name a node')
    .max(256, 'has to name at most 256 nodes');

const filePath = () =>
  text(4_096)
    .refine(
      (path) => path === path.trim() && !path.includes('\0'),
      'begins or ends with a space, or holds NUL',
    )
    .regex(/^(?!(?!file:)[a-z][a-z\d+.-]*:\/\/)/i, 'is a URL, which leads to no file');

const FILE_MODE = 'has to be a text such as "0600" or "0640": who may read and write, in octal digits';

/** A text, since YAML would read 0600 as six hundred; from code also the number itself. */
const fileMode = () =>
  z.preprocess(
    (value) => (typeof value === 'number' ? `0${value.toString(8)}` : value),
    z.string({ error: FILE_MODE }).regex(/^0?6[0246]{2}$/, FILE_MODE),
  );

/** What a half says about each type besides `type` and `fallback`. */
export const backendShapes = {
  memory: {
    ...halfShape,
    maxItems: wholeNumber(1, 16_000_000).default(1_000_000),
    maxBytes: wholeNumber(1, Number.MAX_SAFE_INTEGER).default(256 * MIB),
    maxValueBytes: wholeNumber(1, 512 * MIB).optional(),
    whenFull: z.enum(['evict', 'refuse'], { error: 'has to be "evict" or "refuse"' }).optional(),
  },
  file: {
    ...halfShape,
    path: filePath().optional(),
    createFolder: flag().default(true),
    enableSharding: flag().default(true),
    shardCount: wholeNumber(1, 4_096).optional(),
    enableBackups: flag().default(true),
    backupCount: wholeNumber(1, 100).default(5),
    fileMode: fileMode().default('0600'),
    maxValueBytes: wholeNumber(1, 256 * MIB).optional(),
  },
  sqlite: {
    ...halfShape,
    path: filePath().optional(),
    createFolder: flag().default(true),
    synchronous: z.enum(['full', 'normal'], { error: 'has to be "full" or "normal"' }).default('full'),
    busyTimeoutMs: duration().default(5_000),
    maxValueBytes: wholeNumber(1, 512 * MIB).optional(),
    client: handedIn('a database of better-sqlite3').optional(),
  },
  postgres: {
    ...remoteShape,
    url: secret().min(1, 'is empty').optional(),
    host: hostName().optional(),
    port: port().optional(),
    database: text(255).optional(),
    username: text(255).optional(),
    password: secret().optional(),
    ssl: tls().optional(),
    channelBinding: flag().default(false),
    options: text(4_096).optional(),
    schema: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'has to be 1 to 63 letters, digits and underscores')
      .optional(),
    // Within PostgreSQL's 63 bytes for a name.
    applicationName: text(63).default('recap'),
    preparedStatements: flag().default(true),
    maxValueBytes: wholeNumber(1, 128 * MIB).default(16 * MIB),
    pool: settings({
      min: wholeNumber(0, 1_000).default(0),
      max: wholeNumber(1, 1_000).default(10),
      idleTimeoutMs: wholeNumber(0, 24 * 60 * MINUTE_MS).default(10_000),
      acquireTimeoutMs: duration().default(10_000),
    })
      .refine(({ min, max }) => min <= max, { path: ['min'], error: 'has to be at most "max"' })
      .prefault({}),
    client: handedIn('a pool of pg').optional(),
  },
  redis: {
    ...remoteShape,
    url: secret().min(1, 'is empty').optional(),
    host: hostName().optional(),
    port: port().optional(),
    username: text(255).optional(),
    password: secret().optional(),
    db: wholeNumber(0, 1_000_000).optional(),
    family: wholeNumber(0, 6)
      .refine((family) => [0, 4, 6].includes(family), 'has to be 0, 4 or 6')
      .optional(),
    tls: tls().optional(),
    sentinel: settings({
      name: text(255),
      nodes: nodes(26_379),
      username: text(255).optional(),
      password: secret().optional(),
      tls: tls().optional(),
    }).optional(),
    cluster: settings({
      nodes: nodes(6_379),
      natMap: z.record(text(300), node(6_379), { error: 'has to map addresses to nodes' }).optional(),
    }).optional(),
    clientName: text(255).default('recap'),
    connectTimeoutMs: duration().default(10_000),
    autoPipelining: flag().default(false),
    waitReplicas: wholeNumber(0, 1_000).default(0),
    waitTimeoutMs: duration().default(1_000),
    maxValueBytes: wholeNumber(1, 511 * MIB).default(16 * MIB),
    client: handedIn('a client or cluster of ioredis').optional(),
  },
  mongodb: {
    ...remoteShape,
    // Its hosts may be many, so that it is no URL to take apart; the driver of MongoDB reads it.
    url: secret()
      .regex(/^mongodb(\+srv)?:\/\/[^/]/, 'has to begin with mongodb:// or mongodb+srv://, and a host')
      .optional(),
    host: hostName().optional(),
    port: port().optional(),
    username: text(255).optional(),
    password: secret().optional(),
    authSource: text(63).optional(),
    replicaSet: text(255).optional(),
    tls: tls().optional(),
    database: text(63)
      .regex(/^[^/\\. "$*<>:|?\0]+$/, 'holds none of / \\ . " $ * < > : | ? and no space')
      .optional(),
    collectionPrefix: text(100)
      .regex(/^[A-Za-z_][\w.-]*$/, 'has to be letters, digits and _ . -, and begin with a letter or _')
      .default('recap_'),
    applicationName: text(128).default('recap'),
    connectTimeoutMs: duration().default(10_000),
    pool: settings({
      min: wholeNumber(0, 1_000).default(0),
      max: wholeNumber(1, 1_000).default(20),
      idleTimeoutMs: wholeNumber(1, 24 * 60 * MINUTE_MS).default(60_000),
      acquireTimeoutMs: duration().default(10_000),
    })
      .refine(({ min, max }) => min <= max, { path: ['min'], error: 'has to be at most "max"' })
      .prefault({}),
    w: z
      .union([z.literal('majority'), wholeNumber(1, 50)], {
        error: 'has to be "majority" or a whole number from 1 to 50',
      })
      .default('majority'),
    journal: flag().default(true),
    maxValueBytes: wholeNumber(1, MAX_MONGODB_VALUE_BYTES).default(MAX_MONGODB_VALUE_BYTES),
    client: handedIn('a client of mongodb').optional(),
  },
  dynamodb: {
    ...remoteShape,
    region: text(255).optional(),
    endpoint: text(4_096)
      .refine(
        (url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol),
        'has to be an http or https URL',
      )
      .optional(),
    table: z
      .string()
      .regex(/^[\w.-]{3,255}$/, 'has to be 3 to 255 letters, digits, dots, hyphens and underscores')
      .default('recap'),
    credentials: settings({
      accessKeyId: secret().min(1, 'is empty'),
      secretAccessKey: secret().min(1, 'is empty'),
      sessionToken: secret().optional(),
    }).optional(),
    createTable: flag().default(false),
    createTimeoutMs: duration().default(2 * MINUTE_MS),
    declareTimeToLive: flag().default(false),
    transact: flag().optional(),
    maxConnections: wholeNumber(1, 10_000).optional(),
    maxValueBytes: wholeNumber(1, 512 * MIB).default(16 * MIB),
    client: handedIn('a DynamoDBClient').optional(),
  },
  custom: {
    ...remoteShape,
    backend: z.custom<object>((value) => whyNoBackend(value) === undefined, {
      error: ({ input }) => whyNoBackend(input) ?? 'has to be a backend',
    }),
  },
} as const;

/** Other names that are taken for settings, by type. */
export const settingAliases: Readonly<Record<keyof typeof backendShapes, Readonly<Record<string, string>>>> =
  {
    memory: {},
    file: {},
    sqlite: { filename: 'path' },
    postgres: {
      connectionString: 'url',
      user: 'username',
      'pool.acquireTimeoutMillis': 'pool.acquireTimeoutMs',
      'pool.idleTimeoutMillis': 'pool.idleTimeoutMs',
    },
    redis: {
      database: 'db',
      maxRetries: 'retry.retries',
      retryDelayOnFailover: 'retry.initialDelayMs',
    },
    mongodb: {
      uri: 'url',
      connectionString: 'url',
      user: 'username',
      'pool.acquireTimeoutMillis': 'pool.acquireTimeoutMs',
      'pool.idleTimeoutMillis': 'pool.idleTimeoutMs',
    },
    dynamodb: {},
    custom: {},
  };
