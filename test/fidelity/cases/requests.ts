import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describeValue } from '../describe-value';
import type { RequestSpec } from '../request-spec';
import type { FidelityCase } from '../fidelity-case';
import type { Probe } from '../probe';
import { requestText } from '../wire-client';

const topic = 'requests';
const BODY = 'the body of the request \u20ac\u{1f600}';
const JSON_BODY = '{"name":"\u00e4","list":[1,2,3]}';
const text: RequestSpec = { method: 'POST', headers: [['Content-Type', 'text/plain']], body: BODY };
const json: RequestSpec = {
  method: 'POST',
  headers: [['Content-Type', 'application/json']],
  body: JSON_BODY,
};
const large: RequestSpec = { ...text, body: 'x'.repeat(200_000) };

async function whole(t: Probe): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of t.req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function done(t: Probe, body: unknown): void {
  t.res.statusCode = 200;
  t.call('end', typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body));
}

const readers: Readonly<Record<string, (t: Probe) => unknown>> = {
  'A body that nobody reads': (t) => done(t, 'unread'),
  'A body read by data events': (t) => {
    const chunks: Buffer[] = [];
    t.req.on('data', (chunk: Buffer) => chunks.push(chunk));
    t.req.on('end', () => done(t, Buffer.concat(chunks)));
  },
  'A body read by an iterator': async (t) => done(t, await whole(t)),
  'A body read by readable and read': (t) => {
    const parts: Buffer[] = [];
    t.req.on('readable', () => {
      for (let part = t.req.read(7) as Buffer | null; part !== null; part = t.req.read(7) as Buffer | null)
        parts.push(part);
      const rest = t.req.read() as Buffer | null;
      if (rest !== null) parts.push(rest);
    });
    t.req.on('end', () => done(t, Buffer.concat(parts)));
  },
  'A body read as text': (t) => {
    let seen = '';
    t.req.setEncoding('utf8');
    t.req.on('data', (chunk: string) => {
      seen += chunk;
    });
    t.req.on('end', () => done(t, seen));
  },
  'A body whose first part is put back': (t) => {
    t.req.once('readable', () => {
      const first = t.req.read() as Buffer;
      t.req.unshift(first);
      void whole(t).then((body) => done(t, body));
    });
  },
  'A body echoed by pipe': (t) => {
    t.res.statusCode = 200;
    t.req.pipe(t.res);
  },
  'A body echoed by pipeline': async (t) => {
    t.res.statusCode = 200;
    await pipeline(t.req, t.res);
  },
  'A body piped into two streams': async (t) => {
    const [left, right] = [new PassThrough(), new PassThrough()];
    t.req.pipe(left);
    t.req.pipe(right);
    const [one, two] = await Promise.all([left.toArray(), right.toArray()]);
    done(t, [Buffer.concat(one as Buffer[]).length, Buffer.concat(two as Buffer[]).length]);
  },
  'A body paused and resumed': async (t) => {
    t.note(`paused ${t.req.pause().isPaused()}`);
    await nextTurn();
    const reading = whole(t);
    t.req.resume();
    done(t, await reading);
  },
  'A body read a turn later': async (t) => {
    await nextTurn();
    await nextTurn();
    done(t, await whole(t));
  },
  'A body read after the answer': async (t) => {
    done(t, 'answered first');
    t.note(`then read ${(await whole(t)).length}`);
  },
  'A body that is thrown away': (t) => {
    t.req.resume();
    t.req.on('end', () => done(t, 'thrown away'));
  },
  'A body asked for after it was read': async (t) => {
    const first = await whole(t);
    t.note(`ended ${t.req.readableEnded}, again ${describeValue(t.req.read())}`);
    done(t, first);
  },
};

const isWhole = (name: string): boolean => name !== 'A body that nobody reads';

export const requestCases: readonly FidelityCase[] = [
  ...Object.entries(readers).map(([name, handler]): FidelityCase => ({
    name,
    topic,
    request: text,
    handler,
    ...(isWhole(name) && { records: [{ requestBody: BODY, requestState: 'captured' }] }),
  })),
  {
    name: 'A JSON body',
    topic,
    request: json,
    handler: readers['A body read by an iterator']!,
    records: [{ requestBody: JSON_BODY }],
  },
  { name: 'A large body', topic, request: large, handler: readers['A body read by an iterator']! },
  { name: 'A large body that nobody reads', topic, request: large, handler: (t) => done(t, 'unread') },
  {
    name: 'A body read in part',
    topic,
    request: large,
    http2: false,
    handler: async (t) => {
      const [first] = (await once(t.req, 'data')) as [Buffer];
      t.req.pause();
      t.note(`first byte ${String(first[0])}`);
      done(t, 'read in part');
    },
  },
  {
    name: 'An empty body',
    topic,
    request: { method: 'POST', body: '' },
    handler: readers['A body read by an iterator']!,
  },
  {
    name: 'A binary body',
    topic,
    request: { method: 'POST', body: Buffer.from([0, 255, 254, 1, 128]) },
    handler: readers['A body read by an iterator']!,
  },
  {
    name: 'A multipart upload',
    topic,
    request: {
      method: 'POST',
      headers: [['Content-Type', 'multipart/form-data; boundary=b']],
      body: '--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\ncontent\r\n--b--\r\n',
    },
    handler: readers['A body read by an iterator']!,
  },
  {
    name: 'A chunked body with extensions and trailers',
    topic,
    handler: async (t) => {
      const body = await whole(t);
      t.note(`trailers ${describeValue(t.req.trailers)} ${describeValue(t.req.rawTrailers)}`);
      done(t, body);
    },
    client: async (client) => {
      client.send(
        requestText({
          method: 'POST',
          headers: [
            ['Transfer-Encoding', 'chunked'],
            ['Trailer', 'X-Sum'],
          ],
        }),
        '5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 11\r\nX-Sum: 12\r\n\r\n',
      );
      await client.closed;
    },
    records: [{ requestBody: 'hello world' }],
  },
  {
    name: 'An empty chunked body',
    topic,
    handler: readers['A body read by an iterator']!,
    client: async (client) => {
      client.send(requestText({ method: 'POST', headers: [['Transfer-Encoding', 'chunked']] }), '0\r\n\r\n');
      await client.closed;
    },
  },
  {
    name: 'A body that comes byte by byte',
    topic,
    handler: async (t) => {
      t.run.signal('entered');
      const chunks: Buffer[] = [];
      t.req.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        t.run.signal(`got ${Buffer.concat(chunks).length}`);
      });
      await once(t.req, 'end');
      done(t, Buffer.concat(chunks));
    },
    client: async (client, run) => {
      client.send(requestText({ method: 'POST', headers: [['Content-Length', '6']] }));
      await run.when('entered');
      const bytes = Buffer.from('a\u20acbc');
      for (let index = 0; index < 6; index += 1) {
        client.send(bytes.subarray(index, index + 1));
        await run.when(`got ${index + 1}`);
      }
      await client.closed;
    },
    records: [{ requestBody: 'a\u20acbc' }],
  },
  {
    name: 'A body whose text is split within a character',
    topic,
    handler: async (t) => {
      t.req.setEncoding('utf8');
      t.run.signal('entered');
      let seen = '';
      t.req.on('data', (chunk: string) => {
        t.note(`chunk ${JSON.stringify(chunk)}`);
        seen += chunk;
        t.run.signal('half');
      });
      await once(t.req, 'end');
      done(t, seen);
    },
    client: async (client, run) => {
      const bytes = Buffer.from('ab\u20accd');
      client.send(requestText({ method: 'POST', headers: [['Content-Length', '7']] }));
      await run.when('entered');
      client.send(bytes.subarray(0, 3));
      await run.when('half');
      client.send(bytes.subarray(3));
      await client.closed;
    },
    records: [{ requestBody: 'ab\u20accd' }],
  },
  {
    name: 'An answer before the body has come',
    topic,
    handler: (t) => done(t, 'no need of it'),
    client: async (client) => {
      client.send(
        requestText({
          method: 'POST',
          headers: [
            ['Content-Length', '4'],
            ['Connection', 'keep-alive'],
          ],
        }),
      );
      await client.until('no need of it');
      client.send('late');
      client.send(requestText({ path: '/second' }));
      await client.closed;
    },
  },
  ...['default', 'checked', 'refused'].map((kind): FidelityCase => ({
    name: `Expect: 100-continue, ${kind}`,
    topic,
    handler: async (t) => {
      if (kind === 'refused') {
        t.call('writeHead', 417, { Connection: 'close' });
        t.call('end', 'no');
        return;
      }
      if (kind === 'checked') t.call('writeContinue');
      done(t, await whole(t));
    },
    server: (server, run, app) => {
      if (kind === 'default') return;
      server.on('checkContinue', (request, response) => {
        run.note('checkContinue');
        app(request, response);
      });
    },
    client: async (client) => {
      client.send(
        requestText({
          method: 'POST',
          headers: [
            ['Content-Length', '4'],
            ['Expect', '100-continue'],
          ],
        }),
      );
      if (kind !== 'refused') {
        await client.until('100 Continue');
        client.send('body');
      }
      await client.closed;
    },
    records: [{ status: kind === 'refused' ? 417 : 200 }],
  })),
  {
    name: 'An expectation that is unknown',
    topic,
    handler: (t) => done(t, 'reached'),
    request: { method: 'POST', headers: [['Expect', 'the-impossible']], body: 'x' },
    http2: false,
    unrecorded: 'Node answers it before the app sees it.',
  },
];
