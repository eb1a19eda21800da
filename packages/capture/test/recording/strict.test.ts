import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { newId, StorageError } from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';
import express, { type Express, type Response } from 'express';
import Koa from 'koa';
import type { EntryStore, NewEntry } from '../../src/entries/entry-store';
import { storageMiddleware } from '../../src/express';
import { armFaultPoints, type FaultPoint } from '../../src/fault-point';
import { storageMiddleware as koaMiddleware } from '../../src/koa';
import type { RecorderOptions } from '../../src/recorder/recorder-options';
import { storeApiData } from '../../src/store-api-data';
import { createMemoryEntryStore } from '../../src/testing';
import { idle, openRecorder, responseData } from './open-recorder';
import { PROGRAMS } from './programs';

/** A store in memory that commits when the test lets it. */
class GatedStore {
  readonly groups: string[][] = [];
  #mode: 'open' | 'held' | 'away' = 'open';
  #waiting: (() => void)[] = [];
  readonly store: EntryStore;

  constructor(refuses: (entry: NewEntry) => boolean = () => false) {
    const memory = createMemoryEntryStore({
      clock: new FakeClock(),
      newId,
      sessionMaxAgeMs: 24 * 3_600_000,
    });
    const append = async (entries: readonly NewEntry[]) => {
      this.groups.push(entries.map(({ path }) => path ?? ''));
      if (this.#mode === 'held') await new Promise<void>((resolve) => this.#waiting.push(resolve));
      if (this.#mode === 'away') throw new StorageError('UNAVAILABLE', 'away');
      if (entries.some(refuses)) throw new Error('refused');
      return memory.append(entries);
    };
    this.store = Object.assign(Object.create(memory) as EntryStore, { append });
  }

  hold(): void {
    this.#mode = 'held';
  }

  goAway(): void {
    this.#mode = 'away';
    for (const go of this.#waiting.splice(0)) go();
  }

  /** Lets the oldest commit through; those that follow are held as before. */
  letOne(): void {
    this.#waiting.shift()?.();
  }

  /** Lets the youngest through. */
  letLast(): void {
    this.#waiting.pop()?.();
  }

  /** Those who wait are told that the store is away. */
  fail(): void {
    this.#mode = 'away';
    this.letOne();
  }

  letGo(): void {
    this.#mode = 'open';
    for (const go of this.#waiting.splice(0)) go();
  }
}

/** A connection whose bytes the test sees as they come. */
class Client {
  received = '';
  isClosed = false;
  readonly socket: Socket;
  readonly closed: Promise<unknown>;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (bytes: Buffer) => {
      this.received += bytes.toString('latin1');
    });
    this.socket.on('error', () => undefined);
    this.closed = once(this.socket, 'close').then(() => {
      this.isClosed = true;
    });
  }

  get(path: string, method = 'GET'): void {
    this.socket.write(`${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('It does not come.');
    await nextTurn();
  }
}

/** As many turns as any byte on its way over loopback needs. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
}

const running: (() => Promise<void>)[] = [];
afterEach(async () => {
  armFaultPoints(undefined);
  for (const stop of running.splice(0)) await stop();
});

async function serve(
  build: (recorder: ReturnType<typeof openRecorder>['recorder']) => Server,
  options: RecorderOptions = {},
  gated = new GatedStore(),
) {
  const opened = openRecorder({ durability: 'strict', ...options }, gated.store);
  const server = build(opened.recorder);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  running.push(async () => {
    gated.letGo();
    // HTTP/2 has none.
    (server as Partial<Server>).closeAllConnections?.();
    server.close();
    await opened.recorder.close();
  });
  const balance = (): void => {
    const { captured, stored, queued, spooled, shed } = opened.recorder.stats();
    const allShed = Object.values(shed).reduce((sum, count) => sum + count, 0);
    expect(stored + queued + spooled + allShed).toBe(captured);
  };
  return { ...opened, gated, server, port, client: () => new Client(port), balance };
}

const serveRoutes = (routes: (app: Express) => void, options?: RecorderOptions, gated?: GatedStore) =>
  serve(
    (recorder) => {
      const app = express();
      app.set('env', 'test');
      app.use(storageMiddleware({ recorder }));
      routes(app);
      return createServer(app);
    },
    options,
    gated,
  );

describe.each(PROGRAMS)('durability "strict" on %s', (_name, build) => {
  it('sends no byte of an answer before its exchange is committed', async () => {
    const { gated, client, recorder, entry } = await serve(build);
    gated.hold();
    const one = client();
    one.get('/orders/7');
    await until(() => gated.groups.length === 1);
    await someTurns();
    expect(one.received).toBe('');
    gated.letGo();
    await until(() => one.received.endsWith('{"id":"7"}'));
    expect(one.received).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    const stored = await entry();
    expect(recorder.budget.usedBytes).toBe(0);
    expect(stored).toMatchObject({
      path: '/orders/7',
      endpoint: '/orders/:id',
      status: 200,
      outcome: 'completed',
    });
  });

  it('lets a stream pass but for its end', async () => {
    const { gated, client } = await serve(build);
    gated.hold();
    const one = client();
    one.get('/stream');
    await until(() => one.received.includes('two '));
    await someTurns();
    expect(one.received).not.toContain('three');
    gated.letGo();
    await until(() => one.received.endsWith('0\r\n\r\n'));
    expect(one.received).toContain('three');
  });

  it('answers 503 while the store is away, and records what the client got when it is back', async () => {
    const { gated, port, recorder, entry, balance } = await serve(build);
    await recorder.ready();
    gated.goAway();
    const answer = await fetch(`http://127.0.0.1:${port}/orders/7`);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { error } = (await answer.json()) as { error: { code: string; details: { entry_id: string } } };
    expect(error.code).toBe('CAPTURE_UNAVAILABLE');
    balance();
    expect(recorder.stats()).toMatchObject({ captured: 1, stored: 0, strictFailures: { commit_failed: 1 } });
    gated.letGo();
    const stored = await entry();
    expect(stored).toMatchObject({
      id: error.details.entry_id,
      status: 503,
      outcome: 'failed',
      errorName: 'CAPTURE_UNAVAILABLE',
    });
    expect(responseData(stored)).toMatchObject({ error: { code: 'CAPTURE_UNAVAILABLE' } });
    balance();
  });

  it('answers as the program does while the store is away when that is asked for, and stores it later', async () => {
    const { gated, port, recorder, entry, balance } = await serve(build, { onStrictFailure: 'fail-open' });
    await recorder.ready();
    gated.goAway();
    const answer = await fetch(`http://127.0.0.1:${port}/orders/7`);
    expect([answer.status, await answer.json()]).toEqual([200, { id: '7' }]);
    expect(recorder.stats()).toMatchObject({ captured: 1, stored: 0, strictFailures: { commit_failed: 1 } });
    balance();
    gated.letGo();
    expect(await entry()).toMatchObject({ status: 200, outcome: 'completed' });
    balance();
  });

  it.each([
    ['fail-closed', 503],
    ['fail-open', 200],
  ] as const)(
    'answers as %s says when Recap itself fails, at whichever step',
    async (onStrictFailure, status) => {
      const { port, recorder, entries, balance } = await serve(build, { onStrictFailure });
      await recorder.ready();
      let failed = 0;
      for (const step of ['begin', 'tap', 'build'] satisfies FaultPoint[]) {
        armFaultPoints((point) => {
          if (point === step) throw new Error('odd');
        });
        const answer = await fetch(`http://127.0.0.1:${port}/orders/7`);
        expect([step, answer.status]).toEqual([step, status]);
        const wasHandled = step === 'build';
        expect(await answer.json()).toMatchObject(
          status === 200
            ? { id: '7' }
            : {
                error: {
                  code: 'CAPTURE_UNAVAILABLE',
                  message: expect.stringContaining(wasHandled ? 'was handled' : 'was not handled') as string,
                },
              },
        );
        await idle(recorder);
        failed += 1;
        expect(recorder.stats()).toMatchObject({
          captured: failed,
          shed: { internal_error: failed },
          strictFailures: { internal_error: failed },
        });
        balance();
      }
      armFaultPoints(undefined);
      expect((await fetch(`http://127.0.0.1:${port}/orders/8`)).status).toBe(200);
      expect(await entries()).toMatchObject([{ path: '/orders/8', status: 200 }]);
    },
  );

  it('breaks off an answer that has begun when its exchange cannot be committed', async () => {
    const { gated, client, entry } = await serve(build);
    gated.hold();
    const one = client();
    one.get('/stream');
    await until(() => one.received.includes('two '));
    gated.goAway();
    await one.closed;
    expect(one.received).not.toContain('three');
    gated.letGo();
    expect(await entry()).toMatchObject({ status: 200, outcome: 'failed', closedBy: 'connection' });
  });
});

describe.each(PROGRAMS)('a commit of "strict" on %s that comes through too late', (_name, build) => {
  it.each([
    ['before', 'letOne'],
    ['after', 'letLast'],
  ] as const)('%s the correction leaves an entry that says what the client got', async (_when, first) => {
    const { gated, port, recorder, entry, balance } = await serve(build, {
      strictTimeoutMs: 30,
      flushIntervalMs: 1,
    });
    await recorder.ready();
    gated.hold();
    const answer = await fetch(`http://127.0.0.1:${port}/orders/7`);
    expect(answer.status).toBe(503);
    await until(() => gated.groups.length === 2);
    gated[first]();
    await someTurns();
    balance();
    gated.letGo();
    const stored = await entry();
    expect(stored).toMatchObject({
      status: 503,
      outcome: 'failed',
      errorName: 'CAPTURE_UNAVAILABLE',
      errorMessage: 'The program answered 200, which was withheld: it could not be committed.',
    });
    expect(responseData(stored)).toEqual(await answer.json());
    balance();
    expect(recorder.stats()).toMatchObject({ captured: 1, stored: 1, strictFailures: { timeout: 1 } });
  });

  it('leaves an entry that says of a stream that it was broken off', async () => {
    const { gated, client, entry } = await serve(build, { strictTimeoutMs: 30, flushIntervalMs: 1 });
    gated.hold();
    const one = client();
    one.get('/stream');
    await one.closed;
    await until(() => gated.groups.length === 2);
    gated.letOne();
    await someTurns();
    gated.letGo();
    expect(await entry()).toMatchObject({
      status: 200,
      outcome: 'failed',
      errorName: 'CAPTURE_UNAVAILABLE',
      closedBy: 'connection',
    });
  });

  it('is corrected although the correction fails at first', async () => {
    const { gated, port, recorder, entry, balance } = await serve(build, {
      strictTimeoutMs: 30,
      flushIntervalMs: 1,
    });
    await recorder.ready();
    gated.hold();
    await fetch(`http://127.0.0.1:${port}/orders/7`);
    await until(() => gated.groups.length === 2);
    gated.letOne();
    await someTurns();
    gated.fail();
    await until(() => recorder.writer.isFailing);
    balance();
    gated.letGo();
    expect(await entry()).toMatchObject({ status: 503, errorName: 'CAPTURE_UNAVAILABLE' });
    expect(recorder.stats()).toMatchObject({ captured: 1, stored: 1, shed: {} });
  });

  it('stands where the program was let answer', async () => {
    const { gated, port, recorder, entry } = await serve(build, {
      strictTimeoutMs: 30,
      onStrictFailure: 'fail-open',
    });
    await recorder.ready();
    gated.hold();
    expect((await fetch(`http://127.0.0.1:${port}/orders/7`)).status).toBe(200);
    gated.letGo();
    expect(await entry()).toMatchObject({ status: 200, outcome: 'completed' });
  });
});

describe('durability "strict" on Koa over HTTP/2', () => {
  /** @returns status and body; rejects when the stream is reset */
  async function request(port: number, path: string): Promise<[status: unknown, body: string]> {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    try {
      const stream = session.request({ ':path': path });
      const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
      let body = '';
      for await (const chunk of stream) body += String(chunk);
      return [headers[':status'], body];
    } finally {
      session.destroy();
    }
  }
  const build = (recorder: Parameters<Parameters<typeof serve>[0]>[0]): Server => {
    const app = new Koa();
    app.silent = true;
    app.use(koaMiddleware({ recorder }));
    app.use((context) => {
      if (context.path !== '/stream') {
        context.set('Set-Cookie', 'a=b');
        context.body = 'answer';
        return;
      }
      context.respond = false;
      context.res.statusCode = 200;
      context.res.write('part');
      setImmediate(() => context.res.end('end'));
    });
    return createHttp2Server(app.callback()) as unknown as Server;
  };

  it('holds, answers 503 or breaks off as over HTTP/1', async () => {
    const { gated, port, recorder, entries, balance } = await serve(build);
    await recorder.ready();
    gated.hold();
    const waiting = request(port, '/');
    let isAnswered = false;
    void waiting.then(() => (isAnswered = true));
    await until(() => gated.groups.length === 1);
    await someTurns();
    expect(isAnswered).toBe(false);
    gated.letGo();
    expect(await waiting).toEqual([200, 'answer']);
    gated.goAway();
    const [status, body] = await request(port, '/');
    expect([status, JSON.parse(body)]).toMatchObject([503, { error: { code: 'CAPTURE_UNAVAILABLE' } }]);
    await expect(request(port, '/stream')).rejects.toMatchObject({ code: 'ERR_HTTP2_STREAM_ERROR' });
    balance();
    gated.letGo();
    const stored = await entries();
    expect(stored.map((each) => [each.status, each.outcome])).toEqual([
      [200, 'completed'],
      [503, 'failed'],
      [200, 'failed'],
    ]);
  });
});

describe('durability "strict"', () => {
  it('commits together what waits together', async () => {
    const { gated, client, balance } = await serveRoutes((app) =>
      app.get('/:n', (request, response) => void response.send(request.params.n)),
    );
    gated.hold();
    const clients = Array.from({ length: 12 }, client);
    clients[0]?.get('/0');
    await until(() => gated.groups.length === 1);
    clients.slice(1).forEach((each, index) => each.get(`/${index + 1}`));
    let seen = 0;
    await until(() => (seen += 1) > 50);
    balance();
    gated.letGo();
    await until(() => clients.every(({ received }) => received !== ''));
    expect(gated.groups.map((group) => group.length)).toEqual([1, 11]);
    balance();
  });

  it('waits no longer than it may, counts what it did not wait for, and stores each exchange once', async () => {
    const { gated, port, recorder, entries, balance } = await serveRoutes(
      (app) => app.get('/:n', (request, response) => void response.send(request.params.n)),
      { strictTimeoutMs: 30 },
    );
    await recorder.ready();
    gated.hold();
    const answers = await Promise.all([1, 2, 3].map((n) => fetch(`http://127.0.0.1:${port}/${n}`)));
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
    expect(recorder.stats()).toMatchObject({ captured: 3, queued: 3, strictFailures: { timeout: 3 } });
    expect(recorder.isDegraded()).toBe(true);
    balance();
    gated.letGo();
    expect(await entries()).toHaveLength(3);
    expect(recorder.isDegraded()).toBe(false);
    expect(recorder.stats()).toMatchObject({ captured: 3, stored: 3, queued: 0, shed: {} });
  });

  it('withholds the answer alone whose exchange the store refuses for what it is', async () => {
    const gated = new GatedStore(({ path }) => path === '/bad');
    const { client, recorder, balance } = await serveRoutes(
      (app) => app.get('/:n', (request, response) => void response.send(request.params.n)),
      {},
      gated,
    );
    gated.hold();
    const clients = ['/first', '/good', '/bad', '/fine'].map((path) => ({ path, each: client() }));
    clients[0]?.each.get('/first');
    await until(() => gated.groups.length === 1);
    for (const { path, each } of clients.slice(1)) each.get(path);
    await until(() => recorder.stats().queued === 4);
    gated.letGo();
    await until(() => clients.every(({ each }) => each.received !== ''));
    expect(clients.map(({ each }) => each.received.slice(9, 12))).toEqual(['200', '200', '503', '200']);
    expect(recorder.stats()).toMatchObject({ stored: 3, shed: { poison: 1 }, strictFailures: { poison: 1 } });
    balance();
  });

  it.each([
    ['fail-closed', '503'],
    ['fail-open', '200'],
  ] as const)('answers once it is closed as %s says', async (onStrictFailure, status) => {
    const { client, recorder, balance } = await serveRoutes(
      (app) => app.get('/', (_request, response) => void response.send('late')),
      { onStrictFailure },
    );
    await recorder.close();
    const one = client();
    one.get('/');
    await until(() => one.received !== '');
    expect(one.received.slice(9, 12)).toBe(status);
    expect(recorder.stats()).toMatchObject({
      captured: 1,
      shed: { closed: 1 },
      strictFailures: { closed: 1 },
    });
    balance();
  });

  it('refuses a decorated handler that nobody else records, when Recap itself fails', async () => {
    let calls = 0;
    const { port, recorder } = await serve((theirs) => {
      class Orders {
        @storeApiData({ recorder: theirs })
        read(_request: unknown, response: Response): void {
          calls += 1;
          response.send('read');
        }
      }
      const orders = new Orders();
      const app = express();
      app.get('/', (request, response) => {
        orders.read(request, response);
      });
      return createServer(app);
    });
    await recorder.ready();
    armFaultPoints((point) => {
      if (point === 'begin') throw new Error('odd');
    });
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(503);
    expect(calls).toBe(0);
    armFaultPoints(undefined);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
    expect(calls).toBe(1);
  });

  it('commits what waits when it is closed, and gives up at the deadline', async () => {
    const routes = (app: Express): unknown =>
      app.get('/', (_request, response) => void response.send('answer'));
    const good = await serveRoutes(routes);
    good.gated.hold();
    const one = good.client();
    one.get('/');
    await until(() => good.gated.groups.length === 1);
    const closing = good.recorder.close();
    good.gated.letGo();
    await closing;
    await until(() => one.received.endsWith('answer'));
    const bad = await serveRoutes(routes);
    bad.gated.hold();
    const two = bad.client();
    two.get('/');
    await until(() => bad.gated.groups.length === 1);
    await bad.recorder.close({ timeoutMs: 20 });
    await until(() => two.received !== '');
    expect(two.received.slice(9, 12)).toBe('503');
    expect(bad.recorder.stats()).toMatchObject({ captured: 1, queued: 0, shed: { closed: 1 } });
  });

  it('answers pipelined requests in their order, each after its commit', async () => {
    const { gated, client } = await serveRoutes((app) =>
      app.get('/:n', (request, response) => {
        // The second comes when the first is with the store.
        if (request.params.n === '1') response.send('answer 1');
        else void until(() => gated.groups.length === 1).then(() => response.send('answer 2'));
      }),
    );
    gated.hold();
    const one = client();
    one.socket.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => gated.groups.length === 1);
    await someTurns();
    expect(one.received).toBe('');
    gated.letOne();
    await until(() => gated.groups.length === 2 && one.received.endsWith('answer 1'));
    await someTurns();
    expect(one.received).not.toContain('answer 2');
    gated.letGo();
    await until(() => one.received.endsWith('answer 2'));
  });

  it('refuses pipelined answers in their order and keeps the connection', async () => {
    const { gated, client, recorder } = await serveRoutes((app) =>
      app.get('/:n', (request, response) => void response.send(`answer ${request.params.n}`)),
    );
    await recorder.ready();
    gated.goAway();
    const one = client();
    one.socket.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => (one.received.match(/HTTP\/1\.1 503 Service Unavailable/g) ?? []).length === 2);
    expect(one.received.match(/"code":"CAPTURE_UNAVAILABLE"/g)).toHaveLength(1);
    gated.letGo();
    one.get('/3');
    await until(() => one.received.endsWith('answer 3'));
    expect(one.isClosed).toBe(false);
  });

  it('holds the chunk that completes a declared length, and the head of an answer that has no body', async () => {
    const { gated, client } = await serveRoutes((app) => {
      app.get('/length', (_request, response) => {
        response.setHeader('Content-Length', 6);
        response.write('abc');
        setImmediate(() => response.write('def'));
      });
      app.head('/head', (_request, response) => {
        response.flushHeaders();
      });
    });
    gated.hold();
    const one = client();
    one.get('/length');
    await until(() => gated.groups.length === 1);
    await someTurns();
    expect(one.received.endsWith('\r\n\r\nabc')).toBe(true);
    const two = client();
    two.get('/head', 'HEAD');
    await someTurns();
    expect(two.received).toBe('');
    gated.letGo();
    await until(() => one.received.endsWith('abcdef') && two.received.endsWith('\r\n\r\n'));
  });

  it('holds the end of the connection that ends an answer without a length', async () => {
    const { gated, client } = await serveRoutes((app) => {
      app.get('/', (_request, response) => {
        response.write('part');
        setImmediate(() => response.end());
      });
    });
    gated.hold();
    const one = client();
    one.socket.write('GET / HTTP/1.0\r\n\r\n');
    await until(() => one.received.endsWith('part') && gated.groups.length === 1);
    await someTurns();
    expect(one.isClosed).toBe(false);
    gated.letGo();
    await one.closed;
    expect(one.received.endsWith('\r\n\r\npart')).toBe(true);
  });

  it('tells the program that its answer is out in the context in which it was given', async () => {
    const user = new AsyncLocalStorage<string>();
    const heard: string[] = [];
    const { gated, client } = await serveRoutes((app) => {
      app.get('/:name', (request, response) => {
        const { name } = request.params;
        user.run(name, () => {
          response.on('finish', () => heard.push(`${name} as ${user.getStore()}`));
          response.send('answer');
        });
      });
    });
    gated.hold();
    const clients = ['ann', 'bob'].map((name) => {
      const one = client();
      one.get(`/${name}`);
      return one;
    });
    await until(() => gated.groups.length === 1);
    await someTurns();
    gated.letGo();
    await until(() => clients.every(({ received }) => received.endsWith('answer')));
    expect(heard.sort()).toEqual(['ann as ann', 'bob as bob']);
  });

  it('keeps a graceful end of the server from cutting an answer off that waits', async () => {
    const { gated, client, server } = await serveRoutes((app) =>
      app.get('/', (_request, response) => void response.send('answer')),
    );
    gated.hold();
    const one = client();
    one.get('/');
    await until(() => gated.groups.length === 1);
    const closed = new Promise((resolve) => server.close(resolve));
    await someTurns();
    gated.letGo();
    await closed;
    await one.closed;
    expect(one.received.endsWith('answer')).toBe(true);
  });

  it('gives the whole answer to a client that has ended its side, or whose request the program drops', async () => {
    const { gated, client } = await serveRoutes((app) => {
      app.get('/', (_request, response) => void response.send('answer'));
      app.get('/destroyed', (request, response) => {
        response.send('answer');
        request.socket.destroy();
      });
    });
    gated.hold();
    const one = client();
    one.get('/');
    one.socket.end();
    const two = client();
    two.get('/destroyed');
    await until(() => gated.groups.length === 1);
    await someTurns();
    gated.letGo();
    await one.closed;
    await two.closed;
    expect([one, two].map(({ received }) => received.endsWith('answer'))).toEqual([true, true]);
  });

  it('records an exchange whose client goes away while the answer waits', async () => {
    const { gated, client, recorder, entry, failures } = await serveRoutes((app) =>
      app.get('/', (_request, response) => void response.send('answer')),
    );
    gated.hold();
    const one = client();
    one.get('/');
    await until(() => gated.groups.length === 1);
    one.socket.resetAndDestroy();
    await someTurns();
    gated.letGo();
    await idle(recorder);
    expect(await entry()).toMatchObject({ status: 200 });
    expect(failures).toEqual([]);
  });

  it('tells the program what it would be told without Recap, but for a later finish', async () => {
    const told: unknown[] = [];
    const { gated, client } = await serveRoutes((app) =>
      app.get('/', (_request, response) => {
        response.on('finish', () => told.push('finish'));
        const returned = response.end('answer', () => told.push('callback'));
        told.push(returned === response, response.headersSent, response.writableEnded);
        try {
          response.setHeader('X-Late', '1');
        } catch (error) {
          told.push((error as { code?: string }).code);
        }
      }),
    );
    gated.hold();
    const one = client();
    one.get('/');
    await until(() => gated.groups.length === 1);
    await someTurns();
    expect(told).toEqual([true, true, true, 'ERR_HTTP_HEADERS_SENT']);
    gated.letGo();
    await until(() => one.received.endsWith('answer'));
    await until(() => told.length === 6);
    expect(told.slice(4).sort()).toEqual(['callback', 'finish']);
    expect(one.received).not.toContain('X-Late');
  });

  it('goes on when a connection fails at what is sent to it', async () => {
    const { gated, client, recorder, failures, balance } = await serveRoutes((app) => {
      app.get('/broken', (request, response) => {
        request.socket.write = () => {
          throw new RangeError('on purpose');
        };
        response.send('never');
      });
      app.get('/well', (_request, response) => void response.send('answer'));
    });
    gated.hold();
    const clients = ['/well', '/broken', '/well'].map((path) => {
      const one = client();
      one.get(path);
      return one;
    });
    await until(() => recorder.stats().queued === 3);
    gated.letGo();
    await until(() => clients.filter(({ received }) => received.endsWith('answer')).length === 2);
    expect(failures).toMatchObject([{ where: 'strict', error: { message: 'on purpose' } }]);
    expect(recorder.stats()).toMatchObject({ captured: 3, stored: 3, strictFailures: {} });
    balance();
  });

  it('holds nothing back that is left out', async () => {
    const { gated, client, recorder } = await serveRoutes(
      (app) => app.get('/', (_request, response) => void response.send('answer')),
      { skip: () => true },
    );
    gated.goAway();
    const one = client();
    one.get('/');
    await until(() => one.received.endsWith('answer'));
    await idle(recorder);
    expect(recorder.stats()).toMatchObject({ captured: 0, leftOut: 1, strictFailures: {} });
  });
});
