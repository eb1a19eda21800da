import { StorageError } from '@recap/storage';
import type { EntryStore } from '../../src/entries/entry-store';
import { ADMIN, ANN, newTestRecorder, openRouter, record, type TestRecorder } from './router-rig';

let recorder: TestRecorder;
let router: ReturnType<typeof openRouter>;

beforeEach(async () => {
  recorder = await newTestRecorder();
  router = openRouter(recorder);
});

describe('every answer', () => {
  it.each([
    ['GET', '/health', 200],
    ['GET', '/nope', 404],
    ['GET', '/query', 405],
    ['POST', '/query', 200],
    ['GET', '/sessions?x=1', 400],
  ])('to %s %s says what it is and is not to be kept', async (method, url, status) => {
    const answer = await router.send(ANN, method, url, {});
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-length': String(Buffer.byteLength(answer.text)),
    });
  });
});

describe('routes', () => {
  it.each([
    '',
    '/',
    '/nope',
    '/entries',
    '/entries/',
    '/entries/a/b',
    '/query/x',
    '//query',
    '/QUERY',
    '/*',
    '/entries/*/x',
    '/__proto__',
    '/sessions//query',
  ])('answers 404 for %j', async (path) => {
    const answer = await router.get(ANN, path);
    expect([answer.status, answer.body.error.code]).toEqual([404, 'NOT_FOUND']);
  });

  it.each([
    ['GET', '/query', 'POST'],
    ['GET', '/delete', 'POST'],
    ['GET', '/sessions/query', 'POST'],
    ['POST', '/sessions', 'GET, HEAD'],
    ['DELETE', '/entries/a', 'GET, HEAD'],
    ['OPTIONS', '/health', 'GET, HEAD'],
    ['PUT', '/stats', 'GET, HEAD'],
    ['constructor', '/stats', 'GET, HEAD'],
  ])('answers %s %s with 405 and what is allowed', async (method, path, allow) => {
    const answer = await router.send(ANN, method, path);
    expect([answer.status, answer.body.error.code]).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect(answer.headers['allow']).toBe(allow);
  });

  it('takes HEAD where it takes GET, and one trailing slash', async () => {
    await record(recorder, [{ id: 'a' }]);
    for (const path of ['/health', '/entries/a/', '/sessions/']) {
      expect((await router.send(ANN, 'HEAD', path)).status).toBe(200);
    }
  });
});

describe('a store that fails', () => {
  const ROUTES: [string, string, unknown][] = [
    ['POST', '/query', {}],
    ['GET', '/entries/a', undefined],
    ['GET', '/sessions', undefined],
    ['POST', '/sessions/query', {}],
    ['POST', '/delete', { storage_ids: ['a'] }],
  ];
  const failing = (error: unknown): Partial<EntryStore> => {
    const fail = jest.fn().mockRejectedValue(error);
    return {
      find: fail,
      count: fail,
      get: fail,
      findSessions: fail,
      countSessions: fail,
      remove: fail,
      sizes: fail,
    };
  };

  // Keeps away: a fault of the database shown as the client's, or as nothing found.
  it.each([
    ['UNAVAILABLE', 'STORE_UNAVAILABLE'],
    ['CLOSED', 'STORE_UNAVAILABLE'],
    ['POOL_EXHAUSTED', 'POOL_EXHAUSTED'],
  ] as const)('with %s answers 503 %s on every data route', async (code, told) => {
    Object.assign(recorder.store, failing(new StorageError(code, 'SELECT secret FROM t')));
    for (const [method, url, body] of ROUTES) {
      const answer = await router.send(ADMIN, method, url, body);
      expect([answer.status, answer.body.error.code]).toEqual([503, told]);
      expect(answer.headers['retry-after']).toBe('1');
      expect(answer.text).not.toContain('secret');
    }
    expect(recorder.errors).toHaveLength(ROUTES.length);
  });

  it.each([
    new Error('SELECT secret FROM t'),
    'secret text',
    undefined,
    Object.assign(new Error('secret'), { code: 'SQLITE_ERROR' }),
  ])('with %p answers 500 with no stack and no SQL', async (error) => {
    Object.assign(recorder.store, failing(error));
    for (const [method, url, body] of ROUTES) {
      const answer = await router.send(ADMIN, method, url, body);
      expect([answer.status, answer.body.error.code]).toEqual([500, 'INTERNAL']);
      expect(answer.body.error.details).toEqual({ correlation_id: 'correlation-1' });
      expect(answer.text).not.toMatch(/secret|\bat /);
    }
  });

  it('answers 503 until it is open, to valid requests of known principals', async () => {
    recorder.isOpen = false;
    for (const [method, url, body] of ROUTES) {
      const answer = await router.send(ADMIN, method, url, body);
      expect([answer.status, answer.body.error.code]).toEqual([503, 'STORE_UNAVAILABLE']);
      expect(answer.headers['retry-after']).toBe('1');
    }
    expect((await router.get(undefined, '/sessions')).status).toBe(401);
    recorder.isOpen = true;
    expect((await router.get(ANN, '/sessions')).status).toBe(200);
  });

  it('that hangs answers 503 in the end', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'performance', 'setImmediate'] });
    try {
      recorder.store.find = () => new Promise(() => undefined);
      const pending = router.post(ANN, '/query', {});
      await jest.advanceTimersByTimeAsync(30_000);
      expect((await pending).status).toBe(503);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('GET /health', () => {
  const health = async () => {
    const { status, body } = await router.get(undefined, '/health');
    return [status, body.data];
  };

  it('is open to all and says how it is, without details', async () => {
    expect(await health()).toEqual([200, { status: 'ok' }]);
    recorder.isTrouble = true;
    expect(await health()).toEqual([200, { status: 'degraded' }]);
  });

  it('is down while the store is not open or does not answer, and says which', async () => {
    recorder.isOpen = false;
    expect(await health()).toEqual([503, { status: 'down' }]);
    expect((await router.get(undefined, '/health')).body.error.message).toBe('The store is not open.');
    recorder.isOpen = true;
    recorder.store.ping = () => Promise.reject(new Error('host 10.0.0.7 refused'));
    const { status, text, body } = await router.get(undefined, '/health');
    expect(status).toBe(503);
    expect(body.error.message).toBe('The store does not answer.');
    expect(text).not.toContain('10.0.0.7');
    expect(recorder.errors).toHaveLength(1);
  });

  it('waits for the store at most a second, and leaves no timer behind', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'performance', 'setImmediate'] });
    try {
      recorder.store.ping = () => new Promise(() => undefined);
      const pending = health();
      await jest.advanceTimersByTimeAsync(1000);
      expect(await pending).toEqual([503, { status: 'down' }]);
      recorder.store.ping = () => Promise.resolve();
      expect(await health()).toEqual([200, { status: 'ok' }]);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('GET /stats', () => {
  it('shows an admin the counters and the sizes, in snake case', async () => {
    await record(recorder, [{}, {}]);
    const { body } = await router.get(ADMIN, '/stats');
    expect(body.data).toEqual({
      recorder: { captured: 3, shed_by_reason: { queue_full: 1 } },
      gaps: { total: 0, total_is_capped: false, exchanges: 0, bodies: 0, headers: 0 },
      store: {
        kind: 'memory',
        status: 'open',
        database_bytes: expect.any(Number) as number,
        entries: 2,
        entries_is_capped: false,
      },
    });
  });

  const UNKNOWN = {
    recorder: { captured: 3, shed_by_reason: { queue_full: 1 } },
    gaps: null,
    store: { kind: 'memory', database_bytes: null, entries: null, entries_is_capped: null },
  };

  it('shows what the process knows while the store is not open, and says so', async () => {
    recorder.isOpen = false;
    const { status, body } = await router.get(ADMIN, '/stats');
    expect([status, body.data]).toEqual([
      200,
      { ...UNKNOWN, store: { ...UNKNOWN.store, status: 'not_open' } },
    ]);
  });

  it.each([
    ['UNAVAILABLE', 'not_answering'],
    ['POOL_EXHAUSTED', 'not_answering'],
    ['CLOSED', 'not_open'],
  ] as const)(
    'shows what the process knows when the store fails with %s, and tells onError',
    async (code, status) => {
      recorder.store.sizes = () => Promise.reject(new StorageError(code, 'SELECT secret FROM t'));
      const answer = await router.get(ADMIN, '/stats');
      expect(answer.status).toBe(200);
      expect(answer.body.data).toEqual({ ...UNKNOWN, store: { ...UNKNOWN.store, status } });
      expect(answer.text).not.toContain('secret');
      expect(recorder.errors).toHaveLength(1);
    },
  );

  it('answers 500 when the store fails in another way', async () => {
    recorder.store.sizes = () => Promise.reject(new Error('SELECT secret FROM t'));
    expect((await router.get(ADMIN, '/stats')).status).toBe(500);
  });

  it('is forbidden to users', async () => {
    recorder.isOpen = false;
    expect((await router.get(ANN, '/stats')).status).toBe(403);
    recorder.isOpen = true;
    expect((await router.get(ANN, '/stats')).status).toBe(403);
  });
});

describe('reading', () => {
  it('takes its turn with the host while it writes a long answer', async () => {
    await record(
      recorder,
      Array.from({ length: 100 }, () => ({ responseBody: Buffer.from(JSON.stringify('x'.repeat(250_000))) })),
    );
    const order: string[] = [];
    const answer = router.post(ANN, '/query', { page_size: 100 }).then((done) => {
      order.push('answer');
      return done;
    });
    setImmediate(() => order.push('host'));
    expect((await answer).body.data.items).toHaveLength(100);
    expect(order).toEqual(['host', 'answer']);
  });

  it('does not flush', async () => {
    await record(recorder, [{}]);
    expect((await router.post(ANN, '/query', {})).status).toBe(200);
    expect(recorder.errors).toEqual([]);
  });
});
