import {
  ADMIN,
  ANN,
  BOB,
  codesOf,
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

const query = (body: unknown) => router.post(ANN, '/query', body);

describe('NO_RESULTS_FOUND', () => {
  const everything = {
    storage_type: 'both',
    endpoint: '/orders/:id',
    path: '/orders/7',
    unmatched: false,
    method: 'GET',
    status: 200,
    outcome: 'completed',
    start_date: '2026-01-01',
    end_date: '2026-01-01',
    min_duration_ms: 1,
    max_duration_ms: 100,
    trace_id: 't',
    session_id: 'session-1',
    metadata_filters: { a: 1, b: 2 },
  };
  const emptying: [string, Record<string, unknown>][] = [
    ['storage_type', { storage_type: 'request' }],
    ['endpoint', { endpoint: '/nope' }],
    ['path', { path: '/nope' }],
    ['unmatched', { unmatched: true }],
    ['method', { method: 'PUT' }],
    ['status', { status: '5xx' }],
    ['outcome', { outcome: [] }],
    ['start_date', { start_date: '2030-01-01' }],
    ['end_date', { end_date: '2020-01-01' }],
    ['min_duration_ms', { min_duration_ms: 99 }],
    ['max_duration_ms', { max_duration_ms: 1 }],
    ['trace_id', { trace_id: 'u' }],
    ['session_id', { session_id: 'session-2' }],
    ['metadata_filters.a', { metadata_filters: { a: 2, b: 2 } }],
    ['metadata_filters.b', { metadata_filters: { a: 1, b: 3 } }],
  ];

  beforeEach(async () => {
    await record(recorder, [{ type: 'response', metadata: { a: 1, b: 2 }, traceId: 't' }]);
    await record(recorder, [{ type: 'both', metadata: { a: 1, b: 2 }, traceId: 't' }]);
    await record(recorder, [{ type: 'request', owner: 'bob', endpoint: '/nope', path: '/nope' }]);
  });

  it('is not there when something was found', async () => {
    expect(codesOf(await query(everything))).toEqual([]);
  });

  it.each(emptying.slice(1))('names %s as the filter that left nothing', async (name, change) => {
    const { body } = await query({ ...everything, ...change });
    expect(body.warnings).toEqual([
      expect.objectContaining({
        code: 'NO_RESULTS_FOUND',
        severity: 'MEDIUM',
        details: { emptied_by: name },
      }),
    ]);
  });

  it('names the first filter of those that would leave nothing', async () => {
    for (const [first, change] of emptying.slice(1, -1)) {
      const { body } = await query({ ...everything, metadata_filters: { a: 1, b: 3 }, ...change });
      const expected = first === 'metadata_filters.a' ? 'metadata_filters.a' : first;
      expect(body.warnings[0]?.details).toEqual({ emptied_by: expected });
    }
  });

  it('names no filter when there is nothing to begin with', async () => {
    const { body } = await router.post({ ownerId: 'eve', isAdmin: false }, '/query', { status: 200 });
    expect(body.warnings[0]).toMatchObject({ code: 'NO_RESULTS_FOUND', details: { emptied_by: null } });
  });

  it('names the page or the cursor when the filters are not to blame', async () => {
    const late = await query({ page: 3 });
    expect(late.body.warnings[0]?.details).toEqual({ emptied_by: 'page' });
    const last = await query({ page_size: 1 });
    await recorder.store.remove([String(last.body.data.items[0]?.id)], { force: true, isDryRun: false });
    const first = await query({ page_size: 1, cursor: last.body.data.cursor });
    await recorder.store.remove([String(first.body.data.items[0]?.id)], { force: true, isDryRun: false });
    await record(recorder, [{ minute: 5 }]);
    const gone = await query({ cursor: last.body.data.cursor });
    expect(gone.body.warnings[0]?.details).toEqual({ emptied_by: 'cursor' });
  });

  it('tells an admin who looked at one owner how many rows others have', async () => {
    const { body } = await router.post(ADMIN, '/query', { owner_id: 'bob', endpoint: '/orders/:id' });
    expect(body.warnings[0]?.details).toEqual({
      emptied_by: 'endpoint',
      other_owners: 2,
      other_owners_is_capped: false,
    });
    const nobody = await router.post(ADMIN, '/query', { owner_id: 'eve' });
    expect(nobody.body.warnings[0]?.details).toMatchObject({ emptied_by: 'owner_id', other_owners: 3 });
  });

  it('never tells a user of others', async () => {
    const { text } = await router.post(BOB, '/query', { endpoint: '/orders/:id', owner_id: 'bob' });
    expect(text).not.toContain('other_owners');
  });

  it('asks the store only when nothing was found', async () => {
    let finds = 0;
    const { find } = recorder.store;
    recorder.store.find = (asked) => {
      finds += 1;
      return find(asked);
    };
    await query({});
    expect(finds).toBe(1);
  });

  it('explains empty session lists the same way', async () => {
    const { body } = await router.get(ANN, '/sessions?endpoint=/nope');
    expect(body.warnings[0]).toMatchObject({ code: 'NO_RESULTS_FOUND', details: { emptied_by: 'endpoint' } });
  });
});

describe('OWNER_NOT_CONFIGURED', () => {
  it('warns a user, and not an admin, of a recorder that knows no owners', async () => {
    recorder.hasOwners = false;
    await record(recorder, [{}]);
    const expected = expect.objectContaining({ code: 'OWNER_NOT_CONFIGURED', severity: 'MEDIUM' }) as unknown;
    expect((await query({})).body.warnings).toEqual([expected]);
    expect((await router.get(ANN, '/sessions')).body.warnings).toEqual([expected]);
    expect((await router.post(ANN, '/sessions/query', {})).body.warnings).toEqual([expected]);
    expect(codesOf(await router.post(ADMIN, '/query', {}))).toEqual([]);
  });
});

describe('INDEX_MISSING', () => {
  it('is told when the store says that no index serves, unless there are few rows', async () => {
    await record(recorder, [{ metadata: { a: 1 } }]);
    let isLarge = false;
    const count = () => Promise.resolve({ total: 1, isCapped: isLarge, isUnindexed: true });
    Object.assign(recorder.store, { count, countSessions: count });
    expect((await query({ metadata_filters: { a: 1 } })).body.warnings).toEqual([]);
    isLarge = true;
    const expected = [expect.objectContaining({ code: 'INDEX_MISSING', severity: 'MEDIUM' })];
    expect((await query({ metadata_filters: { a: 1 } })).body.warnings).toEqual(expected);
    expect((await router.get(ANN, '/sessions')).body.warnings).toEqual(expected);
  });
});

describe('TTL_APPROACHING', () => {
  it('names each entry within the last tenth of its lifetime, from that instant on', async () => {
    const start = recorder.clock.now();
    await record(recorder, [
      { id: 'short', expiresAt: start + 1000 },
      { id: 'long', expiresAt: start + 100_000 },
      { id: 'eternal', expiresAt: null },
    ]);
    recorder.clock.advance(899);
    expect(codesOf(await query({}))).toEqual([]);
    recorder.clock.advance(1);
    const expected = [
      {
        code: 'TTL_APPROACHING',
        severity: 'LOW',
        message: expect.any(String) as string,
        details: { entries: [{ id: 'short', ttl: '2026-01-01T00:00:01.000Z' }] },
      },
    ];
    expect((await query({})).body.warnings).toEqual(expected);
    expect((await router.get(ANN, '/entries/short')).body.warnings).toEqual(expected);
    expect((await router.post(ANN, '/sessions/query', {})).body.warnings).toEqual(expected);
    expect(codesOf(await router.get(ANN, '/entries/long'))).toEqual([]);
  });
});

describe('warnings', () => {
  // Keeps away: a collector shared by requests, keyed by a header that the client chooses.
  it('belong to one answer, whatever request id the client sends', async () => {
    await record(recorder, [{ owner: 'ann' }, { owner: 'bob' }]);
    const headers = { 'content-type': 'application/json', 'x-request-id': 'same' };
    const [warned, silent] = await Promise.all([
      router.send(ANN, 'POST', '/query', { endpoint: 'Orders/:ID' }, headers),
      router.send(BOB, 'POST', '/query', {}, headers),
    ]);
    expect(codesOf(warned)).toEqual(['ENDPOINT_NORMALIZED']);
    expect(codesOf(silent)).toEqual([]);
    expect(codesOf(await router.send(ANN, 'POST', '/query', {}, headers))).toEqual([]);
  });
});
