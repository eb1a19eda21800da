import { createReadStream } from 'node:fs';
import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { describeError } from '../describe-value';
import { CALLBACK, type Call } from '../call';
import type { FidelityCase } from '../fidelity-case';
import type { Probe } from '../probe';
import { requestText } from '../wire-client';

const topic = 'streams';
const ok: Call = ['writeHead', 200, { 'Content-Type': 'text/plain' }];
const LETTERS = `${__dirname}/../files/letters.txt`;
const request = requestText({ headers: [['Connection', 'keep-alive']] });

/** Passes a stream's failure on to the log, as a handler that catches it would. */
function attempt(t: Probe, what: string, work: () => Promise<unknown>): Promise<void> {
  const attempted = settle(t, what, work);
  t.run.held.push(attempted);
  return attempted;
}

async function settle(t: Probe, what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
    t.note(`${what} resolves`);
  } catch (error) {
    t.note(`${what} rejects ${describeError(error)}`);
  }
}

async function* pieces(count: number, size = 10): AsyncGenerator<Buffer> {
  for (let index = 0; index < count; index += 1) {
    await nextTurn();
    yield Buffer.alloc(size, 97 + (index % 26));
  }
}

function failing(): Readable {
  return Readable.from(
    (async function* () {
      yield 'a beginning';
      await nextTurn();
      throw new Error('the source fails');
    })(),
  );
}

const calls: Readonly<Record<string, readonly Call[]>> = {
  'cork and uncork': [ok, ['cork'], ['write', 'a'], ['write', 'b'], ['uncork'], ['end', 'c']],
  'cork over a turn': [ok, ['cork'], ['write', 'a'], ['turn'], ['write', 'b'], ['uncork'], ['turn'], ['end']],
  'Nested corks': [
    ok,
    ['cork'],
    ['cork'],
    ['write', 'a', CALLBACK],
    ['uncork'],
    ['write', 'b', CALLBACK],
    ['uncork'],
    ['end'],
  ],
  'end while corked': [ok, ['cork'], ['write', 'a', CALLBACK], ['end', 'b', CALLBACK]],
  'uncork without cork': [ok, ['uncork'], ['write', 'a'], ['uncork'], ['end']],
  'cork before the head': [['statusCode=', 200], ['cork'], ['write', 'a'], ['uncork'], ['end', 'b']],
  'A write beyond the mark, then drain': [
    ok,
    ['write', 'x'.repeat(100_000), CALLBACK],
    ['await drain'],
    ['write', 'y'.repeat(100_000), CALLBACK],
    ['await drain'],
    ['end', 'z', CALLBACK],
  ],
  'Server-sent events that end': [
    ['writeHead', 200, { 'Content-Type': 'text/event-stream' }],
    ['write', 'data: 1\n\n'],
    ['turn'],
    ['write', 'event: x\ndata: 2\n\n'],
    ['turn'],
    ['end', 'data: [DONE]\n\n'],
  ],
};

const handlers: Readonly<Record<string, (t: Probe) => unknown>> = {
  'pipe of a stream': (t) => {
    t.call('writeHead', 200, { 'Content-Type': 'text/plain' });
    Readable.from(['one ', 'two ', 'three']).pipe(t.res);
  },
  'pipe of a file': (t) => {
    t.call('writeHead', 200, { 'Content-Type': 'text/plain' });
    createReadStream(LETTERS, { highWaterMark: 4_096 }).pipe(t.res);
  },
  'pipe that is taken off': async (t) => {
    t.call('writeHead', 200, { 'Content-Type': 'text/plain' });
    const source = new PassThrough();
    source.pipe(t.res);
    source.write('through the pipe, ');
    await nextTurn();
    source.unpipe(t.res);
    t.call('end', 'and without it');
  },
  'pipe without its end': async (t) => {
    t.call('writeHead', 200, { 'Content-Type': 'text/plain' });
    const source = Readable.from(['all ', 'of it ']);
    source.pipe(t.res, { end: false });
    await once(source, 'end');
    t.call('end', 'and the end');
  },
  'pipeline of a stream': (t) => {
    t.call('writeHead', 200, { 'Content-Type': 'text/plain' });
    return attempt(t, 'pipeline', () => pipeline(Readable.from(pieces(5)), t.res));
  },
  'pipeline of a large stream': (t) => {
    t.call('writeHead', 200, { 'Content-Type': 'text/plain' });
    return attempt(t, 'pipeline', () => pipeline(Readable.from(pieces(8, 65_536)), t.res));
  },
  'pipeline through gzip': (t) => {
    t.call('writeHead', 200, { 'Content-Type': 'text/plain', 'Content-Encoding': 'gzip' });
    return attempt(t, 'pipeline', () => pipeline(createReadStream(LETTERS), createGzip(), t.res));
  },
  'A stream of the web': async (t) => {
    t.call('writeHead', 200, { 'Content-Type': 'text/plain' });
    for await (const chunk of new Blob(['of the ', 'web']).stream()) t.call('write', chunk);
    t.call('end');
  },
  'An asynchronous iterator with its own waits': async (t) => {
    t.call('writeHead', 200, { 'Content-Type': 'application/x-ndjson' });
    for await (const piece of pieces(4)) t.call('write', `{"piece":"${piece.toString()}"}\n`);
    t.call('end');
  },
  'What the response says of itself as a stream': (t) => {
    t.call('writeHead', 200, { 'Content-Type': 'text/plain' });
    for (const name of ['write', 'end'] as const) t.note(`${name} ${t.res[name].name} ${t.res[name].length}`);
    t.call('write', 'x');
    t.note(`length ${t.res.writableLength}, corked ${t.res.writableCorked}, ${Object.keys(t.res).join()}`);
    t.note(`${t.res.listenerCount('finish')} ${t.res.listenerCount('error')} ${Object.keys(t.req).join()}`);
    t.call('end');
  },
  'Methods that another patch replaced': (t) => {
    const { write, end } = t.res;
    t.res.write = function (this: typeof t.res, ...args: unknown[]) {
      t.note('patched write');
      return (write as (...all: unknown[]) => boolean).apply(this, args);
    } as typeof write;
    t.res.end = function (this: typeof t.res, ...args: unknown[]) {
      t.note('patched end');
      return (end as (...all: unknown[]) => typeof t.res).apply(this, args);
    } as typeof end;
    t.res.statusCode = 200;
    t.call('write', 'one ');
    t.call('end', 'two');
  },
  'A patch that changes what is written': (t) => {
    const { end } = t.res;
    t.res.end = function (this: typeof t.res, chunk: string) {
      return (end as (...all: unknown[]) => typeof t.res).call(this, chunk.toUpperCase());
    } as unknown as typeof end;
    t.res.statusCode = 200;
    t.call('end', 'loud');
  },
};

export const streamCases: readonly FidelityCase[] = [
  ...Object.entries(calls).map(([name, each]): FidelityCase => ({ name, topic, calls: each })),
  ...Object.entries(handlers).map(([name, handler]): FidelityCase => ({ name, topic, handler })),
  {
    name: 'pipe of a source that fails',
    topic,
    handler: (t) => {
      t.call('writeHead', 200, { 'Content-Type': 'text/plain' });
      const source = failing();
      source.on('error', (error) => {
        t.note(`source ${describeError(error)}`);
        t.call('destroy');
      });
      source.pipe(t.res);
    },
    http2: false,
  },
  {
    name: 'pipeline of a source that fails',
    topic,
    handler: (t) => {
      t.call('writeHead', 200, { 'Content-Type': 'text/plain' });
      return attempt(t, 'pipeline', () => pipeline(failing(), t.res));
    },
    http2: false,
  },
  {
    name: 'Server-sent events that never end, until the client leaves',
    topic,
    handler: async (t) => {
      t.call('writeHead', 200, { 'Content-Type': 'text/event-stream' });
      for (let index = 0; index < 3; index += 1) {
        t.call('write', `data: ${index}\n\n`);
        await t.run.when(`read ${index}`);
      }
      t.note('still open');
    },
    client: async (client, run) => {
      client.send(request);
      for (let index = 0; index < 3; index += 1) {
        await client.until(`data: ${index}\n\n`);
        run.signal(`read ${index}`);
      }
      client.socket.destroy();
    },
    records: [{ outcome: 'aborted', status: 200 }],
  },
  {
    name: 'Each event is sent at once',
    topic,
    handler: async (t) => {
      t.call('writeHead', 200, { 'Content-Type': 'text/event-stream' });
      t.call('flushHeaders');
      await t.run.when('head read');
      t.call('write', 'data: first\n\n');
      await t.run.when('first read');
      t.call('end', 'data: last\n\n');
    },
    client: async (client, run) => {
      client.send(requestText());
      await client.until('\r\n\r\n');
      run.signal('head read');
      await client.until('first');
      run.signal('first read');
      await client.closed;
    },
  },
  {
    name: 'A client that reads slowly holds the stream back',
    topic,
    handler: async (t) => {
      t.call('writeHead', 200, { 'Content-Type': 'text/plain' });
      const chunk = Buffer.alloc(8 * 1024 * 1024, 'x');
      t.call('write', chunk);
      t.run.signal('full');
      await once(t.res, 'drain');
      t.call('end', 'last');
    },
    client: async (client, run) => {
      client.socket.pause();
      client.send(requestText());
      await run.when('full');
      client.socket.resume();
      await client.closed;
    },
  },
];
