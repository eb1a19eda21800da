// One variant of the benchmark's program, in a process of its own: `node server.mjs <variant> <folder>`.
// It sends { port } when it listens, and answers { ask: 'finish' } with { stored, cpuMicros, mainMicros }.
import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import express from 'express';

const [variant, folder] = process.argv.slice(2);

/** Each returns the middlewares to mount first, and how to learn what was stored in the end. */
const VARIANTS = {
  bare: () => ({ before: [] }),
  recap: () => startRecap({}),
  'recap-spooled': () => startRecap({ durability: 'spooled' }),
  'recap-strict': () => startRecap({ durability: 'strict' }),
  morgan: async () => {
    const { default: morgan } = await import('morgan');
    return { before: [morgan('combined', { stream: createWriteStream(join(folder, 'morgan.log')) })] };
  },
  'pino-http': async () => {
    const { default: pinoHttp } = await import('pino-http');
    const { default: pino } = await import('pino');
    const destination = pino.destination({ dest: join(folder, 'pino.log'), sync: false, minLength: 4096 });
    return { before: [pinoHttp({}, destination)] };
  },
  naive: startNaive,
};

async function startRecap(options) {
  const { createRecorder } = await import('@recap/capture');
  const { storageMiddleware } = await import('@recap/capture/express');
  const recorder = createRecorder({
    database: { type: 'sqlite', path: join(folder, 'recap.db') },
    ...options,
  });
  await recorder.ready();
  return {
    before: [storageMiddleware({ recorder })],
    finish: async () => {
      await recorder.flush();
      const { stored, shed, captured } = recorder.stats();
      await recorder.close();
      return { stored, captured, shed };
    },
  };
}

/** What a program does that has TypeORM at hand: two awaited saves, into the same columns and indexes, WAL and NORMAL. */
async function startNaive() {
  const { createRecorder, StorageEntry } = await import('@recap/capture');
  const { randomUUID } = await import('node:crypto');
  const { DataSource } = await import('typeorm');
  const path = join(folder, 'naive.db');
  const schema = createRecorder({ database: { type: 'sqlite', path } });
  await schema.ready();
  await schema.close();
  const source = await new DataSource({
    type: 'better-sqlite3',
    database: path,
    entities: [StorageEntry],
  }).initialize();
  await source.query('PRAGMA journal_mode = WAL');
  await source.query('PRAGMA synchronous = NORMAL');
  const repository = source.getRepository(StorageEntry);
  let stored = 0;
  const row = (request, side, body, status) => ({
    id: randomUUID(),
    parentId: null,
    type: side,
    method: request.method,
    endpoint: request.path,
    endpointKey: request.path,
    path: request.path,
    query: null,
    status,
    outcome: 'completed',
    errorName: null,
    errorMessage: null,
    createdAt: Date.now(),
    durationMs: 0,
    owner: 'anonymous',
    sessionId: 'none',
    clientAddress: request.socket.remoteAddress ?? null,
    traceId: null,
    metadata: {},
    redacted: [],
    warnings: [],
    expiresAt: Date.now() + 30 * 86_400_000,
    ...sideColumns('request', side === 'request' ? body : null, request),
    ...sideColumns('response', side === 'response' ? body : null, request),
  });
  const sideColumns = (name, body, request) => ({
    [`${name}Headers`]: body === null ? [] : Object.entries(request.headers),
    [`${name}ContentType`]: body === null ? null : 'application/json',
    [`${name}OriginalBytes`]: body?.length ?? null,
    [`${name}StoredBytes`]: body?.length ?? 0,
    [`${name}UnpackedBytes`]: body?.length ?? 0,
    [`${name}Codec`]: 'identity',
    [`${name}State`]: body === null ? 'empty' : 'captured',
    [`${name}Details`]: {},
    [`${name}Body`]: body,
  });
  const record = async (request, response, next) => {
    await repository.save(
      repository.create(row(request, 'request', Buffer.from(JSON.stringify(request.body)), null)),
    );
    const { json } = response;
    response.json = function (value) {
      const entry = row(request, 'response', Buffer.from(JSON.stringify(value)), response.statusCode);
      repository.save(repository.create(entry)).then(() => {
        stored += 1;
        json.call(response, value);
      }, next);
      return response;
    };
    next();
  };
  return { after: [record], finish: async () => ({ stored, captured: stored, shed: {} }) };
}

/** What this thread alone has worked; `NaN` where the kernel does not say. */
function mainThreadMicros() {
  const account = `/proc/self/task/${process.pid}/schedstat`;
  return existsSync(account) ? Number(readFileSync(account, 'latin1').split(' ')[0]) / 1000 : NaN;
}

const started = await VARIANTS[variant]();
const app = express();
for (const middleware of started.before ?? []) app.use(middleware);
app.use(express.json());
for (const middleware of started.after ?? []) app.use(middleware);
let answered = 0;
app.post('/echo', (request, response) => {
  answered += 1;
  response.json(request.body);
});
const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
const atStart = process.cpuUsage();
const mainAtStart = mainThreadMicros();
process.on('message', async () => {
  server.closeAllConnections();
  const { user, system } = process.cpuUsage(atStart);
  const mainMicros = mainThreadMicros() - mainAtStart;
  // Exchanges whose connection was cut by the load's end are over once the server has closed.
  await new Promise((resolve) => server.close(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  const result = (await started.finish?.()) ?? {};
  process.send({ ...result, answered, cpuMicros: user + system, mainMicros }, () => process.exit(0));
});
