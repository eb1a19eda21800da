import {
  ADMIN,
  ANN,
  BOB,
  fieldsOf,
  json,
  newTestRecorder,
  openRouter,
  record,
  type TestAnswer,
  type TestRecorder,
} from './router-rig';

let recorder: TestRecorder;
let router: ReturnType<typeof openRouter>;

const sessionIds = (answer: TestAnswer) => answer.body.data.items.map((item) => item['session_id']);

beforeEach(async () => {
  recorder = await newTestRecorder();
  router = openRouter(recorder);
  await record(recorder, [
    { id: 'a1', minute: 0, endpoint: '/a', metadata: { model: 'x' }, responseBody: json({ n: 1 }) },
    { id: 'a2', minute: 10, endpoint: '/b', status: 500, metadata: { model: 'y' } },
    { id: 'a3', minute: 20, endpoint: '/a', metadata: { model: 'x' }, durationMs: 500 },
  ]);
  await record(recorder, [{ id: 'a4', minute: 200, endpoint: '/a', durationMs: 500 }]);
  await record(recorder, [{ id: 'b1', minute: 5, owner: 'bob', endpoint: '/a' }]);
  recorder.clock.advance(210 * 60_000);
});

describe('GET /sessions', () => {
  it('has the items of the contract, latest activity first', async () => {
    const { status, body } = await router.get(ANN, '/sessions');
    expect(status).toBe(200);
    expect(body.data.items[1]).toEqual({
      session_id: 'session-1',
      owner: 'ann',
      group: null,
      created_at: '2026-01-01T00:00:00.000Z',
      last_activity: '2026-01-01T00:20:00.500Z',
      ended: true,
      timeout_minutes: 30,
      endpoints: ['/a', '/b'],
      total_entries: 3,
      error_entries: 1,
      matching_entries: 3,
    });
    expect(body.data).toMatchObject({ total: 2, total_is_capped: false, page: 1, has_more: false });
    expect(body.data.items[0]).toMatchObject({ session_id: 'session-2', ended: false });
  });

  it('ends a session when its timeout or its greatest age is exceeded, not before', async () => {
    const ended = async () => (await router.get(ANN, '/sessions')).body.data.items[0]?.['ended'];
    const lastActivity = Date.UTC(2026, 0, 1) + 200 * 60_000 + 500;
    recorder.clock.advance(lastActivity + 30 * 60_000 - recorder.clock.now());
    expect(await ended()).toBe(false);
    recorder.clock.advance(1);
    expect(await ended()).toBe(true);
    const { get } = openRouter({
      ...recorder,
      isReady: () => true,
      knowsOwners: () => true,
      sessionMaxAgeMs: 60_000,
    });
    recorder.clock.advance(-20 * 60_000);
    expect((await get(ANN, '/sessions')).body.data.items[0]?.['ended']).toBe(true);
  });

  it('filters; a session matches when one of its entries does, with the figures of the whole', async () => {
    const answer = await router.get(ANN, '/sessions?endpoint=/b');
    expect(answer.body.data.items).toEqual([
      expect.objectContaining({ session_id: 'session-1', total_entries: 3, matching_entries: 1 }),
    ]);
    expect(sessionIds(await router.get(ANN, '/sessions?start_date=2026-01-01T03:00:00Z'))).toEqual([
      'session-2',
    ]);
    expect(sessionIds(await router.get(ANN, '/sessions?end_date=2026-01-01T03:00:00Z'))).toEqual([
      'session-1',
    ]);
    expect(sessionIds(await router.get(ANN, '/sessions?session_id=session-2'))).toEqual(['session-2']);
  });

  it('shows each owner their own, an admin everybody’s or one’s', async () => {
    expect(sessionIds(await router.get(BOB, '/sessions'))).toEqual(['session-3']);
    expect(sessionIds(await router.get(BOB, '/sessions?session_id=session-1'))).toEqual([]);
    expect((await router.get(BOB, '/sessions?owner_id=ann')).status).toBe(403);
    expect(sessionIds(await router.get(ADMIN, '/sessions'))).toHaveLength(3);
    expect(sessionIds(await router.get(ADMIN, '/sessions?owner_id=bob'))).toEqual(['session-3']);
  });

  it('pages by number and by cursor, counting sessions', async () => {
    const first = await router.get(ADMIN, '/sessions?page_size=2');
    expect(sessionIds(first)).toEqual(['session-2', 'session-1']);
    expect(first.body.data).toMatchObject({ total: 3, has_more: true });
    expect(sessionIds(await router.get(ADMIN, '/sessions?page_size=2&page=2'))).toEqual(['session-3']);
    const next = await router.get(ADMIN, `/sessions?page_size=2&cursor=${String(first.body.data.cursor)}`);
    expect(sessionIds(next)).toEqual(['session-3']);
    const uncounted = await router.get(ADMIN, '/sessions?include_total=false');
    expect(uncounted.body.data.total).toBeNull();
  });

  // Keeps away: a page that is no number, or another spelling of a type, answered with 401.
  it.each([
    ['page=x', ['page']],
    ['page=1.5', ['page']],
    ['page=', ['page']],
    ['page_size=1e2', ['page_size']],
    ['page=0&page_size=101', ['page', 'page_size']],
    ['include_total=1', ['include_total']],
    ['start_date=soon&end_date=2026-02-30', ['start_date', 'end_date']],
    ['storage_type=request', ['storage_type']],
    ['entries_per_session=3', ['entries_per_session']],
    ['__proto__=1', ['__proto__']],
    ['endpoint=', ['endpoint']],
    ['page=1&page=2', ['page']],
    ['owner_id=ann&owner_id=bob', ['owner_id']],
    ['__proto__=1&__proto__=2', ['__proto__']],
  ])('answers ?%s with 400 and names what is wrong', async (parameters, fields) => {
    const answer = await router.get(ANN, `/sessions?${parameters}`);
    expect([answer.status, answer.body.error.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(fieldsOf(answer)).toEqual(fields);
  });

  it('refuses a query string of 10 kB values and more', async () => {
    expect((await router.get(ANN, `/sessions?endpoint=${'x'.repeat(10_000)}`)).status).toBe(400);
    expect((await router.get(ANN, `/sessions?endpoint=${'x'.repeat(100_000)}`)).status).toBe(400);
  });
});

describe('POST /sessions/query', () => {
  const query = (body: unknown) => router.post(ANN, '/sessions/query', body);

  it('adds the newest of the matching entries, without bodies unless asked', async () => {
    const answer = await query({ metadata_filters: { model: 'x' } });
    expect(answer.body.data.items).toHaveLength(1);
    const [session] = answer.body.data.items;
    expect(session).toMatchObject({ total_entries: 3, matching_entries: 2, has_more_entries: false });
    expect(session?.entries.map(({ id }) => id)).toEqual(['a3', 'a1']);
    expect(session?.entries[1]).toMatchObject({ data: null, original_bytes: { request: null, response: 7 } });
    const full = await query({
      metadata_filters: { model: 'x' },
      include_data: true,
      storage_type: 'response',
    });
    expect(full.body.data.items[0]?.entries[1]).toMatchObject({ type: 'response', data: { n: 1 } });
  });

  // Keeps away: a session_id parameter that only the simple list heeds.
  it('heeds session_id as a parameter and as a metadata filter', async () => {
    expect(sessionIds(await query({ session_id: 'session-2' }))).toEqual(['session-2']);
    const both = await query({ session_id: 'session-2', metadata_filters: { session_id: 'session-1' } });
    expect(sessionIds(both)).toEqual(['session-2']);
    expect(both.body.warnings).toEqual([expect.objectContaining({ code: 'PARAMETER_PRECEDENCE' })]);
  });

  it('limits the entries of each session and says when there are more', async () => {
    const shown = async (count: number) => {
      const { body } = await query({ session_id: 'session-1', entries_per_session: count });
      const [session] = body.data.items;
      return [session?.entries.map(({ id }) => id), session?.['has_more_entries']];
    };
    expect(await shown(2)).toEqual([['a3', 'a2'], true]);
    expect(await shown(3)).toEqual([['a3', 'a2', 'a1'], false]);
    expect(await shown(0)).toEqual([[], true]);
  });

  it('filters by status and storage type', async () => {
    expect((await query({ status: '5xx' })).body.data.items[0]).toMatchObject({ matching_entries: 1 });
    expect(sessionIds(await query({ storage_type: 'both' }))).toHaveLength(2);
  });

  it('never shows entries of another owner', async () => {
    const { text } = await router.post(BOB, '/sessions/query', { entries_per_session: 100 });
    expect(text).not.toMatch(/"a\d"/);
  });

  // Keeps away: entries_per_session null, which made every answer invalid.
  it.each([
    [{ entries_per_session: null }, 'entries_per_session'],
    [{ entries_per_session: 101 }, 'entries_per_session'],
    [{ entries_per_session: -1 }, 'entries_per_session'],
    [{ method: 'GET' }, 'method'],
    [{ include_data: true, page_size: 100, entries_per_session: 100 }, 'include_data'],
  ])('answers %j with 400', async (body, field) => {
    const answer = await query(body);
    expect(answer.status).toBe(400);
    expect(fieldsOf(answer)).toEqual([field]);
  });

  it('has at most four store calls under way at once', async () => {
    await record(
      recorder,
      Array.from({ length: 20 }, (_, index) => ({ owner: 'ann', minute: 1000 + index * 100 })),
    );
    let under = 0;
    let most = 0;
    const watch = <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) => {
      return async (...args: Args): Promise<Result> => {
        most = Math.max(most, (under += 1));
        try {
          return await call(...args);
        } finally {
          under -= 1;
        }
      };
    };
    const { find, count } = recorder.store;
    Object.assign(recorder.store, { find: watch(find), count: watch(count) });
    expect((await query({ status: '2xx' })).body.data.items).toHaveLength(20);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });
});
