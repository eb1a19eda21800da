import { request as httpRequest, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:http';
import express5 from 'express';
import supertest from 'supertest';
import { isIgnored } from '../../src/recorder/exchange-of-request';
import { storageRouter } from '../../src/express/storage-router';
import { setDefaultRecorder } from '../../src/default-recorder';
import { storageMiddleware } from '../../src/express/storage-middleware';
import type { Principal } from '../../src/query/principal';
import { bearerToken, localhostOnly } from '../../src/router/ready-authenticators';
import { openRecorder } from '../recording/open-recorder';
import { ADMIN, ANN, newTestRecorder, record, type TestBody, type TestRecorder } from '../router/router-rig';

const express4 = jest.requireActual<typeof express5>('express4');

describe.each([
  ['5', express5],
  ['4', express4],
])('storageRouter on Express %s', (_, express) => {
  let recorder: TestRecorder;
  const authenticate = (): Principal => ANN;
  const mounted = (...before: express5.RequestHandler[]) => {
    const app = express();
    app.use(...(before.length > 0 ? before : ([(_req, _res, next) => next()] as express5.RequestHandler[])));
    app.use('/storage', storageRouter({ recorder, authenticate }));
    app.use((_req, res) => void res.status(418).send('host'));
    return app;
  };
  const bodyOf = (response: { body: unknown }) => response.body as TestBody;

  beforeEach(async () => {
    recorder = await newTestRecorder();
    await record(recorder, [
      { id: 'a', status: 200 },
      { id: 'b', status: 500 },
    ]);
  });

  it('answers below its mount and nowhere else', async () => {
    const agent = supertest(mounted());
    const sessions = await agent.get('/storage/sessions?page_size=5');
    expect([sessions.status, bodyOf(sessions).data.page_size]).toEqual([200, 5]);
    expect((await agent.get('/storage/entries/a')).status).toBe(200);
    expect((await agent.get('/storage')).status).toBe(404);
    expect((await agent.get('/storage/nope')).status).toBe(404);
    expect((await agent.get('/storages')).status).toBe(418);
    expect((await agent.get('/')).status).toBe(418);
  });

  it.each<[string, () => express5.RequestHandler[]]>([
    ['no parser', () => []],
    ['a JSON parser', () => [express.json()]],
    ['a parser of forms only', () => [express.urlencoded({ extended: true })]],
    ['a parser of text', () => [express.text({ type: '*/*' })]],
    ['a parser of bytes', () => [express.raw({ type: '*/*' })]],
    ['a slow middleware', () => [(_req, _res, next) => void setImmediate(next)]],
  ])('heeds the body behind %s', async (_name, parsers) => {
    const agent = supertest(mounted(...parsers()));
    const found = await agent.post('/storage/query').send({ status: '5xx' });
    expect(bodyOf(found).data.items.map(({ id }) => id)).toEqual(['b']);
    const wrong = await agent.post('/storage/query').send({ nope: 1 });
    expect([wrong.status, bodyOf(wrong).error.details.fields[0]?.field]).toEqual([400, 'nope']);
    expect(bodyOf(await agent.post('/storage/query')).data.total).toBe(2);
  });

  it.each([
    ['malformed JSON', 'application/json', '{"status":'],
    ['JSON that is no object', 'application/json', '[]'],
    ['bytes that are no UTF-8', 'application/json', Buffer.from([123, 34, 255, 34, 58, 49, 125])],
    ['a form', 'application/x-www-form-urlencoded', 'status=500'],
    ['text', 'text/plain', '{}'],
  ])('answers %s with 400', async (_name, type, body) => {
    const response = await supertest(mounted())
      .post('/storage/query')
      .type(type)
      .send(body as string);
    expect([response.status, bodyOf(response).error.code]).toEqual([400, 'VALIDATION_FAILED']);
  });

  it('refuses a form that a parser of the host took for an object', async () => {
    const agent = supertest(mounted(express.urlencoded({ extended: true })));
    const response = await agent.post('/storage/query').type('form').send('status=500');
    expect(response.status).toBe(400);
  });

  it('takes 100,000 bytes and answers 413 to one more, counted or announced', async () => {
    const agent = supertest(mounted());
    const body = (size: number) => `{"storage_type":"both"}${' '.repeat(size - 23)}`;
    expect((await agent.post('/storage/query').type('json').send(body(100_000))).status).toBe(200);
    const announced = await agent.post('/storage/query').type('json').send(body(100_001));
    expect([announced.status, bodyOf(announced).error.code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    const chunked = await answerBeforeEnd(mounted(), [body(50_000), ' '.repeat(50_001)]);
    expect(chunked).toBe(413);
    const parsed = supertest(mounted(express.json({ limit: '1mb' })));
    expect((await parsed.post('/storage/query').type('json').send(body(100_001))).status).toBe(413);
  });

  it('answers HEAD as GET, without a body', async () => {
    const response = await supertest(mounted()).head('/storage/entries/a');
    expect(response.status).toBe(200);
    expect(Number(response.headers['content-length'])).toBeGreaterThan(100);
    expect(response.text).toBeFalsy();
  });

  it('marks its requests, so that they are not recorded', async () => {
    let mark: unknown;
    const app = express();
    app.use((req, res, next) => {
      res.on('finish', () => (mark = isIgnored(req)));
      next();
    });
    app.use('/storage', storageRouter({ recorder, authenticate: () => undefined }));
    expect((await supertest(app).get('/storage/sessions')).status).toBe(401);
    expect(mark).toBe(true);
  });

  it('asks authenticate about the request, of Express’ own type too', async () => {
    const app = express();
    app.use(
      (req: express5.Request & { user?: unknown }, _res: express5.Response, next: express5.NextFunction) => {
        req.user = { id: 'ann' };
        next();
      },
    );
    const byUser = async (req: express5.Request & { user?: { id: string } }) =>
      req.user && { ownerId: req.user.id, isAdmin: req.get('x-admin') === '1' };
    app.use('/storage', storageRouter({ recorder, authenticate: byUser }));
    expect((await supertest(app).get('/storage/sessions')).status).toBe(200);
    expect((await supertest(app).get('/storage/stats')).status).toBe(403);
    expect((await supertest(app).get('/storage/stats').set('x-admin', '1')).status).toBe(200);
  });

  it('works with the ready authenticators', async () => {
    const token = bearerToken('correct-horse-battery', ADMIN);
    const app = express();
    app.use('/token', storageRouter({ recorder, authenticate: token }));
    app.use('/local', storageRouter({ recorder, authenticate: localhostOnly(ADMIN) }));
    const agent = supertest(app);
    expect((await agent.get('/token/stats')).status).toBe(401);
    expect(
      (await agent.get('/token/stats').set('authorization', 'Bearer correct-horse-battery')).status,
    ).toBe(200);
    expect((await agent.get('/local/stats')).status).toBe(200);
    expect((await agent.get('/local/stats').set('x-forwarded-for', '127.0.0.1')).status).toBe(401);
    expect((await agent.get('/local/stats').set('host', 'evil.test')).status).toBe(401);
  });

  it('names its mount in the OpenAPI document', async () => {
    const outer = express.Router();
    outer.use('/storage', storageRouter({ recorder, authenticate }));
    const app = express();
    app.use('/api', outer);
    const { body } = await supertest(app).get('/api/storage/openapi.json');
    expect(body).toMatchObject({ openapi: '3.1.0', servers: [{ url: '/api/storage' }] });
  });

  it('shows what the process’s own recorder keeps, the one at the time of the first request', async () => {
    const app = express();
    app.use(storageMiddleware());
    app.use('/storage', storageRouter({ authenticate: () => ADMIN }));
    const { recorder: own, entries } = openRecorder();
    setDefaultRecorder(own);
    await supertest(app).get('/unknown');
    await entries();
    const { body } = await supertest(app).post('/storage/query').send({ path: '/unknown' });
    expect(body).toMatchObject({ success: true, data: { total: 1 } });
  });

  it('survives a client that goes away within its body', async () => {
    const app = mounted();
    const server = createServer(app as RequestListener).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      await new Promise<void>((resolve) => {
        const { port } = server.address() as AddressInfo;
        const headers = { 'content-type': 'application/json', 'content-length': '1000' };
        const request = httpRequest({
          port,
          host: '127.0.0.1',
          method: 'POST',
          path: '/storage/query',
          headers,
        });
        request.on('error', () => resolve());
        request.write('{"status"', () => request.destroy());
        request.on('close', () => resolve());
      });
      const { port } = server.address() as AddressInfo;
      expect((await supertest(`http://127.0.0.1:${port}`).get('/storage/sessions')).status).toBe(200);
      expect(recorder.errors).toEqual([]);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe('storageRouter for Express', () => {
  it('is not built without authenticate', () => {
    expect(() => storageRouter({} as never)).toThrow(/authenticate/);
    expect(() => storageRouter(undefined as never)).toThrow(/authenticate/);
  });
});

/** Sends the beginning of a body whose length is not announced; resolves to the status of the answer. */
async function answerBeforeEnd(app: unknown, chunks: readonly string[]): Promise<number | undefined> {
  const server = createServer(app as RequestListener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const request = httpRequest({
        port,
        host: '127.0.0.1',
        method: 'POST',
        path: '/storage/query',
        headers,
        agent: false,
      });
      request.on('response', resolve).on('error', reject);
      for (const chunk of chunks) request.write(chunk);
      // The end comes only after the answer: the router must not wait for it.
      request.on('response', () => void request.end());
    });
    response.resume();
    return response.statusCode;
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}
