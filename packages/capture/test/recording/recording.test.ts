import type { Server } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import request from 'supertest';
import { idle, openRecorder, requestData, responseData } from './open-recorder';
import { PROGRAMS } from './programs';

describe.each(PROGRAMS)('recording %s', (_name, build) => {
  let server: Server | undefined;

  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  it('keeps what the client sent and what it got', async () => {
    const { recorder, entry } = openRecorder();
    const body = { prompt: 'héllo', list: [1, 2.5, null, true], nested: { a: { b: 'c' } } };
    await request(build(recorder)).post('/echo?lang=de').set('x-user', 'ann').send(body).expect(200, body);
    const stored = await entry();
    expect(stored).toMatchObject({
      type: 'both',
      method: 'POST',
      endpoint: '/echo',
      endpointKey: '/echo',
      path: '/echo',
      query: 'lang=de',
      status: 200,
      outcome: 'completed',
      errorName: null,
      owner: 'ann',
      requestState: 'captured',
      responseState: 'captured',
    });
    expect(requestData(stored)).toEqual(body);
    expect(responseData(stored)).toEqual(body);
    expect(stored.requestOriginalBytes).toBe(Buffer.byteLength(JSON.stringify(body)));
    expect(stored.requestContentType).toMatch('application/json');
    expect(stored.responseContentType).toMatch('application/json');
    expect(stored.responseHeaders.map(([name]) => name.toLowerCase())).toContain('content-length');
    expect(stored.durationMs).toBeGreaterThan(0);
    expect(stored.clientAddress).toMatch(/127\.0\.0\.1$|^::1$/);
  });

  it('names the route by its template and lets a handler add metadata', async () => {
    const { recorder, entry } = openRecorder();
    await request(build(recorder)).get('/orders/4711').expect(200);
    expect(await entry()).toMatchObject({
      endpoint: '/orders/:id',
      path: '/orders/4711',
      metadata: { orderId: '4711' },
    });
  });

  it.each([
    ['succeeds', '/v1/acme/orgs/7/items/9', '/v1/:tenant/orgs/:orgId/items/:itemId', 200],
    ['throws', '/v1/acme/orgs/7/broken/9', '/v1/:tenant/orgs/:orgId/broken/:itemId', 500],
    ['falls through', '/v1/acme/orgs/7/passed/9', '/v1/:tenant/orgs/:orgId/passed/:itemId', 404],
  ])('names a route under nested routers that %s', async (_what, path, endpoint, status) => {
    const { recorder, entry } = openRecorder();
    await request(build(recorder)).get(path).expect(status);
    expect(await entry()).toMatchObject({ endpoint, path, status });
  });

  it('keeps the templates of many requests in flight apart', async () => {
    const { recorder, entries } = openRecorder();
    server = build(recorder).listen(0, '127.0.0.1');
    const agent = request(server);
    await Promise.all(
      Array.from({ length: 40 }, (_each, index) =>
        index % 2 === 0
          ? agent.get(`/v1/t${String(index)}/orgs/o/items/${String(index)}`)
          : agent.get(`/orders/${String(index)}`),
      ),
    );
    const stored = await entries();
    expect(stored).toHaveLength(40);
    for (const { endpoint, path } of stored) {
      expect(endpoint).toBe(
        path?.startsWith('/v1') === true ? '/v1/:tenant/orgs/:orgId/items/:itemId' : '/orders/:id',
      );
    }
  });

  it('names the mount of an app within the app', async () => {
    const { recorder, entry } = openRecorder();
    await request(build(recorder)).get('/sub/x').expect(200, 'x');
    expect(await entry()).toMatchObject({ endpoint: '/sub/:name', status: 200 });
  });

  it('records a handler that throws with the error and the status that was sent', async () => {
    const { recorder, entry } = openRecorder();
    await request(build(recorder)).get('/boom').expect(500);
    expect(await entry()).toMatchObject({
      status: 500,
      outcome: 'failed',
      errorName: 'RangeError',
      errorMessage: 'sync trouble',
      endpoint: '/boom',
    });
  });

  it('records a body that the parser refuses, with the error and the bytes that came', async () => {
    const { recorder, entry } = openRecorder({ redaction: false });
    await request(build(recorder)).post('/echo').type('json').send('{"broken":').expect(400);
    const stored = await entry();
    expect(stored).toMatchObject({ status: 400, outcome: 'completed', errorName: 'SyntaxError' });
    expect(requestData(stored)).toBe('{"broken":');
  });

  it('records a request that no route took without an endpoint', async () => {
    const { recorder, entry } = openRecorder();
    await request(build(recorder)).get('/nowhere').expect(404);
    expect(await entry()).toMatchObject({
      status: 404,
      endpoint: null,
      endpointKey: null,
      outcome: 'completed',
    });
  });

  it('puts the chunks of a stream together', async () => {
    const { recorder, entry } = openRecorder();
    await request(build(recorder)).get('/stream').expect(200, 'one two three');
    expect(responseData(await entry())).toBe('one two three');
  });

  it('stores no body where the client gets none', async () => {
    const { recorder, entries } = openRecorder();
    const program = build(recorder);
    await request(program).head('/orders/1').expect(200);
    await request(program).get('/empty').expect(204);
    for (const entry of await entries())
      expect(entry).toMatchObject({ responseState: 'empty', responseBody: null });
  });

  it('records a client that hangs up before the answer as aborted, without a status', async () => {
    const { recorder, entry } = openRecorder();
    server = build(recorder).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /hang HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(server, 'request');
    socket.end();
    await idle(recorder);
    expect(await entry()).toMatchObject({
      outcome: 'aborted',
      status: null,
      path: '/hang',
      endpoint: '/hang',
    });
    socket.destroy();
  });

  it('records a client that hangs up while it sends, with what came', async () => {
    const { recorder, entry } = openRecorder();
    server = build(recorder).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const socket = connect(port, '127.0.0.1');
    socket.write(
      'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"first": ',
    );
    await once(server, 'request');
    socket.end();
    const stored = await entry();
    expect(stored.outcome).not.toBe('completed');
    expect(stored.status === null || stored.status >= 400).toBe(true);
    expect(stored).toMatchObject({ requestState: 'truncated', requestOriginalBytes: 100 });
    socket.destroy();
  });

  it('keeps a marked prefix of a body beyond the cap, with its true size', async () => {
    const { recorder, entry } = openRecorder({ maxBodyBytes: 1_000 });
    const body = { text: 'x'.repeat(5_000) };
    await request(build(recorder)).post('/echo').send(body).expect(200);
    const stored = await entry();
    const size = JSON.stringify(body).length;
    expect(stored).toMatchObject({
      requestState: 'truncated',
      responseState: 'truncated',
      requestOriginalBytes: size,
      responseOriginalBytes: size,
    });
    expect(stored.requestUnpackedBytes).toBeLessThanOrEqual(1_000);
    expect(stored.warnings.map(({ code }) => code)).toContain('LARGE_PAYLOAD');
  });

  it('keeps size and digest of binary bodies, and the bytes of types that are allowed', async () => {
    const bytes = Buffer.from([0, 1, 2, 250, 251, 252]);
    const { recorder, entries } = openRecorder({ contentTypes: ['image/*'] });
    const program = build(recorder);
    await request(program).post('/echo').type('application/octet-stream').send(bytes);
    await request(program).post('/echo').type('image/png').send(bytes);
    const [left, kept] = await entries();
    if (left === undefined || kept === undefined) throw new Error('two entries expected');
    expect(left).toMatchObject({ requestState: 'not_captured', requestBody: null });
    expect(left.requestDetails).toMatchObject({ reason: 'content_type' });
    expect(requestData(kept)).toEqual({ encoding: 'base64', content: bytes.toString('base64') });
  });

  it('hides secrets on every surface and says where', async () => {
    const { recorder, entry } = openRecorder();
    await request(build(recorder))
      .post('/echo?api_key=QUERYSECRET')
      .set('authorization', 'Bearer HEADERSECRET')
      .set('cookie', 'sid=COOKIESECRET')
      .send({ user: { password: 'BODYSECRET' }, text: 'fine' })
      .expect(200);
    const stored = await entry();
    const everything = JSON.stringify([stored, requestData(stored), responseData(stored)]);
    for (const secret of ['QUERYSECRET', 'HEADERSECRET', 'COOKIESECRET', 'BODYSECRET']) {
      expect(everything).not.toContain(secret);
    }
    expect(stored.redacted).toEqual(
      expect.arrayContaining([
        'request.headers.authorization',
        'request.query.api_key',
        'request.body.user.password',
        'response.body.user.password',
      ]),
    );
    expect(requestData(stored)).toMatchObject({ text: 'fine' });
  });

  it('stores only the side that was asked for', async () => {
    const { recorder, entry } = openRecorder({ storageType: 'response' });
    await request(build(recorder)).post('/echo').send({ a: 1 }).expect(200);
    const stored = await entry();
    expect(stored).toMatchObject({ type: 'response', requestBody: null, requestHeaders: [] });
    expect(responseData(stored)).toEqual({ a: 1 });
  });

  it('leaves out what include, exclude, sample and skip leave out, but not failures by sample', async () => {
    const { recorder, entries } = openRecorder({ random: () => 0.9 });
    const program = build(recorder, {
      include: ['/orders/**', '/boom', '/echo'],
      exclude: [/secret/],
      sample: 0.5,
      skip: (context) => context.method === 'POST',
    });
    await request(program).get('/stream');
    await request(program).get('/orders/secret');
    await request(program).get('/orders/1');
    await request(program).post('/echo').send({});
    await request(program).get('/boom');
    expect((await entries()).map(({ path }) => path)).toEqual(['/boom']);
    expect(recorder.stats()).toMatchObject({ captured: 1, stored: 1, leftOut: 2 });
  });

  it('believes a forwarded address only from a declared proxy', async () => {
    const trusting = openRecorder({ trustedProxies: 'loopback' });
    await request(build(trusting.recorder)).get('/orders/1').set('x-forwarded-for', '203.0.113.9');
    expect((await trusting.entry()).clientAddress).toBe('203.0.113.9');
    const cautious = openRecorder();
    await request(build(cautious.recorder)).get('/orders/1').set('x-forwarded-for', '203.0.113.9');
    expect((await cautious.entry()).clientAddress).not.toBe('203.0.113.9');
  });

  it('keeps the trace id of a traceparent header', async () => {
    const { recorder, entry } = openRecorder();
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    await request(build(recorder)).get('/orders/1').set('traceparent', `00-${trace}-00f067aa0ba902b7-01`);
    expect((await entry()).traceId).toBe(trace);
  });

  it('lets the program’s own functions fail without a trace in the answer', async () => {
    const { recorder, entry, failures } = openRecorder();
    const fail = (): never => {
      throw new Error('from the program');
    };
    const options = { owner: fail, sessionGroup: fail, metadata: fail, skip: fail };
    await request(build(recorder, options)).get('/orders/1').expect(200, { id: '1' });
    expect((await entry()).owner).toBe('anonymous');
    expect(failures.map(({ where }) => where).sort()).toEqual(['metadata', 'owner', 'sessionGroup', 'skip']);
    expect(recorder.stats().internalErrors).toBe(4);
  });

  it('adds no header unless sessionHeader asks for it, and names the session when it does', async () => {
    const silent = openRecorder();
    const plain = await request(build(silent.recorder)).get('/orders/1');
    expect(plain.headers).not.toHaveProperty('x-recap-session');
    const { recorder, entries } = openRecorder({ sessionHeader: true });
    await recorder.ready();
    const program = build(recorder);
    const first = await request(program).get('/orders/1').set('x-user', 'ann');
    const session = first.headers['x-recap-session'] as string;
    const second = await request(program)
      .get('/orders/2')
      .set('x-user', 'ann')
      .set('x-recap-session', session);
    const other = await request(program)
      .get('/orders/3')
      .set('x-user', 'bob')
      .set('x-recap-session', session);
    expect(second.headers['x-recap-session']).toBe(session);
    expect(other.headers['x-recap-session']).not.toBe(session);
    const stored = await entries();
    expect(stored.map(({ sessionId }) => sessionId === session)).toEqual([true, true, false]);
    expect(stored[2]?.warnings.map(({ code }) => code)).toEqual(['SESSION_NOT_FOUND']);
  });
});

describe('debug', () => {
  it('logs each exchange by its template, without the path, which is not redacted yet', async () => {
    const lines: unknown[] = [];
    const say = (details: object, message: string): void => {
      lines.push([message, details]);
    };
    const { recorder, entry } = openRecorder({
      debug: true,
      logger: { debug: say, info: say, warn: say, error: say },
    });
    const [, build] = PROGRAMS[0] ?? [];
    if (build === undefined) throw new Error('no program');
    await request(build(recorder)).get('/orders/PLANTED').expect(200);
    await entry();
    expect(lines).toEqual([
      ['captured', { method: 'GET', endpoint: '/orders/:id', status: 200 }],
      ['stored', { entries: 1 }],
    ]);
  });
});

describe('functions of the program', () => {
  it('that are asynchronous are told to onError and count as absent; their rejection does not reach the host', async () => {
    const { recorder, entry, failures } = openRecorder();
    const [, build] = PROGRAMS[0] ?? [];
    if (build === undefined) throw new Error('no program');
    const owner = (() => Promise.reject(new Error('late'))) as unknown as () => string;
    await request(build(recorder, { owner })).get('/orders/1').expect(200);
    expect((await entry()).owner).toBe('anonymous');
    expect(failures.map(({ where }) => where)).toEqual(['owner', 'owner']);
  });

  it('are checked when the middleware is made', () => {
    for (const options of [
      { trustedProxies: 'nonsense' },
      { owner: 'ann' },
      { include: [''] },
      { sample: -1 },
    ]) {
      const [, build] = PROGRAMS[0] ?? [];
      const { recorder } = openRecorder();
      expect(() => build?.(recorder, options as never)).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID' }),
      );
    }
  });
});
