import { StorageError } from '@recap/storage';
import type { Principal } from '../../src/query/principal';
import { createStorageRouter } from '../../src/router/storage-router';
import {
  ADMIN,
  ANN,
  BOB,
  fieldsOf,
  idsOf,
  newTestRecorder,
  openRouter,
  record,
  type TestRecorder,
} from './router-rig';

let recorder: TestRecorder;
let router: ReturnType<typeof openRouter>;

beforeEach(async () => {
  recorder = await newTestRecorder();
  router = openRouter(recorder);
});

const DATA_ROUTES: [string, string, unknown][] = [
  ['POST', '/query', {}],
  ['GET', '/entries/a', undefined],
  ['GET', '/sessions', undefined],
  ['POST', '/sessions/query', {}],
  ['POST', '/delete', { storage_ids: ['a'] }],
  ['GET', '/stats', undefined],
];

describe('building a router', () => {
  it('fails without authenticate and explains the way out', () => {
    const build = () => createStorageRouter({ recorder } as never);
    expect(build).toThrow(StorageError);
    expect(build).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(build).toThrow(/authenticate.*bearerToken.*localhostOnly/s);
  });

  it.each([0, -1, NaN, Infinity])('fails with a rate limit of %p', (rateLimitPerMinute) => {
    expect(() => openRouter(recorder, { rateLimitPerMinute })).toThrow(/rateLimitPerMinute/);
  });
});

describe('authenticate', () => {
  it.each(DATA_ROUTES)('is asked before %s %s; nobody gets 401', async (method, url, body) => {
    for (const nobody of [undefined, null]) {
      const answer = await router.send(nobody, method, url, body);
      expect([answer.status, answer.body.error.code]).toEqual([401, 'UNAUTHENTICATED']);
    }
  });

  it('may be asynchronous', async () => {
    const { get } = openRouter(recorder, { authenticate: () => Promise.resolve(ANN) });
    expect((await get(undefined, '/sessions')).status).toBe(200);
  });

  // Keeps away: every failure of the program shown as 401, with its message.
  it.each([
    [
      'throws',
      () => {
        throw Object.assign(new Error('secret: db at 10.0.0.7'), { code: 'UNAVAILABLE' });
      },
    ],
    ['rejects', () => Promise.reject(new Error('secret: db at 10.0.0.7'))],
  ])('that %s answers 500 with an id and nothing else, and is logged', async (_, authenticate) => {
    const answer = await openRouter(recorder, { authenticate }).get(ANN, '/sessions');
    expect(answer.status).toBe(500);
    expect(answer.body).toEqual({
      success: false,
      error: {
        code: 'INTERNAL',
        message: expect.any(String) as string,
        details: { correlation_id: 'correlation-1' },
      },
    });
    expect(answer.text).not.toContain('secret');
    expect(recorder.errors).toHaveLength(1);
    expect(recorder.errors[0]?.where).toContain('correlation-1');
    expect((recorder.errors[0]?.error as Error).cause).toMatchObject({ message: /secret/ });
  });

  it.each([{}, { ownerId: '' }, { ownerId: 7, isAdmin: true }, { isAdmin: true }, 'ann', true, false])(
    'that gives %j answers 500 and explains it in the log',
    async (principal) => {
      const answer = await router.get(principal as never, '/sessions');
      expect(answer.status).toBe(500);
      expect(String(recorder.errors[0]?.error)).toContain('ownerId');
    },
  );

  it.each(['true', 1, {}, undefined])('takes isAdmin %j for no admin', async (isAdmin) => {
    const principal = { ownerId: 'ann', isAdmin } as unknown as Principal;
    expect((await router.get(principal, '/stats')).status).toBe(403);
  });

  it('comes before validation, so that strangers learn nothing from it', async () => {
    expect((await router.post(undefined, '/query', { nope: 1 })).status).toBe(401);
  });

  it('comes before the body is read', async () => {
    const { handle } = createStorageRouter<undefined>({ recorder, authenticate: () => undefined });
    const readBody = jest.fn(() => Promise.resolve({}));
    const request = { method: 'POST', path: '/query', query: '', headers: {}, readBody, native: undefined };
    expect((await handle(request)).status).toBe(401);
    expect(readBody).not.toHaveBeenCalled();
  });
});

describe('isolation', () => {
  beforeEach(async () => {
    await record(recorder, [
      { id: 'a', owner: 'ann', minute: 0 },
      { id: 'b', owner: 'bob', minute: 1 },
    ]);
  });

  it('shows users their own entries and an admin those of all, or of one', async () => {
    expect(idsOf(await router.post(ANN, '/query', {}))).toEqual(['a']);
    expect(idsOf(await router.post(BOB, '/query', {}))).toEqual(['b']);
    const all = await router.post(ADMIN, '/query', {});
    expect(all.body.data.items.map(({ owner }) => owner)).toEqual(['bob', 'ann']);
    expect(idsOf(await router.post(ADMIN, '/query', { owner_id: 'ann' }))).toEqual(['a']);
  });

  it('lets a user name only themselves', async () => {
    expect(idsOf(await router.post(ANN, '/query', { owner_id: 'ann' }))).toEqual(['a']);
    for (const url of ['/query', '/sessions/query']) {
      const answer = await router.post(ANN, url, { owner_id: 'bob' });
      expect([answer.status, answer.body.error.code]).toEqual([403, 'FORBIDDEN']);
    }
    expect((await router.get(ANN, '/sessions?owner_id=bob')).status).toBe(403);
  });

  it('gives every store call of a user the owner, whatever is asked', async () => {
    const owners: unknown[] = [];
    const watched = ['find', 'count', 'findSessions', 'countSessions', 'get'] as const;
    for (const name of watched) {
      const call = recorder.store[name].bind(recorder.store) as (...args: unknown[]) => Promise<never>;
      Object.assign(recorder.store, {
        [name]: (...args: { filter?: { owner?: string }; owner?: string }[]) => {
          owners.push(...args.slice(0, 2).flatMap((arg) => arg.filter?.owner ?? arg.owner ?? []));
          return call(...args);
        },
      });
    }
    let calls = 0;
    for (const body of [
      {},
      { status: 404 },
      { metadata_filters: { owner: 'bob' }, session_id: 'session-2' },
    ]) {
      await router.post(ANN, '/query', body);
      await router.post(ANN, '/sessions/query', body);
      calls += 4;
    }
    await router.get(ANN, '/entries/b');
    await router.get(ANN, '/sessions?session_id=session-2');
    expect(owners.length).toBeGreaterThan(calls);
    expect(new Set(owners)).toEqual(new Set(['ann']));
  });

  it('treats owners as bytes, not as patterns', async () => {
    for (const ownerId of ['%', '_nn', "ann' OR '1'='1", 'ANN', '__proto__', '*']) {
      expect(idsOf(await router.post({ ownerId, isAdmin: false }, '/query', {}))).toEqual([]);
    }
  });
});

describe('POST /delete', () => {
  beforeEach(async () => {
    const now = recorder.clock.now();
    await record(recorder, [
      { id: 'eternal', owner: 'ann' },
      { id: 'living', owner: 'bob', expiresAt: now + 1000 },
      { id: 'expired', owner: 'ann', expiresAt: now + 10 },
    ]);
    recorder.clock.advance(10);
  });

  const ids = ['living', 'eternal', 'expired', 'missing', 'expired', '__proto__'];
  const outcomes = { living: 'protected', eternal: 'protected', expired: 'deleted', missing: 'not_found' };
  const results = (map: Record<string, string>) =>
    [...Object.entries(map), ['__proto__', 'not_found']].map(([id, outcome]) => ({ id, outcome }));

  // Keeps away: an admin who can delete only their own rows, with foreign ids skipped in silence.
  it('tells the outcome of each id, over all owners', async () => {
    const { status, body } = await router.post(ADMIN, '/delete', { storage_ids: ids });
    expect(status).toBe(200);
    expect(body.data).toEqual({ results: results(outcomes), deleted: 1 });
    expect(idsOf(await router.post(ADMIN, '/query', {}))).toEqual(['living', 'eternal']);
  });

  it('deletes what has not expired only by force', async () => {
    const { body } = await router.post(ADMIN, '/delete', { storage_ids: ids, force: true });
    const all = { ...outcomes, living: 'deleted', eternal: 'deleted' };
    expect(body.data).toEqual({ results: results(all), deleted: 3 });
    expect(idsOf(await router.post(ADMIN, '/query', {}))).toEqual([]);
  });

  it('changes nothing in a dry run', async () => {
    const asked = { storage_ids: ids, force: true, dry_run: true };
    const first = await router.post(ADMIN, '/delete', asked);
    expect(first.body.data.deleted).toBe(3);
    expect((await router.post(ADMIN, '/delete', asked)).text).toBe(first.text);
  });

  it('is for admins only, whatever the body', async () => {
    for (const body of [{ storage_ids: ['eternal'], force: true }, { nope: 1 }]) {
      const answer = await router.post(ANN, '/delete', body);
      expect([answer.status, answer.body.error.code]).toEqual([403, 'FORBIDDEN']);
    }
  });

  it.each([
    [{}, 'storage_ids'],
    [{ storage_ids: [] }, 'storage_ids'],
    [{ storage_ids: Array.from({ length: 1001 }, String) }, 'storage_ids'],
    [{ storage_ids: ['a', 7] }, 'storage_ids.1'],
    [{ storage_ids: ['x'.repeat(2049)] }, 'storage_ids.0'],
    [{ storage_ids: 'a' }, 'storage_ids'],
    [{ storage_ids: ['a'], force: 'true' }, 'force'],
    [{ storage_ids: ['a'], all: true }, 'all'],
  ])('refuses %j', async (body, field) => {
    const answer = await router.post(ADMIN, '/delete', body);
    expect(answer.status).toBe(400);
    expect(fieldsOf(answer)).toEqual([field]);
  });

  it('takes 1,000 ids', async () => {
    const storage_ids = Array.from({ length: 1000 }, (_, index) => `id-${index}`);
    const { body } = await router.post(ADMIN, '/delete', { storage_ids });
    expect(body.data.results).toHaveLength(1000);
  });

  it.each([
    [{ host: 'api.test:3000', origin: 'http://api.test:3000' }, 200],
    [{ host: 'api.test:443', origin: 'https://api.test' }, 200],
    [{ host: 'API.test', origin: 'https://api.test' }, 200],
    [{ ':authority': 'api.test', origin: 'https://api.test' }, 200],
    [{ host: 'api.test' }, 200],
    [{ host: 'api.test', origin: 'https://evil.test' }, 403],
    [{ host: 'api.test', origin: 'https://api.test:8443' }, 403],
    [{ host: 'api.test', origin: 'https://api.test.evil.test' }, 403],
    [{ host: 'api.test', origin: 'null' }, 403],
    [{ host: 'api.test', origin: '' }, 403],
    [{ origin: 'https://api.test' }, 403],
    [{ host: '', origin: 'file://' }, 403],
  ])('with %j answers %d', async (headers, status) => {
    const answer = await router.send(
      ADMIN,
      'POST',
      '/delete',
      { storage_ids: ['a'], dry_run: true },
      {
        'content-type': 'application/json',
        ...headers,
      },
    );
    expect(answer.status).toBe(status);
  });

  it('protects no other route by origin', async () => {
    const headers = { 'content-type': 'application/json', host: 'api.test', origin: 'https://other.test' };
    expect((await router.send(ANN, 'POST', '/query', {}, headers)).status).toBe(200);
  });
});

describe('rate limit', () => {
  it('answers 429 with the seconds to wait, for each principal apart', async () => {
    const { get } = openRouter(recorder, { rateLimitPerMinute: 2 });
    expect((await get(ANN, '/sessions')).status).toBe(200);
    expect((await get(ANN, '/sessions?page=x')).status).toBe(400);
    const limited = await get(ANN, '/sessions');
    expect([limited.status, limited.body.error.code]).toEqual([429, 'RATE_LIMITED']);
    expect(limited.headers['retry-after']).toBe('30');
    expect((await get(BOB, '/sessions')).status).toBe(200);
    recorder.clock.advance(29_999);
    expect((await get(ANN, '/sessions')).status).toBe(429);
    recorder.clock.advance(1);
    expect((await get(ANN, '/sessions')).status).toBe(200);
  });

  it('saves up no more than a minute, and survives a clock that goes back', async () => {
    const { get } = openRouter(recorder, { rateLimitPerMinute: 1 });
    expect((await get(ANN, '/sessions')).status).toBe(200);
    recorder.clock.advance(3_600_000);
    expect((await get(ANN, '/sessions')).status).toBe(200);
    recorder.clock.advance(-3_600_000);
    expect((await get(ANN, '/sessions')).status).toBe(429);
    recorder.clock.advance(60_000);
    expect((await get(ANN, '/sessions')).status).toBe(200);
  });

  it('leaves health alone', async () => {
    const { get } = openRouter(recorder, { rateLimitPerMinute: 1 });
    for (let call = 0; call < 3; call += 1) expect((await get(undefined, '/health')).status).toBe(200);
  });
});
