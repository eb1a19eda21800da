import { OPERATIONS } from './operations.mjs';

export const CALLERS = [1, 64];
/** Of so many callers the gates speak. */
const GATED = 64;

/** Where an operation takes about as long as a look at the clock (`isQuick`), one in 64 is timed. */
export const BACKENDS = {
  memory: { label: 'memory', isQuick: true, server: 'in the process' },
  file: { label: 'file', server: 'a JSON file for each value, behind a synced journal' },
  sqlite: { label: 'SQLite', server: 'a write-ahead log, synced before a write is answered' },
  postgres: { label: 'PostgreSQL', server: 'on this machine, synced at each commit, ten connections' },
  redis: { label: 'Redis', server: 'on this machine, saving nothing, one connection' },
  mongodb: {
    label: 'mongodb',
    server: 'the server that MONGODB_URL names, or a protocol stand-in on this machine, twenty connections',
  },
  dynamodb: {
    label: 'DynamoDB',
    server:
      'the server that DYNAMODB_ENDPOINT names, or dynalite on this machine, keeping everything in memory',
    isWithoutKeyv: true,
  },
};

const recap = (label, configuration) => ({ label, module: () => './subjects/recap.mjs', configuration });

export const SUBJECTS = {
  raw: {
    label: 'bare driver',
    labels: {
      memory: 'a Map',
      file: 'files by hand',
      sqlite: 'better-sqlite3',
      postgres: 'pg',
      redis: 'ioredis',
      mongodb: 'the driver mongodb',
      dynamodb: 'client-dynamodb',
    },
    module: (backend) => `./subjects/raw-${backend}.mjs`,
    configuration:
      'what a program would write by hand that promises the same of each item: it has a version and may expire, keys keep their order, and an append that comes again with its version adds nothing. The same tables and indexes, as durable, prepared statements; in SQLite, writes of one turn of the event loop share a transaction; in Redis, a script where several commands must happen at once; in memory, JSON text in a Map whose bytes are counted. It neither checks values and keys, nor knows time-outs, bytes in other columns, or replaced lists',
  },
  contract: recap('contract', '`createMemoryBackend()` and its siblings'),
  cache: recap(
    'cache',
    'the cache of `createStorageBackends()`, with its time-outs, retries and circuit breaker',
  ),
  database: recap('database', 'the database of `createStorageBackends()`, likewise'),
  keyv: {
    label: 'keyv',
    module: () => './subjects/keyv.mjs',
    configuration: 'Keyv 5 with its own adapter for the engine, as durable; it has neither lists nor ranges',
  },
  forgetful: { label: 'forgetful', module: () => './subjects/forgetful.mjs', isForTests: true },
};

export function labelOf(subject, backend) {
  const { label, labels } = SUBJECTS[subject];
  return labels?.[backend] ?? label;
}

const ratio = (of, against, operation, gate) => ({ of, against, operation, callers: GATED, gate });

/** Of the bare driver with 64 callers; what it cannot do at all, or does without an order of keys, has no gate. */
const AGAINST_RAW = 0.7;
const AGAINST_KEYV = 1;

/** What has to hold for a backend: ratios within a round, or operations per second. */
export function gatesOf(backend) {
  const against = (of, operations) => operations.map((each) => ratio(of, 'raw', each, AGAINST_RAW));
  const perSecond = (operation, gate) => ({ of: 'contract', operation, callers: GATED, gate });
  // By hand, each value costs two syncs and no list has an order: a ratio would say little.
  if (backend === 'file') return [perSecond('set', 5_000)];
  return [
    ...against('contract', ['get', 'set', 'append', 'scan']),
    ...against('cache', ['get', 'set']),
    ...against('database', ['get', 'set', 'append']),
    ...(BACKENDS[backend].isWithoutKeyv ? [] : ['get', 'set', 'keys']).map((operation) =>
      ratio('cache', 'keyv', operation, AGAINST_KEYV),
    ),
    ...(backend === 'memory' ? [perSecond('getBytes', 1_000_000), perSecond('get', 150_000)] : []),
  ];
}

export const textOf = (operation) => OPERATIONS[operation].text;
