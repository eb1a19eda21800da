import fc from 'fast-check';
import { createEndpointNormalizer } from '../../src/entries/endpoint-key';
import {
  ADMIN,
  ANN,
  codesOf,
  fieldsOf,
  idsOf,
  json,
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

describe('POST /query: item', () => {
  const stored = {
    id: 'e-1',
    method: 'POST',
    endpoint: '/api/v1/ai/generate',
    path: '/api/v1/ai/generate',
    durationMs: 412.7,
    createdAt: Date.UTC(2026, 0, 1, 12),
    expiresAt: Date.UTC(2026, 0, 31, 12),
    metadata: { model: 'gpt-4', session_id: 'a lie' },
    requestContentType: 'application/json',
    requestBody: json({ prompt: 'hi' }),
    responseBody: json({ text: 'hello' }),
  };

  it('has exactly the keys and forms of the contract', async () => {
    await record(recorder, [stored]);
    const { body } = await query({ storage_type: 'response' });
    expect(body.data.items).toEqual([
      {
        id: 'e-1',
        type: 'response',
        endpoint: '/api/v1/ai/generate',
        method: 'POST',
        path: '/api/v1/ai/generate',
        status: 200,
        outcome: 'completed',
        created_at: '2026-01-01T12:00:00.000Z',
        duration_ms: 412.7,
        ttl: '2026-01-31T12:00:00.000Z',
        owner: 'ann',
        storage_info: { model: 'gpt-4', session_id: 'session-1' },
        data: { text: 'hello' },
        data_state: null,
        original_bytes: 16,
      },
    ]);
  });

  it('shows both bodies unless one side was asked for', async () => {
    await record(recorder, [stored]);
    const { body } = await query({});
    expect(body.data.items[0]).toMatchObject({
      type: 'both',
      data: { request: { prompt: 'hi' }, response: { text: 'hello' } },
      data_state: { request: null, response: null },
      original_bytes: { request: 15, response: 16 },
    });
    expect((await query({ storage_type: 'request' })).body.data.items[0]).toMatchObject({
      type: 'request',
      data: { prompt: 'hi' },
    });
  });

  it('holds null where nothing is known, and leaves no key out', async () => {
    await record(recorder, [{ endpoint: null, path: null, method: null, status: null, outcome: 'aborted' }]);
    const [item] = (await query({})).body.data.items;
    expect(item).toMatchObject({ endpoint: null, path: null, method: null, status: null, ttl: null });
    expect(Object.keys(item ?? {})).toHaveLength(15);
  });

  it('reads no body with include_data false, and still says what is known of it', async () => {
    await record(recorder, [{ ...stored, responseState: 'truncated' }]);
    const { find } = recorder.store;
    const wanted: boolean[] = [];
    recorder.store.find = (asked) => {
      wanted.push(asked.includeBodies);
      return find(asked);
    };
    const { body } = await query({ include_data: false, storage_type: 'response' });
    expect(wanted).toEqual([false]);
    expect(body.data.items[0]).toMatchObject({ data: null, data_state: 'truncated', original_bytes: 16 });
  });

  // Keeps away: compressed bodies that cannot be read back.
  it('tells of an unreadable body instead of passing it off as none', async () => {
    await record(recorder, [{ ...stored, responseCodec: 'deflate' }]);
    const [item] = (await query({ storage_type: 'response' })).body.data.items;
    expect(item).toMatchObject({ data: null, data_state: 'corrupt' });
  });
});

describe('POST /query: lists', () => {
  it('has the shape of the contract', async () => {
    await record(recorder, [{ id: 'a' }]);
    const { body } = await query({});
    expect(body).toMatchObject({ success: true, warnings: [] });
    const { items: _, ...list } = body.data;
    expect(list).toEqual({
      total: 1,
      total_is_capped: false,
      page: 1,
      page_size: 20,
      has_more: false,
      cursor: null,
    });
  });

  // Keeps away: order as the database happens to give it, so that pages are unstable.
  it('goes from the newest to the oldest, and by id downwards within one instant', async () => {
    await record(recorder, [
      { id: 'b', minute: 1 },
      { id: 'd', minute: 2 },
      { id: 'c', minute: 1 },
      { id: 'a', minute: 0 },
    ]);
    expect(idsOf(await query({}))).toEqual(['d', 'c', 'b', 'a']);
  });

  it('meets every entry once by cursor, whatever the page size and whatever is recorded meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 25 }),
        fc.integer({ min: 1, max: 7 }),
        async (minutes, pageSize) => {
          const own = await newTestRecorder();
          const { post } = openRouter(own);
          await record(
            own,
            minutes.map((minute, index) => ({ id: `e-${String(index).padStart(3, '0')}`, minute })),
          );
          const met: string[] = [];
          let cursor: unknown;
          do {
            const page = await post(ANN, '/query', { page_size: pageSize, ...(cursor ? { cursor } : {}) });
            met.push(...idsOf(page));
            expect(page.body.data.has_more).toBe(met.length < minutes.length);
            cursor = page.body.data.cursor;
            await record(own, [{ minute: 9 }]);
          } while (cursor);
          expect(new Set(met).size).toBe(met.length);
          expect(met).toHaveLength(minutes.length);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('learns of more from one row more, never from the total', async () => {
    await record(recorder, [{ id: 'a' }, { id: 'b' }]);
    recorder.store.count = () => Promise.resolve({ total: 999, isCapped: false, isUnindexed: false });
    expect((await query({ page_size: 2 })).body.data).toMatchObject({ has_more: false, cursor: null });
    expect((await query({ page_size: 1 })).body.data).toMatchObject({ has_more: true });
  });

  it('lets the cursor win over a page, and says so', async () => {
    await record(recorder, [{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
    const first = await query({ page_size: 1 });
    const next = await query({ page_size: 1, cursor: first.body.data.cursor, page: 3 });
    expect(idsOf(next)).toEqual(['b']);
    expect(next.body.data.page).toBeNull();
    expect(next.body.warnings).toEqual([
      expect.objectContaining({
        code: 'PARAMETER_PRECEDENCE',
        severity: 'LOW',
        details: { used: 'cursor', ignored: 'page' },
      }),
    ]);
  });

  it('applies owner and filters afresh to a cursor of another', async () => {
    await record(recorder, [
      { id: 'a', owner: 'ann', minute: 0 },
      { id: 'b', owner: 'bob', minute: 1 },
      { id: 'c', owner: 'ann', minute: 2, status: 500 },
      { id: 'd', owner: 'bob', minute: 3 },
    ]);
    const { cursor } = (await router.post(ADMIN, '/query', { page_size: 1 })).body.data;
    expect(idsOf(await query({ cursor, status: '2xx' }))).toEqual(['a']);
  });

  it('answers a tampered cursor with CURSOR_INVALID', async () => {
    const { status, body } = await query({ cursor: 'x' });
    expect([status, body.error.code]).toEqual([400, 'CURSOR_INVALID']);
  });

  it('passes over at most 10,000 rows and then tells of the cursor', async () => {
    expect((await query({ page: 101, page_size: 100 })).status).toBe(200);
    const { status, body } = await query({ page: 102, page_size: 100 });
    expect([status, body.error.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(body.error.details.fields).toEqual([
      { field: 'page', message: expect.stringContaining('cursor') },
    ]);
    expect((await query({ page: Number.MAX_SAFE_INTEGER, page_size: 100 })).status).toBe(400);
  });

  it('counts to 10,000 and says that it stopped there', async () => {
    const limits: number[] = [];
    recorder.store.count = (_, limit) => {
      limits.push(limit);
      return Promise.resolve({ total: limit, isCapped: true, isUnindexed: false });
    };
    expect((await query({})).body.data).toMatchObject({ total: 10_000, total_is_capped: true });
    expect(limits).toEqual([10_000]);
  });

  it('does not count with include_total false', async () => {
    recorder.store.count = () => Promise.reject(new Error('counted'));
    await record(recorder, [{}]);
    expect((await query({ include_total: false })).body.data).toMatchObject({
      total: null,
      total_is_capped: null,
    });
  });
});

describe('POST /query: filters', () => {
  // Keeps away: a mistyped endpoint that returns everything.
  it('returns nothing for an endpoint that nobody has', async () => {
    await record(recorder, [{ endpoint: '/a' }, { endpoint: '/b' }]);
    const answer = await query({ endpoint: '/nope' });
    expect(answer.body.data).toMatchObject({ items: [], total: 0, has_more: false });
  });

  // Keeps away: every hit twice, and totals and has_more doubled with them.
  it('finds each entry once for every spelling of an endpoint', async () => {
    await record(recorder, [{ endpoint: '/api/v1/AI/generate' }]);
    for (const endpoint of [
      '/api/v1/AI/generate',
      'api/v1/ai/generate/',
      '//API/V1/ai//generate',
      ' /api/v1/ai/generate',
    ]) {
      expect((await query({ endpoint })).body.data).toMatchObject({ total: 1, has_more: false });
    }
  });

  // Keeps away: `health` that also returns `/v1/health`, and the other way round.
  it('strips versions only when it was told to', async () => {
    await record(recorder, [{ endpoint: '/v1/health' }, { endpoint: '/health' }]);
    expect((await query({ endpoint: '/health' })).body.data.total).toBe(1);
    const normalizeEndpoint = createEndpointNormalizer({ versionPrefixes: ['v1'] });
    const { post } = openRouter({ ...recorder, normalizeEndpoint });
    expect((await post(ANN, '/query', { endpoint: '/v1/health' })).body.data.total).toBe(1);
  });

  // Keeps away: a warning that comes and goes with the process for one and the same request.
  it('warns of a normalised endpoint only when its form differs', async () => {
    await record(recorder, [{ endpoint: '/a' }]);
    expect(codesOf(await query({ endpoint: '/a' }))).toEqual([]);
    expect((await query({ endpoint: 'A/' })).body.warnings).toEqual([
      expect.objectContaining({
        code: 'ENDPOINT_NORMALIZED',
        severity: 'LOW',
        details: { original: 'A/', normalized: '/a' },
      }),
    ]);
  });

  it.each([
    [{ storage_type: 'request' }, ['both', 'req']],
    [{ storage_type: 'response' }, ['both', 'res']],
    [{ storage_type: 'both' }, ['both']],
    [{}, ['both', 'req', 'res']],
  ])('finds by storage type: %j', async (body, ids) => {
    await record(recorder, [
      { id: 'req', type: 'request' },
      { id: 'res', type: 'response' },
      { id: 'both', type: 'both' },
    ]);
    expect(idsOf(await query(body)).sort()).toEqual(ids);
  });

  it.each([
    [{ path: '/orders/7' }, ['a']],
    [{ path: '/orders/*' }, ['a', 'b']],
    [{ path: '/orders/%' }, ['b']],
    [{ path: '/orders' }, []],
    [{ unmatched: true }, ['c']],
    [{ unmatched: false }, ['a', 'b']],
    [{ method: 'post' }, ['b']],
    [{ method: ['GET', 'put'] }, ['a', 'c']],
    [{ method: [] }, []],
    [{ status: 404 }, ['b']],
    [{ status: '5xx' }, ['c']],
    [{ status: ['2XX', 404] }, ['a', 'b']],
    [{ outcome: 'failed' }, ['c']],
    [{ outcome: 'timed_out' }, ['b']],
    [{ outcome: ['completed', 'failed'] }, ['a', 'c']],
    [{ start_date: '2026-01-02' }, ['b', 'c']],
    [{ end_date: '2026-01-02' }, ['a', 'b']],
    [{ end_date: '2026-01-02T00:00:00Z' }, ['a']],
    [{ start_date: '2026-01-02T01:00:00+01:00', end_date: '2999-01-01' }, ['b', 'c']],
    [{ min_duration_ms: 20 }, ['b', 'c']],
    [{ min_duration_ms: 20, max_duration_ms: 20 }, ['b']],
    [{ trace_id: 't-1' }, ['a']],
    [{ metadata_filters: { n: 1 } }, ['a']],
    [{ metadata_filters: { n: '1' } }, ['b']],
    [{ metadata_filters: { n: null } }, ['c']],
    [{ metadata_filters: { missing: null } }, []],
    [{ metadata_filters: { 'usage.tokens': { gte: 100, lt: 200 } } }, ['a']],
  ])('finds by %j', async (body, ids) => {
    const day = Date.UTC(2026, 0, 1);
    await record(recorder, [
      { id: 'a', traceId: 't-1', createdAt: day, durationMs: 10, metadata: { n: 1, usage: { tokens: 150 } } },
      {
        id: 'b',
        outcome: 'timed_out',
        path: '/orders/%',
        method: 'POST',
        status: 404,
        createdAt: day + 86_400_000,
        durationMs: 20,
        metadata: { n: '1', usage: { tokens: 200 } },
      },
      {
        id: 'c',
        path: '/other',
        method: 'PUT',
        endpoint: null,
        status: 503,
        outcome: 'failed',
        createdAt: day + 2 * 86_400_000,
        durationMs: 30,
        metadata: { n: null },
      },
    ]);
    const answer = await query(body);
    expect(answer.status).toBe(200);
    expect(idsOf(answer).sort()).toEqual(ids);
  });

  it('takes a session both ways; the parameter wins, and that is said', async () => {
    await record(recorder, [
      { id: 'a', minute: 0 },
      { id: 'b', minute: 300 },
    ]);
    const filtered = { session_id: 'session-2' };
    expect(idsOf(await query({ session_id: 'session-1' }))).toEqual(['a']);
    expect(idsOf(await query({ metadata_filters: filtered }))).toEqual(['b']);
    const both = await query({ session_id: 'session-1', metadata_filters: filtered });
    expect(idsOf(both)).toEqual(['a']);
    expect(both.body.warnings).toEqual([
      expect.objectContaining({
        code: 'PARAMETER_PRECEDENCE',
        details: { used: 'session_id', ignored: 'metadata_filters.session_id' },
      }),
    ]);
  });

  it('hides an entry from its deadline on', async () => {
    await record(recorder, [{ expiresAt: recorder.clock.now() + 1000 }]);
    recorder.clock.advance(999);
    expect((await query({})).body.data.total).toBe(1);
    recorder.clock.advance(1);
    expect((await query({})).body.data.total).toBe(0);
  });
});

describe('POST /query: validation', () => {
  it('names every wrong field', async () => {
    const answer = await query({
      storage_type: 'BOTH!',
      endpoint: 7,
      path: '',
      unmatched: 'yes',
      method: 'G T',
      status: '9xx',
      outcome: ['won'],
      start_date: 'soon',
      end_date: 0,
      min_duration_ms: -1,
      max_duration_ms: '5',
      trace_id: null,
      session_id: 'x'.repeat(2049),
      owner_id: [],
      metadata_filters: { 'a b': 1, ok: { nope: 1 } },
      page: 0,
      page_size: 101,
      cursor: 5,
      include_total: 'false',
      include_data: 0,
      unknown: 1,
    });
    expect([answer.status, answer.body.error.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(fieldsOf(answer).sort()).toEqual([
      'cursor',
      'end_date',
      'endpoint',
      'include_data',
      'include_total',
      'max_duration_ms',
      'metadata_filters.a b',
      'metadata_filters.ok.nope',
      'method',
      'min_duration_ms',
      'outcome',
      'owner_id',
      'page',
      'page_size',
      'path',
      'session_id',
      'start_date',
      'status',
      'storage_type',
      'trace_id',
      'unknown',
      'unmatched',
    ]);
    expect(answer.body.error.details.fields.every(({ message }) => message !== '')).toBe(true);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'endpoint ', 'Endpoint', 'pageSize'])(
    'takes the field %s for an unknown one',
    async (name) => {
      const answer = await query(JSON.parse(`{${JSON.stringify(name)}:{"owner":"bob"}}`));
      expect(answer.status).toBe(400);
      expect(fieldsOf(answer)).toEqual([name]);
      expect(Object.prototype).not.toHaveProperty('owner');
    },
  );

  it.each([[[]], ['text'], [7], [null], [true]])('refuses the body %j', async (body) => {
    const answer = await query(typeof body === 'string' ? JSON.stringify(body) : body);
    expect([answer.status, answer.body.error.code]).toEqual([400, 'VALIDATION_FAILED']);
  });

  it('takes no parameters in the URL', async () => {
    const answer = await router.post(ANN, '/query?page=2', {});
    expect(answer.status).toBe(400);
    expect(fieldsOf(answer)).toEqual(['page']);
  });

  it('takes no body for no filters', async () => {
    await record(recorder, [{}]);
    expect((await router.send(ANN, 'POST', '/query', undefined, {})).body.data.total).toBe(1);
    expect((await router.send(ANN, 'POST', '/query', Buffer.alloc(0), {})).body.data.total).toBe(1);
  });

  it.each(["%_*?[\\':/..", "' OR 1=1 --", '\0', '../../etc', '{{7*7}}', 'x'.repeat(2048), '\u{1F600}'])(
    'finds nothing by %j in any text field, and does not fail',
    async (text) => {
      await record(recorder, [{}]);
      for (const field of ['endpoint', 'path', 'trace_id', 'session_id']) {
        const answer = await query({ [field]: text });
        expect([answer.status, answer.body.data.total]).toEqual([200, 0]);
      }
      expect((await query({ metadata_filters: { a: text } })).body.data.total).toBe(0);
    },
  );

  it('answers any JSON with 200 or a 400 that names fields', async () => {
    await record(recorder, [{}]);
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const { status, body } = await query(JSON.stringify(value));
        if (status === 200) expect(body.success).toBe(true);
        else expect(body.error.details.fields.length).toBeGreaterThan(0);
      }),
    );
  });
});
