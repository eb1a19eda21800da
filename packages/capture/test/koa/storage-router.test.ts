import { bodyParser } from '@koa/bodyparser';
import Router from '@koa/router';
import Koa3 from 'koa';
import supertest from 'supertest';
import { isIgnored } from '../../src/recorder/exchange-of-request';
import { storageRouter, type KoaStorageRouterOptions } from '../../src/koa/storage-router';
import { setDefaultRecorder } from '../../src/default-recorder';
import { storageMiddleware } from '../../src/koa/storage-middleware';
import type { Principal } from '../../src/query/principal';
import { bearerToken, localhostOnly } from '../../src/router/ready-authenticators';
import { openRecorder } from '../recording/open-recorder';
import { ADMIN, ANN, newTestRecorder, record, type TestBody, type TestRecorder } from '../router/router-rig';

const Koa2 = jest.requireActual<typeof Koa3>('koa2');
const mount = jest.requireActual<(path: string, middleware: Koa3.Middleware) => Koa3.Middleware>('koa-mount');

describe.each([
  ['3', Koa3],
  ['2', Koa2],
])('storageRouter on Koa %s', (_, Koa) => {
  let recorder: TestRecorder;
  const authenticate = (): Principal => ANN;
  const router = (options: Partial<KoaStorageRouterOptions> = {}): Koa3.Middleware =>
    storageRouter({ recorder, authenticate, ...options });
  const serve = (...middleware: Koa3.Middleware[]) => {
    const app = new Koa();
    app.silent = true;
    for (const each of middleware) app.use(each);
    app.use((ctx) => {
      ctx.status = 418;
      ctx.body = 'host';
    });
    return supertest(app.callback());
  };
  const bodyOf = (response: { body: unknown }) => response.body as TestBody;

  beforeEach(async () => {
    recorder = await newTestRecorder();
    await record(recorder, [
      { id: 'a', status: 200 },
      { id: 'b', status: 500 },
    ]);
  });

  it('answers below its prefix and passes on the rest', async () => {
    const agent = serve(router());
    const sessions = await agent.get('/storage/sessions?page_size=5');
    expect([sessions.status, bodyOf(sessions).data.page_size]).toEqual([200, 5]);
    expect(sessions.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    expect((await agent.get('/storage')).status).toBe(404);
    expect((await agent.get('/storage/nope')).status).toBe(404);
    expect((await agent.get('/storages')).status).toBe(418);
    expect((await agent.get('/api/storage/sessions')).status).toBe(418);
  });

  it.each<[string, () => Koa3.Middleware[]]>([
    ['no parser', () => []],
    ['a JSON parser', () => [bodyParser()]],
    ['a parser of forms only', () => [bodyParser({ enableTypes: ['form'] })]],
    [
      'a parser of text',
      () => [bodyParser({ enableTypes: ['text'], extendTypes: { text: ['application/json'] } })],
    ],
    ['a slow middleware', () => [(_ctx, next) => new Promise(setImmediate).then(next)]],
  ])('heeds the body behind %s', async (_name, parsers) => {
    const agent = serve(...parsers(), router());
    const found = await agent.post('/storage/query').send({ status: '5xx' });
    expect(bodyOf(found).data.items.map(({ id }) => id)).toEqual(['b']);
    const wrong = await agent.post('/storage/query').send({ nope: 1 });
    expect([wrong.status, bodyOf(wrong).error.details.fields[0]?.field]).toEqual([400, 'nope']);
    expect(bodyOf(await agent.post('/storage/query')).data.total).toBe(2);
  });

  it('answers malformed JSON with 400 and a large body with 413', async () => {
    const agent = serve(router());
    const send = (body: string) => agent.post('/storage/query').type('json').send(body);
    expect((await send('{"status":')).status).toBe(400);
    expect((await send(`{}${' '.repeat(100_000)}`)).status).toBe(413);
    expect((await send(`{}${' '.repeat(99_998)}`)).status).toBe(200);
  });

  it('answers HEAD as GET, without a body', async () => {
    const response = await serve(router()).head('/storage/entries/a');
    expect(response.status).toBe(200);
    expect(Number(response.headers['content-length'])).toBeGreaterThan(100);
    expect(response.text).toBeFalsy();
  });

  it.each(['', '/'])('works under koa-mount with the prefix %j', async (prefix) => {
    const agent = serve(mount('/inner', router({ prefix })));
    expect((await agent.get('/inner/sessions')).status).toBe(200);
    expect((await agent.post('/inner/query').send({ status: 500 })).body).toMatchObject({
      data: { total: 1 },
    });
    expect((await agent.get('/inner/openapi.json')).body).toMatchObject({ servers: [{ url: '/inner' }] });
    expect((await agent.get('/inner')).status).toBe(404);
    expect((await agent.get('/inners/sessions')).status).toBe(418);
  });

  it('works within @koa/router, with and without a prefix of its own', async () => {
    const plain = new Router();
    plain.all('/storage{/*rest}', router() as never);
    const prefixed = new Router({ prefix: '/api' });
    prefixed.all('/storage{/*rest}', router({ prefix: '/api/storage' }) as never);
    const agent = serve(plain.routes() as never, prefixed.routes() as never);
    for (const base of ['/storage', '/api/storage']) {
      expect((await agent.get(`${base}/entries/a`)).status).toBe(200);
      expect((await agent.post(`${base}/query`).send({ nope: 1 })).status).toBe(400);
      expect((await agent.get(`${base}/openapi.json`)).body).toMatchObject({ servers: [{ url: base }] });
      expect((await agent.get(`${base}/nope`)).status).toBe(404);
    }
  });

  it.each(['/a/b', 'a/b/', '//a/b//'])('understands the prefix %j', async (prefix) => {
    const agent = serve(router({ prefix }));
    expect((await agent.get('/a/b/sessions')).status).toBe(200);
    expect((await agent.get('/a/bc')).status).toBe(418);
  });

  it('marks its requests, and only its own, so that they are not recorded', async () => {
    const marks: unknown[] = [];
    const watch: Koa3.Middleware = async (ctx, next) => {
      await next();
      marks.push(isIgnored(ctx.req));
    };
    const agent = serve(watch, router({ authenticate: () => undefined }));
    expect((await agent.get('/storage/sessions')).status).toBe(401);
    expect((await agent.get('/host')).status).toBe(418);
    expect(marks).toEqual([true, false]);
  });

  it('asks authenticate about the context', async () => {
    const login: Koa3.Middleware = (ctx, next) => {
      ctx.state['user'] = { id: 'ann' };
      return next();
    };
    const byUser: KoaStorageRouterOptions['authenticate'] = async (ctx) => {
      const user = ctx.state['user'] as { id: string };
      return { ownerId: user.id, isAdmin: ctx.headers['x-admin'] === '1' };
    };
    const agent = serve(login, router({ authenticate: byUser }));
    expect((await agent.get('/storage/stats')).status).toBe(403);
    expect((await agent.get('/storage/stats').set('x-admin', '1')).status).toBe(200);
  });

  // Keeps away: a refusal of the host's own taken for one of the router's, and the other way round.
  it('answers 500 when authenticate throws, even an HTTP error', async () => {
    const denied = router({
      authenticate: () => {
        throw Object.assign(new Error('no'), { status: 401, expose: true });
      },
    });
    const response = await serve(denied).get('/storage/sessions');
    expect([response.status, bodyOf(response).error.code]).toEqual([500, 'INTERNAL']);
  });

  it('works with the ready authenticators', async () => {
    const token = router({ prefix: '/token', authenticate: bearerToken('correct-horse-battery', ADMIN) });
    const local = router({ prefix: '/local', authenticate: localhostOnly(ADMIN) });
    const agent = serve(token, local);
    expect((await agent.get('/token/stats')).status).toBe(401);
    expect(
      (await agent.get('/token/stats').set('authorization', 'Bearer correct-horse-battery')).status,
    ).toBe(200);
    expect((await agent.get('/local/stats')).status).toBe(200);
    expect((await agent.get('/local/stats').set('forwarded', 'for=127.0.0.1')).status).toBe(401);
  });

  it('shows what the process’s own recorder keeps', async () => {
    const { recorder: own, entries } = openRecorder();
    setDefaultRecorder(own);
    const agent = serve(storageMiddleware(), storageRouter({ authenticate: () => ADMIN }));
    await agent.get('/host');
    await entries();
    const { body } = await agent.post('/storage/query').send({ path: '/host' });
    expect(body).toMatchObject({ success: true, data: { total: 1 } });
  });
});

describe('storageRouter for Koa', () => {
  it('is not built without authenticate', () => {
    expect(() => storageRouter({} as never)).toThrow(/authenticate/);
  });
});
