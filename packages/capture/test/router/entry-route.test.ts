import {
  ADMIN,
  ANN,
  BOB,
  fieldsOf,
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

describe('GET /entries/:id', () => {
  it('shows the whole entry', async () => {
    const warning = {
      code: 'LARGE_PAYLOAD',
      message: 'The body was large.',
      severity: 'MEDIUM' as const,
      details: { bytes: 5 },
    };
    await record(recorder, [
      {
        id: 'e-1',
        parentId: 'e-0',
        query: 'page=2',
        errorName: 'TypeError',
        errorMessage: 'x is not a function',
        status: 500,
        outcome: 'failed',
        clientAddress: '203.0.113.7',
        traceId: 't-1',
        redacted: ['request.headers.cookie'],
        warnings: [warning],
        requestHeaders: [
          ['accept', 'a'],
          ['accept', 'b'],
        ],
        requestContentType: 'text/plain',
        requestBody: Buffer.from('hello'),
        responseBody: json({ a: 1 }),
        closedBy: 'connection',
        sentBytes: null,
        chunks: 2,
        longestGapMs: 3.5,
      },
    ]);
    const { status, body } = await router.get(ANN, '/entries/e-1');
    expect(status).toBe(200);
    expect(body.data).toEqual({
      id: 'e-1',
      type: 'both',
      endpoint: '/orders/:id',
      method: 'GET',
      path: '/orders/7',
      status: 500,
      outcome: 'failed',
      created_at: '2026-01-01T00:00:00.000Z',
      duration_ms: 12.5,
      ttl: null,
      owner: 'ann',
      storage_info: { session_id: 'session-1' },
      data: { request: 'hello', response: { a: 1 } },
      data_state: { request: null, response: null },
      original_bytes: { request: 5, response: 7 },
      parent_id: 'e-0',
      request: {
        headers: [
          ['accept', 'a'],
          ['accept', 'b'],
        ],
        content_type: 'text/plain',
        original_bytes: 5,
        stored_bytes: 5,
        compression: null,
        body_source: 'wire',
        reason: null,
        sha256: null,
        data: 'hello',
        data_state: null,
      },
      response: {
        headers: [['content-type', 'application/json']],
        content_type: 'application/json',
        original_bytes: 7,
        stored_bytes: 7,
        compression: null,
        body_source: 'wire',
        reason: null,
        sha256: null,
        data: { a: 1 },
        data_state: null,
      },
      delivery: {
        closed_by: 'connection',
        offered_bytes: 7,
        sent_bytes: null,
        first_byte_ms: 12.25,
        chunks: 2,
        longest_gap_ms: 3.5,
      },
      query: 'page=2',
      error: { name: 'TypeError', message: 'x is not a function' },
      client_address: '203.0.113.7',
      trace_id: 't-1',
      redacted: ['request.headers.cookie'],
      warnings: [warning],
    });
  });

  it('answers missing, expired and foreign alike', async () => {
    await record(recorder, [
      { id: 'foreign', owner: 'bob' },
      { id: 'expired', expiresAt: recorder.clock.now() + 5 },
    ]);
    recorder.clock.advance(5);
    const answers = await Promise.all(
      ['missing', 'foreign', 'expired', '__proto__', '%25', "'%20OR%201=1"].map((id) =>
        router.get(ANN, `/entries/${id}`),
      ),
    );
    for (const { status, text } of answers) {
      expect(status).toBe(404);
      expect(text).toBe(answers[0]?.text);
    }
    expect(answers[0]?.body.error).toEqual({
      code: 'NOT_FOUND',
      message: expect.any(String) as string,
      details: {},
    });
  });

  it('shows an admin the entry of any owner', async () => {
    await record(recorder, [{ id: 'e', owner: 'bob' }]);
    expect((await router.get(ADMIN, '/entries/e')).body.data.owner).toBe('bob');
    expect((await router.get(BOB, '/entries/e')).status).toBe(200);
  });

  it('decodes the id once', async () => {
    await record(recorder, [{ id: 'a/b%41' }]);
    expect((await router.get(ANN, '/entries/a%2Fb%2541')).body.data.id).toBe('a/b%41');
  });

  it.each([`/entries/${'x'.repeat(2049)}`, '/entries/%E0%A4%A'])(
    'names the id as wrong in %s',
    async (url) => {
      const answer = await router.get(ANN, url);
      expect(answer.status).toBe(400);
      expect(fieldsOf(answer)).toEqual(['id']);
    },
  );

  it('takes no parameters', async () => {
    expect(fieldsOf(await router.get(ANN, '/entries/e?full=1'))).toEqual(['full']);
  });
});
