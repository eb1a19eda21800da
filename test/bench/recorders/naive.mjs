import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createRecorder, StorageEntry } from '@recap/capture';
import { DataSource } from 'typeorm';

/**
 * What a program does that has TypeORM at hand: two awaited saves, before the handler and before the answer, into
 * the same table with the same columns and indexes, with WAL and `synchronous = NORMAL`.
 */
export async function start({ framework, folder }) {
  const source = await openTable(join(folder, 'naive.db'));
  const repository = source.getRepository(StorageEntry);
  const save = (exchange, side, body, status) =>
    repository.save(repository.create(rowOf(exchange, side, Buffer.from(JSON.stringify(body)), status)));
  return {
    before: [],
    after: [framework === 'koa' ? koaMiddleware(save) : expressMiddleware(save)],
    finish: async () => {
      const stored = await repository.countBy({ type: 'response' });
      await source.destroy();
      return { stored };
    },
  };
}

async function openTable(path) {
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
  return source;
}

function expressMiddleware(save) {
  return async (request, response, next) => {
    await save(request, 'request', request.body ?? null, null);
    const { json } = response;
    response.json = function (value) {
      save(request, 'response', value, response.statusCode).then(() => json.call(response, value), next);
      return response;
    };
    next();
  };
}

function koaMiddleware(save) {
  return async (context, next) => {
    await save(context.req, 'request', context.request.body ?? null, null);
    await next();
    await save(context.req, 'response', context.body, context.status);
  };
}

function rowOf(request, side, body, status) {
  const now = Date.now();
  const [path] = request.url.split('?');
  return {
    id: randomUUID(),
    parentId: null,
    type: side,
    method: request.method,
    endpoint: path,
    endpointKey: path,
    path,
    query: null,
    status,
    outcome: 'completed',
    errorName: null,
    errorMessage: null,
    createdAt: now,
    durationMs: 0,
    owner: 'anonymous',
    sessionId: 'none',
    clientAddress: request.socket.remoteAddress ?? null,
    traceId: null,
    metadata: {},
    redacted: [],
    warnings: [],
    expiresAt: now + 30 * 86_400_000,
    ...sideColumns('request', side === 'request' ? body : null, request),
    ...sideColumns('response', side === 'response' ? body : null, request),
  };
}

function sideColumns(name, body, request) {
  return {
    [`${name}Headers`]: body === null ? [] : Object.entries(request.headers),
    [`${name}ContentType`]: body === null ? null : 'application/json',
    [`${name}OriginalBytes`]: body?.length ?? null,
    [`${name}StoredBytes`]: body?.length ?? 0,
    [`${name}UnpackedBytes`]: body?.length ?? 0,
    [`${name}Codec`]: 'identity',
    [`${name}State`]: body === null ? 'empty' : 'captured',
    [`${name}Details`]: {},
    [`${name}Body`]: body,
  };
}
