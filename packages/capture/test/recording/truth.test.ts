import { once } from 'node:events';
import { connect } from 'node:net';
import { createServer, type RequestListener, type Server } from 'node:http';
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  type ClientHttp2Session,
} from 'node:http2';
import { Readable } from 'node:stream';
import express from 'express';
import express4 from 'express4';
import Koa from 'koa';
import request from 'supertest';
import { newId } from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';
import { annotate } from '../../src/annotate';
import { decodeBody } from '../../src/codec';
import type { EntryStore } from '../../src/entries/entry-store';
import { storageMiddleware } from '../../src/express';
import { storageMiddleware as koaMiddleware } from '../../src/koa';
import { createMemoryEntryStore } from '../../src/testing';
import { openRecorder, idle, requestData } from './open-recorder';

function fail(): never {
  throw new Error('on purpose');
}

/** The store's methods, to be spread. */
function bound(store: EntryStore): EntryStore {
  return new Proxy(store, {
    ownKeys: () => ['kind', 'open', 'append'],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
    get: (target, key) => {
      const value = (target as never as Record<PropertyKey, unknown>)[key];
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Each of these was once recorded wrongly. */
describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('what is easy to get wrong on %s', (_name, framework) => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  it.each([
    ['null', () => null],
    [
      'an object that throws when it is read',
      () => Object.defineProperty({}, 'x', { enumerable: true, get: fail }),
    ],
    ['a Proxy that lists no keys', () => new Proxy({}, { ownKeys: fail })],
  ])('an exchange is kept whose metadata is %s', async (_what, metadata) => {
    const { recorder, entry } = openRecorder();
    const app = framework();
    app.use(storageMiddleware({ recorder, metadata: metadata as () => Record<string, unknown> }));
    app.get('/', (req, res) => {
      annotate(req, metadata() as never);
      annotate(req, { order: 7 });
      res.json({});
    });
    await request(app).get('/').expect(200);
    expect((await entry()).status).toBe(200);
  });

  it('closing ends although the store does not', async () => {
    const store = createMemoryEntryStore({ clock: new FakeClock(), newId, sessionMaxAgeMs: 1_000 });
    const { recorder, failures } = openRecorder(
      {},
      { ...bound(store), close: () => new Promise(() => undefined) },
    );
    await recorder.close({ timeoutMs: 1 });
    expect(failures).toMatchObject([{ where: 'close', error: { code: 'UNAVAILABLE' } }]);
  });
  const listen = async (app: RequestListener): Promise<number> => {
    const server = createServer(app).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as { port: number }).port;
  };

  it('an exchange whose program destroys request and response is recorded', async () => {
    const { recorder, entry, failures } = openRecorder();
    const app = framework();
    app.use(storageMiddleware({ recorder }));
    app.post('/a', async (req, res) => {
      let first = 0;
      for await (const chunk of req) {
        first = (chunk as Buffer).length;
        break;
      }
      expect(first).toBeGreaterThan(0);
      res.destroy();
    });
    await request(app)
      .post('/a')
      .type('text')
      .send('x'.repeat(200_000))
      .catch(() => undefined);
    expect(await entry()).toMatchObject({ path: '/a', outcome: 'failed', status: null });
    expect(failures).toEqual([]);
  });

  it('a response that is destroyed and then ended is failed, with the body up to there', async () => {
    const { recorder, entry } = openRecorder();
    const app = framework();
    app.use(storageMiddleware({ recorder }));
    app.get('/a', (_req, res) => {
      res.type('text').write('sent');
      res.destroy();
      res.write(', not sent');
      res.end();
    });
    const port = await listen(app);
    // HTTP/1.0 has no last chunk that would be missing.
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.write('GET /a HTTP/1.0\r\n\r\n');
    await once(socket.resume(), 'close');
    expect(await entry()).toMatchObject({ path: '/a', outcome: 'failed', responseOriginalBytes: 4 });
  });

  it('an aborted exchange keeps its client’s address, and so its session', async () => {
    const { recorder, entries } = openRecorder({ trustedProxies: 'loopback' });
    const app = framework();
    app.use(storageMiddleware({ recorder }));
    app.get('/ok', (_req, res) => {
      res.end();
    });
    app.get('/hang', () => undefined);
    const port = await listen(app);
    for (const address of ['1.1.1.1', '2.2.2.2']) {
      await request(`http://127.0.0.1:${String(port)}`)
        .get('/ok')
        .set('x-forwarded-for', address)
        .set('user-agent', 'a');
      const socket = connect(port, '127.0.0.1');
      socket.write(`GET /hang HTTP/1.1\r\nhost: x\r\nuser-agent: a\r\nx-forwarded-for: ${address}\r\n\r\n`);
      while (recorder.stats().open === 0) await once(servers[0]!, 'request');
      socket.destroy();
      await idle(recorder);
    }
    const found = await entries();
    expect(found.map(({ clientAddress }) => clientAddress)).toEqual([
      '1.1.1.1',
      '1.1.1.1',
      '2.2.2.2',
      '2.2.2.2',
    ]);
    const [first, second, third, fourth] = found.map(({ sessionId }) => sessionId);
    expect([second, fourth]).toEqual([first, third]);
    expect(first).not.toBe(third);
  });

  it('a body that came whole is whole although the handler answered at once', async () => {
    const { recorder, entry } = openRecorder();
    const app = framework();
    app.use(storageMiddleware({ recorder }));
    app.post('/x', (_req, res) => {
      res.json({});
    });
    await request(app).post('/x').type('text').send('hello world').expect(200);
    const stored = await entry();
    expect(stored.requestState).toBe('captured');
    expect(requestData(stored)).toBe('hello world');
  });

  it('a parsed body is what the client sent, not what the handler made of it', async () => {
    const { recorder, entry } = openRecorder();
    const app = framework();
    app.use(framework.json(), storageMiddleware({ recorder }));
    app.post('/x', (req, res) => {
      (req.body as { keep?: number }).keep = 2;
      req.body = { replaced: true };
      res.json({});
    });
    await request(app).post('/x').send({ keep: 1 }).expect(200);
    expect(requestData(await entry())).toEqual({ keep: 1 });
  });

  it('parsed text is text, and parsed bytes are size and digest only', async () => {
    const { recorder, entries } = openRecorder();
    const app = framework();
    app.use(framework.text(), framework.raw(), storageMiddleware({ recorder }));
    app.post('/x', (_req, res) => {
      res.end();
    });
    await request(app).post('/x').type('text').send('plain words');
    await request(app).post('/x').type('application/octet-stream').send(Buffer.from('password=hunter2'));
    const [text, bytes] = await entries();
    if (text === undefined || bytes === undefined) throw new Error('two entries expected');
    expect(requestData(text)).toBe('plain words');
    expect(bytes).toMatchObject({
      requestState: 'not_captured',
      requestBody: null,
      requestDetails: { source: 'parsed' },
    });
    expect(bytes.requestDetails.sha256).toHaveLength(64);
  });

  it('a route declared as an expression is named by it, and nothing of the path is in the endpoint', async () => {
    const { recorder, entries } = openRecorder();
    const app = framework();
    app.use(storageMiddleware({ recorder }));
    app.get(/^\/re\/(.*)$/, (_req, res) => {
      res.end();
    });
    const router = framework.Router();
    router.get('/z', (_req, res) => {
      res.end();
    });
    app.use(/^\/tok\/(\w+)/, router);
    await request(app).get('/re/55').expect(200);
    await request(app).get('/tok/abc/z').expect(200);
    const endpoints = (await entries()).map(({ endpoint }) => endpoint);
    expect(endpoints[0]).toContain('^\\/re\\/(.*)$');
    expect(endpoints[1]).not.toContain('abc');
  });

  it('a route whose parameter check fails has matched', async () => {
    const { recorder, entry } = openRecorder();
    const app = framework();
    app.set('env', 'test');
    app.use(storageMiddleware({ recorder }));
    const router = framework.Router();
    router.param('user', (_req, _res, next) => {
      next(Object.assign(new Error('no such user'), { status: 404 }));
    });
    router.get('/users/:user', (_req, res) => {
      res.end();
    });
    app.use('/v1/:tenant', router);
    await request(app).get('/v1/acme/users/7').expect(404);
    expect(await entry()).toMatchObject({
      endpoint: '/v1/:tenant/users/:user',
      errorMessage: 'no such user',
      status: 404,
    });
  });

  it('what is excluded is excluded in every spelling that reaches the route', async () => {
    const { recorder, entries } = openRecorder({ exclude: ['/login', '/admin/**'] });
    const app = framework();
    app.use(storageMiddleware({ recorder }));
    app.use((_req, res) => {
      res.end();
    });
    for (const path of ['/login', '/LOGIN', '/login/', '/%6Cogin', '/Admin/1', '/logins'])
      await request(app).get(path);
    expect((await entries()).map(({ path }) => path)).toEqual(['/logins']);
  });

  it('an error that cannot be described does not change which error the host shows', async () => {
    const { recorder, entry } = openRecorder();
    const app = framework();
    app.use(storageMiddleware({ recorder }));
    const hostile = (): void => undefined;
    hostile.toString = (): never => {
      throw new Error('toString');
    };
    app.get('/', (_req, _res, next) => {
      next(hostile);
    });
    app.use(((error, _req, res, _next) => {
      res.status(500).send(String(error === hostile));
    }) as express.ErrorRequestHandler);
    await request(app).get('/').expect(500, 'true');
    expect(await entry()).toMatchObject({ outcome: 'failed', errorName: 'Error' });
  });
});

describe('what is easy to get wrong on Koa', () => {
  type Replace = (onerror: (error: Error | null) => void, app: Koa) => Koa.Middleware | undefined;

  const told = (onerror: (error: Error | null) => void) =>
    function (this: Koa.Context, error: Error | null): void {
      onerror(error);
      this.res.destroy();
    };

  it.each<[string, boolean, Replace]>([
    ['in the usual way', false, () => undefined],
    [
      'where the app has an error handler of its own',
      true,
      (onerror, app) => void (app.context.onerror = told(onerror)),
    ],
    [
      'where the app gets another one between two requests',
      true,
      (onerror, app) => (context, next) => {
        if (context.path === '/second') app.context.onerror = told(onerror);
        return next();
      },
    ],
    [
      'where a middleware before gives one to each context',
      true,
      (onerror) => (context, next) => {
        context.onerror = told(onerror);
        return next();
      },
    ],
    [
      'where nothing can be put on what contexts inherit from',
      false,
      (_onerror, app) => void Object.preventExtensions(app.context),
    ],
  ])(
    'a stream that fails while it is the answer has its error recorded %s',
    async (_how, isReplaced, replace) => {
      const { recorder, entries, failures } = openRecorder();
      const app = new Koa();
      app.silent = true;
      const heard: (Error | null)[] = [];
      const first = replace((error) => void heard.push(error), app);
      if (first !== undefined) app.use(first);
      app.use(koaMiddleware({ recorder }));
      app.use((context) => {
        const body = new Readable({ read: () => undefined });
        body.push('begun');
        context.body = body;
        setImmediate(() => body.destroy(new RangeError('source died')));
      });
      const server = createServer(app.callback());
      for (const path of ['/first', '/second'])
        await request(server)
          .get(path)
          .catch(() => undefined);
      const streamed = (await entries()).filter(({ errorName }) => errorName !== null);
      expect(streamed.at(-1)).toMatchObject({
        path: '/second',
        outcome: 'failed',
        errorName: 'RangeError',
        errorMessage: 'source died',
      });
      expect(heard.some((error) => error?.message === 'source died')).toBe(isReplaced);
      expect(failures).toEqual([]);
    },
  );

  // Each of the two put its own before the other's, request by request.
  it('an app whose routes are recorded by two copies of this package keeps one error handler of theirs', async () => {
    let otherCopy = koaMiddleware;
    jest.isolateModules(() => {
      const copy = jest.requireActual<{ storageMiddleware: typeof koaMiddleware }>('../../src/koa');
      otherCopy = copy.storageMiddleware;
    });
    expect(otherCopy).not.toBe(koaMiddleware);
    const app = new Koa();
    const { recorder } = openRecorder();
    const [here, there] = [koaMiddleware({ recorder }), otherCopy({ recorder })];
    app.use((context, next) => (context.path === '/here' ? here : there)(context, next));
    const handlers = new Set<unknown>();
    app.use((context) => {
      handlers.add(context.onerror);
      context.body = 'ok';
    });
    const server = createServer(app.callback());
    for (const path of ['/here', '/there', '/here']) await request(server).get(path).expect(200);
    expect(handlers.size).toBe(1);
  });
});

describe('decodeBody', () => {
  it('does not call corrupt what a query left out', () => {
    const entry = { responseState: 'captured', responseCodec: 'identity', responseUnpackedBytes: 3 };
    expect(decodeBody(entry as never, 'response')).toEqual({ data: null });
  });
});

describe('over HTTP/2', () => {
  const opened = (app: Koa): Promise<{ session: ClientHttp2Session; end(): Promise<void> }> =>
    new Promise((resolve) => {
      const server = createHttp2Server(app.callback()).listen(0, '127.0.0.1', () => {
        const { port } = server.address() as { port: number };
        const session = connectHttp2(`http://127.0.0.1:${String(port)}`);
        const end = async (): Promise<void> => {
          session.destroy();
          await new Promise((done) => server.close(done));
        };
        resolve({ session, end });
      });
    });

  it('a HEAD that is never answered is over when its stream is', async () => {
    const { recorder, entry } = openRecorder();
    const app = new Koa();
    app.use(koaMiddleware({ recorder }));
    const entered = new Promise<void>((resolve) => {
      app.use((context) => {
        context.respond = false;
        resolve();
      });
    });
    const { session, end } = await opened(app);
    const stream = session.request({ ':method': 'HEAD', ':path': '/never' });
    stream.on('error', () => undefined);
    await entered;
    stream.close();
    await once(stream, 'close');
    const { path, status, outcome } = await entry();
    await end();
    expect({ path, status }).toEqual({ path: '/never', status: null });
    expect(outcome).not.toBe('completed');
  });

  it('a secret in the query is not kept in a header field', async () => {
    const { recorder, entry } = openRecorder();
    const app = new Koa();
    app.use(koaMiddleware({ recorder }));
    app.use((context) => {
      context.body = 'ok';
    });
    const { session, end } = await opened(app);
    const stream = session.request({ ':path': '/login?password=hunter2secret' });
    await once(stream.resume(), 'close');
    const stored = await entry();
    expect(JSON.stringify(stored)).not.toContain('hunter2secret');
    expect(stored.requestHeaders.map(([name]) => name)).toEqual([':authority']);
    expect(stored.responseHeaders.map(([name]) => name)).toContain('date');
    await end();
  });
});
