import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { createRecorder, type Recorder } from '@recap/capture';
import { storageMiddleware as expressMiddleware, storageRouter } from '@recap/capture/express';
import { storageMiddleware as koaMiddleware } from '@recap/capture/koa';
import { bodyParser } from '@koa/bodyparser';
import express from 'express';
import Koa from 'koa';
import supertest from 'supertest';
import { silent, temporaryFolder, written } from './rig';

interface Webhook {
  readonly event: string;
  readonly name: string;
  readonly body: unknown;
}

const file = join(__dirname, '../../../shared/data/github-webhooks.ndjson');
const webhooks: Webhook[] = existsSync(file)
  ? readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Webhook)
  : generate();

/** Bodies of the same kind, for a checkout without the real ones. */
function generate(): Webhook[] {
  console.warn('The real webhook bodies are not here; generated ones are used.');
  return Array.from({ length: 60 }, (_each, index) => ({
    event: 'push',
    name: `generated-${String(index)}`,
    body: {
      id: 9_007_199_254_740_991 - index,
      author: { name: `Ünï ${String(index)}`, url: 'https://example.test/u?page=2' },
      commits: Array.from({ length: index }, (_commit, at) => ({
        id: at,
        message: 'x'.repeat(at),
        added: [null, true],
      })),
    },
  }));
}

function onExpress(recorder: Recorder): Server {
  const app = express();
  app.use(expressMiddleware({ recorder }));
  app.use(express.json({ limit: '1mb' }));
  app.post('/hook/:name', (request, response) => {
    response.json(request.body);
  });
  return createServer(app);
}

function onKoa(recorder: Recorder): Server {
  const app = new Koa();
  app.use(koaMiddleware({ recorder }));
  app.use(bodyParser({ jsonLimit: '1mb' }));
  app.use((context) => {
    context.body = (context.request as { body?: unknown }).body;
  });
  return createServer(app.callback());
}

describe.each([
  ['Express', onExpress],
  ['Koa', onKoa],
])('real bodies through %s', (framework, build) => {
  const folder = temporaryFolder();

  const roundTrip = async (redaction: false | undefined) => {
    const path = join(folder(), `${framework}-${String(redaction)}.db`);
    const recorder = createRecorder({
      database: { type: 'sqlite', path },
      logger: silent,
      ...(redaction === false && { redaction }),
    });
    const agent = supertest(build(recorder));
    for (const [index, { body }] of webhooks.entries())
      await agent
        .post(`/hook/${String(index)}`)
        .send(body as object)
        .expect(200);
    await written(recorder);
    const storage = express().use(
      storageRouter({ recorder, authenticate: () => ({ ownerId: 'admin', isAdmin: true }) }),
    );
    const found = new Map<number, { request: unknown; response: unknown }>();
    for (let cursor: string | null | undefined; cursor !== null;) {
      const { body } = await supertest(storage)
        .post('/query')
        .send({ page_size: 50, include_total: false, ...(cursor !== undefined && { cursor }) })
        .expect(200);
      const { data } = body as {
        data: {
          items: { path: string; data: { request: unknown; response: unknown } }[];
          cursor: string | null;
        };
      };
      for (const item of data.items) found.set(Number(item.path.slice('/hook/'.length)), item.data);
      ({ cursor } = data);
    }
    await recorder.close();
    return found;
  };

  it('come back equal with redaction off', async () => {
    const found = await roundTrip(false);
    expect(found.size).toBe(webhooks.length);
    for (const [index, { body }] of webhooks.entries()) {
      expect(found.get(index)).toEqual({ request: body, response: body });
    }
  });

  it('differ with redaction on at most where something was hidden', async () => {
    const found = await roundTrip(undefined);
    for (const [index, { body }] of webhooks.entries()) {
      const stored = found.get(index)?.request;
      for (const path of differences(body, stored)) {
        expect(String(valueAt(stored, path))).toContain('[REDACTED]');
      }
    }
  });
});

type Path = readonly (string | number)[];

/** Paths of leaves that are not the same. */
function differences(a: unknown, b: unknown, path: Path = []): Path[] {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null)
    return Object.is(a, b) ? [] : [path];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].flatMap((key) =>
    differences((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], [...path, key]),
  );
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string | number, unknown>)[key], value);
}
