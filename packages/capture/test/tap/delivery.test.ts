import { once } from 'node:events';
import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import compression from 'compression';
import express from 'express';
import { storageMiddleware } from '../../src/express';
import { observeResponse } from '../../src/tap/patch-response';
import { STREAM_GRACE_MS } from '../../src/tap/http-tap';
import { openRecorder, responseData } from '../recording/open-recorder';
import { closeOpened, listen, open, RAW_PROGRAMS, received } from './raw-programs';

afterEach(() => {
  closeOpened();
  jest.restoreAllMocks();
});

async function turnsUntil(isSo: () => boolean): Promise<void> {
  for (let turn = 0; !isSo(); turn += 1) {
    if (turn > 1_000) throw new Error('It does not come to pass.');
    await new Promise(setImmediate);
  }
}

const HUGE = 20_000_000;

describe.each(RAW_PROGRAMS)('how an answer went out, on %s', (_name, build) => {
  it('is told of an answer in chunks', async () => {
    const { recorder, entry } = openRecorder();
    const port = await listen(
      build(recorder, (_request, response) => {
        response.write('añb');
        response.write('');
        response.write(Buffer.from('cd'));
        response.end('ef', 'latin1');
      }),
    );
    await received(open(port), '0\r\n\r\n');
    const stored = await entry();
    expect(stored).toMatchObject({ closedBy: 'end', offeredBytes: 8, sentBytes: 8, chunks: 3 });
    expect(stored.firstByteMs).toBeGreaterThan(0);
    expect(stored.firstByteMs).toBeLessThanOrEqual(stored.durationMs);
    expect(stored.longestGapMs).toBeGreaterThanOrEqual(0);
  });

  it('tells when the first byte went out, and how long a stream was silent', async () => {
    let now = 1_000;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    const { recorder, entry } = openRecorder();
    const port = await listen(
      build(recorder, (_request, response) => {
        const at = (time: number, step: () => unknown): void => {
          now = 1_000 + time;
          step();
        };
        response.setHeader('content-type', 'text/event-stream');
        at(20, () => {
          response.flushHeaders();
        });
        at(50, () => response.write('data: 1\n\n'));
        at(350, () => response.write('data: 2\n\n'));
        at(400, () => response.end());
      }),
    );
    await received(open(port), '0\r\n\r\n');
    expect(await entry()).toMatchObject({
      firstByteMs: 20,
      longestGapMs: 300,
      chunks: 2,
      durationMs: 400,
    });
  });

  it('tells the first byte of an answer without a body, and no gap', async () => {
    const { recorder, entry } = openRecorder();
    const port = await listen(build(recorder, (_request, response) => response.end()));
    await received(open(port), '\r\n\r\n');
    const stored = await entry();
    expect(stored).toMatchObject({ closedBy: 'end', offeredBytes: 0, sentBytes: 0, chunks: 0 });
    expect(stored.firstByteMs).toBeGreaterThan(0);
    expect(stored.longestGapMs).toBeNull();
  });

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])(
    'tells the body that a program offers to a %s answered %i from what was sent',
    async (method, status) => {
      const { recorder, entry } = openRecorder();
      const port = await listen(
        build(recorder, (_request, response) => {
          response.statusCode = status;
          response.end('offered');
        }),
      );
      await received(open(port, `${method} / HTTP/1.1\r\nhost: x\r\n\r\n`), '\r\n\r\n');
      expect(await entry()).toMatchObject({
        closedBy: 'end',
        offeredBytes: 7,
        sentBytes: 0,
        responseState: 'empty',
        responseOriginalBytes: null,
      });
    },
  );

  it('knows that a client that left had been sent all there was until then', async () => {
    const { recorder, entry } = openRecorder();
    const port = await listen(
      build(recorder, (_request, response) => {
        response.setHeader('content-type', 'text/event-stream');
        response.write('data: 1\n\n');
        setImmediate(() => response.write('data: 2\n\n'));
      }),
    );
    const client = open(port);
    await received(client, 'data: 2\n\n');
    client.destroy();
    const stored = await entry();
    expect(stored).toMatchObject({
      outcome: 'aborted',
      closedBy: 'connection',
      offeredBytes: 18,
      sentBytes: 18,
      responseState: 'truncated',
    });
    expect(responseData(stored)).toMatchObject({ messages: [{ data: '1' }, { data: '2' }] });
  });

  it.each([
    ['end', (response: ServerResponse) => response.end(Buffer.alloc(HUGE))],
    ['write', (response: ServerResponse) => response.write(Buffer.alloc(HUGE))],
  ])('calls aborted, and sent unknown, what a client left unread of one %s', async (_what, answer) => {
    const { recorder, entry } = openRecorder();
    const server = build(recorder, (_request, response) => {
      answer(response);
      setImmediate(() => server.emit('offered'));
    });
    const client = open(await listen(server));
    client.pause();
    await once(server, 'offered');
    client.resetAndDestroy();
    expect(await entry()).toMatchObject({
      outcome: 'aborted',
      closedBy: 'connection',
      offeredBytes: HUGE,
      sentBytes: null,
    });
  });

  it('calls failed, and sent unknown, an answer that its program destroys before it is out', async () => {
    const { recorder, entry } = openRecorder();
    const server = build(recorder, (_request, response) => {
      response.on('close', () => server.emit('destroyed'));
      response.end(Buffer.alloc(HUGE));
      setImmediate(() => response.destroy());
    });
    open(await listen(server)).pause();
    await once(server, 'destroyed');
    expect(await entry()).toMatchObject({ outcome: 'failed', offeredBytes: HUGE, sentBytes: null });
  });

  it('knows that nothing was sent of an answer that its program destroys at once', async () => {
    const { recorder, entry } = openRecorder();
    const port = await listen(
      build(recorder, (_request, response) => {
        response.write('offered');
        response.destroy();
      }),
    );
    await once(open(port).resume(), 'close');
    expect(await entry()).toMatchObject({ outcome: 'failed', offeredBytes: 7, sentBytes: 0 });
  });

  it('records a stream that goes on beyond its cap once, with what is kept, and holds it no longer', async () => {
    const { recorder, entries, clock } = openRecorder({ maxBodyBytes: 30, maxOpenBytes: 40 });
    let stream: ServerResponse | undefined;
    const server = build(recorder, (request, response) => {
      if (request.url === '/other') {
        response.setHeader('content-type', 'text/plain');
        response.end('x'.repeat(30));
        return;
      }
      stream = response;
      response.setHeader('content-type', 'text/event-stream');
      response.write('data: {"n":1}\n\n');
    });
    const port = await listen(server);
    const client = open(port);
    await received(client, '"n":1');
    for (let n = 2; n <= 3; n += 1) {
      stream?.write(`data: {"n":${String(n)}}\n\n`);
      await received(client, `"n":${String(n)}`);
    }
    clock.advance(STREAM_GRACE_MS - 1);
    stream?.write('data: {"n":4}\n\n');
    await received(client, '"n":4');
    expect(recorder.stats().open).toBe(1);
    clock.advance(1);
    stream?.write('data: {"n":5}\n\n');
    await received(client, '"n":5');
    expect(recorder.stats().open).toBe(0);
    const [stored] = await entries();
    expect(stored).toMatchObject({
      closedBy: 'cap',
      outcome: 'completed',
      status: 200,
      responseState: 'truncated',
      responseOriginalBytes: 75,
      offeredBytes: 75,
      chunks: 5,
    });
    expect(responseData(stored!)).toMatchObject({ messages: [{ data: { n: 1 } }, { data: { n: 2 } }] });

    stream?.write('data: {"n":6}\n\n');
    await received(client, '"n":6');
    stream?.end();
    await received(client, '0\r\n\r\n');
    await received(open(port, 'GET /other HTTP/1.1\r\nhost: x\r\n\r\n'), 'xxx');
    const all = await entries();
    expect(all.map(({ path, responseState }) => [path, responseState])).toEqual([
      ['/', 'truncated'],
      ['/other', 'captured'],
    ]);
    expect(recorder.stats()).toMatchObject({ captured: 2, stored: 2, open: 0 });
  });

  it('closes the record of the oldest stream when memory is short, and of no young one', async () => {
    const { recorder, entries, clock } = openRecorder({ maxOpenBytes: 100 });
    const server = build(recorder, (request, response) => {
      const isStream = request.url?.startsWith('/stream') === true;
      response.setHeader('content-type', isStream ? 'text/event-stream' : 'text/plain');
      if (isStream) response.write(`data: ${'x'.repeat(32)}\n\n`);
      else response.end('y'.repeat(60));
    });
    const port = await listen(server);
    const get = (path: string) => open(port, `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
    await received(get('/stream/1'), 'xxx');
    clock.advance(1);
    await received(get('/stream/2'), 'xxx');
    clock.advance(STREAM_GRACE_MS - 2);
    await received(get('/a'), 'yyy');
    clock.advance(1);
    await received(get('/b'), 'yyy');
    await turnsUntil(() => recorder.stats().captured === 3);
    expect(recorder.stats().open).toBe(1);
    await received(get('/stream/3'), 'xxx');
    clock.advance(1);
    await received(get('/c'), 'yyy');
    await turnsUntil(() => recorder.stats().captured === 5);
    closeOpened();
    const all = await entries();
    expect(
      all.map((entry) => [
        entry.path,
        entry.closedBy,
        entry.responseState,
        entry.responseDetails.reason ?? entry.responseUnpackedBytes,
      ]),
    ).toEqual([
      ['/stream/1', 'cap', 'truncated', 40],
      ['/stream/2', 'cap', 'truncated', 40],
      ['/a', 'end', 'not_captured', 'open_budget'],
      ['/b', 'end', 'captured', 60],
      ['/stream/3', 'connection', 'truncated', 40],
      ['/c', 'end', 'captured', 60],
    ]);
  });

  it('waits for the end of what is only large', async () => {
    const { recorder, entry, clock } = openRecorder({ maxBodyBytes: 30 });
    const server = build(recorder, (_request, response) => {
      response.setHeader('content-type', 'text/plain');
      response.write('x'.repeat(31));
      clock.advance(2 * STREAM_GRACE_MS);
      response.write('y');
      response.end('z');
    });
    await received(open(await listen(server)), '0\r\n\r\n');
    expect(await entry()).toMatchObject({ closedBy: 'end', offeredBytes: 33, sentBytes: 33 });
  });
});

describe('a response that is watched', () => {
  it('shows nothing of it in its keys, names and lengths', () => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    const bare = Object.keys(response);
    observeResponse(response, {
      onChunk: () => undefined,
      onFlush: () => undefined,
      onHead: () => undefined,
      onTooLate: () => undefined,
      onClose: () => undefined,
    });
    expect(Object.keys(response)).toEqual(bare);
    for (const name of ['write', 'end', 'flushHeaders'] as const) {
      const original = ServerResponse.prototype[name];
      const { name: shown, length } = response[name];
      expect([shown, length]).toEqual([original.name || name, original.length]);
    }
    expect(response.flushHeaders()).toBeUndefined();
  });

  it('calls the methods of the prototype that it has when it is written to', () => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    const chunks: unknown[] = [];
    const seen: unknown[] = [];
    const observer = {
      onFlush: () => undefined,
      onHead: () => undefined,
      onTooLate: () => undefined,
      onClose: () => undefined,
    };
    observeResponse(response, { ...observer, onChunk: (chunk) => seen.push(chunk) });
    const later = Object.create(ServerResponse.prototype) as { write: (chunk: unknown) => boolean };
    later.write = (chunk) => chunks.push(chunk) > 0;
    Object.setPrototypeOf(response, later);
    response.write('a');
    (Object.create(response) as ServerResponse).write('b');
    expect([chunks, seen]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  it('may have no connection, as one that a program makes to call its own handlers', async () => {
    const { recorder, entry } = openRecorder();
    const app = express();
    app.use(storageMiddleware({ recorder }));
    app.get('/made', (_request, response) => {
      response.end('made');
    });
    const request = Object.assign(new IncomingMessage(undefined as never), { method: 'GET', url: '/made' });
    const response = new ServerResponse(request);
    app(request as never, response as never);
    response.emit('close');
    expect(await entry()).toMatchObject({ path: '/made', offeredBytes: 4 });
  });
});

describe('an answer that a compressor changes after Recap has seen it', () => {
  const record = async (length: number, headers: string) => {
    const { recorder, entry } = openRecorder();
    const app = express();
    app.use(compression({ threshold: 1_000 }), storageMiddleware({ recorder }));
    app.get('/', (_request, response) => {
      response.type('text').send('x'.repeat(length));
    });
    const client = open(await listen(createServer(app)), `GET / HTTP/1.1\r\nhost: x\r\n${headers}\r\n`);
    await once(client, 'data');
    return entry();
  };

  it('has offered bytes that are known and sent bytes that are not', async () => {
    expect(await record(5_000, 'accept-encoding: gzip\r\n')).toMatchObject({
      offeredBytes: 5_000,
      sentBytes: null,
    });
  });

  it('has sent bytes where the compressor let it pass', async () => {
    expect(await record(500, 'accept-encoding: gzip\r\n')).toMatchObject({
      offeredBytes: 500,
      sentBytes: 500,
    });
  });
});
