import { randomBytes } from 'node:crypto';
import { Agent, createServer, request as httpRequest, type Server, type ServerResponse } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { createRecorder, type DatabaseOption, type Recorder } from '@recap/capture';
import { storageMiddleware as expressMiddleware, storageRouter } from '@recap/capture/express';
import { storageMiddleware as koaMiddleware } from '@recap/capture/koa';
import express from 'express';
import express4 from 'express4';
import Koa from 'koa';
import koa2 from 'koa2';
import { Client } from 'pg';
import supertest from 'supertest';
import { silent, temporaryFolder, written } from './rig';

type Chunk = string | Uint8Array;
type Write = readonly [chunk: Chunk, encoding?: BufferEncoding];

/** One body, as it is written and as it travels. */
interface Body {
  readonly title: string;
  readonly contentType: string | undefined;
  readonly writes: readonly Write[];
  readonly wire: Buffer;
}

const MIXED = 'aé€🚀z';
const BYTES: readonly (readonly [title: string, bytes: Buffer])[] = [
  ['invalid UTF-8', Buffer.from([0x61, 0xff, 0xfe, 0x80, 0xc0, 0xaf, 0x62])],
  ['a character without its end', Buffer.from([0x61, 0xe2, 0x82])],
  ['a surrogate in UTF-8', Buffer.from([0x61, 0xed, 0xa0, 0x80, 0x62])],
  ['characters of one to four bytes', Buffer.from(MIXED)],
  ['UTF-8 with a byte order mark', Buffer.from(`\uFEFF${MIXED}`)],
  ['UTF-16 with a byte order mark', Buffer.from(`\uFEFF${MIXED}`, 'utf16le')],
  ['UTF-16, big endian', Buffer.from(`\uFEFF${MIXED}`, 'utf16le').swap16()],
  ['UTF-16 without a mark', Buffer.from('plain letters', 'utf16le')],
  ['a lone surrogate in UTF-16', Buffer.from([0x3d, 0xd8, 0x61, 0x00])],
  ['NUL bytes', Buffer.from('\0a\0\0b\0')],
  ['every byte', Buffer.from(Array.from({ length: 256 }, (_each, byte) => byte))],
  ['line ends and controls', Buffer.from('\r\n\n\r\t\b\x1b\x7f\u0085\u2028')],
];

/** Every way to write the same bytes in two chunks. */
const splits = (bytes: Buffer): Write[][] =>
  Array.from({ length: bytes.length + 1 }, (_each, at) => [[bytes.subarray(0, at)], [bytes.subarray(at)]]);

const body = (
  title: string,
  contentType: string | undefined,
  writes: readonly Write[],
  wire = Buffer.concat(writes.map(([chunk, encoding]) => toBytes(chunk, encoding))),
): Body => ({ title, contentType, writes, wire });

const toBytes = (chunk: Chunk, encoding?: BufferEncoding): Buffer =>
  typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk);

const inTypes = (types: readonly (string | undefined)[]): Body[] =>
  types.flatMap((type) =>
    BYTES.map(([title, bytes]) => body(`${title} as ${type ?? 'no type'}`, type, [[bytes]])),
  );

const split = (type: string): Body[] =>
  [...MIXED, '\uFEFFx', '\0\u0001'].flatMap((text) =>
    splits(Buffer.from(`<${text}>`)).map((writes) =>
      body(`${JSON.stringify(text)} split as ${type}`, type, writes),
    ),
  );

const whole = new Uint8Array([9, 0xc3, 0xa9, 9]);
const WRITTEN: Body[] = [
  body('latin1', 'text/plain; charset=latin1', [['é', 'latin1'], ['ÿ', 'binary'], ['a']]),
  body('UTF-16', 'text/plain; charset=utf-16le', [
    ['aé€🚀', 'utf16le'],
    ['z', 'ucs2'],
  ]),
  body('hex and base64', 'text/plain', [
    ['c3a9ff', 'hex'],
    ['w6n/', 'base64'],
    ['w6n_', 'base64url'],
  ]),
  body('ascii', 'text/plain', [['plain', 'ascii']]),
  body('a part of an array', 'text/plain', [[whole.subarray(1, 3)], [new Uint8Array([0xff, 0])]]),
  body('lone surrogates', 'text/plain', [['a\ud83d'], ['\ude00b'], ['\ud83d\ude00']]),
];

/** Types that claim a structure, of which nothing is looked at with redaction off. */
const STRUCTURED = [
  'application/json',
  'application/x-ndjson',
  'text/event-stream',
  'application/x-www-form-urlencoded',
  'application/xml',
];
const TEXT = ['text/plain', 'text/plain; charset=utf-16le'];
const BINARY = ['application/octet-stream', 'image/png', 'multipart/form-data; boundary=x'];

const UNREDACTED = [
  ...inTypes([...BINARY, ...TEXT, ...STRUCTURED]),
  ...split('text/plain'),
  ...split('application/octet-stream'),
  ...WRITTEN,
];
/** Of text in another charset nobody can tell what is secret. */
const isUtf16 = ({ title, contentType }: Body): boolean =>
  title.startsWith('UTF-16') && !BINARY.includes(contentType ?? '');
const REDACTED = [...inTypes([...BINARY, 'text/plain']), ...split('text/plain'), ...WRITTEN].filter(
  (each) => !isUtf16(each),
);

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** `/up/…` reads the request's body in one way or another, `/down/…` writes the body of that number. */
const serve =
  (bodies: readonly Body[]): Handler =>
  async (request, response) => {
    const [, direction, index] = (request.url ?? '').split('/');
    if (direction === 'up') {
      if (Number(index) % 3 === 1) request.setEncoding('utf8');
      if (Number(index) % 3 === 2) request.resume();
      else await request.toArray();
      response.statusCode = 204;
      response.end();
      return;
    }
    const { contentType, writes } = bodies[Number(index)]!;
    response.statusCode = 200;
    if (contentType !== undefined) response.setHeader('content-type', contentType);
    for (const [chunk, encoding] of writes) {
      // A program may use its buffer again once the write has called back.
      const own = typeof chunk === 'string' ? chunk : Buffer.from(chunk);
      await new Promise<void>((resolve) => {
        if (encoding === undefined) response.write(own, () => resolve());
        else response.write(own, encoding, () => resolve());
      });
      if (typeof own !== 'string') own.fill(0x78);
    }
    response.end();
  };

const onExpress =
  (framework: typeof express) =>
  (recorder: Recorder, handler: Handler): Server => {
    const app = framework();
    app.use(expressMiddleware({ recorder }));
    app.use((request, response, next) => {
      handler(request, response).catch(next);
    });
    return createServer(app);
  };
const onKoa =
  (Framework: typeof Koa) =>
  (recorder: Recorder, handler: Handler): Server => {
    const app = new Framework();
    app.use(koaMiddleware({ recorder }));
    app.use(async (context) => {
      context.respond = false;
      await handler(context.req, context.res);
    });
    return createServer(app.callback());
  };

/** Sends `writes` as chunks and resolves to the bytes of the answer. */
async function exchange(
  port: number,
  agent: Agent,
  path: string,
  method: string,
  sent?: Body,
): Promise<Buffer> {
  const headers = sent?.contentType === undefined ? {} : { 'content-type': sent.contentType };
  const request = httpRequest({ port, host: '127.0.0.1', agent, path, method, headers });
  for (const [chunk, encoding] of sent?.writes ?? []) {
    await new Promise<void>((resolve) => {
      if (encoding === undefined) request.write(chunk, () => resolve());
      else request.write(chunk, encoding, () => resolve());
    });
  }
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** JSON that encodes what is easily lost; the value that comes back is the value that was sent. */
const JSON_TEXTS = [
  '{"lone":"\\ud800","pair":"\\ud83d\\ude00","nul":"\\u0000","key\\u0000":1,"\\udc00":2}',
  '{"composed":"é","decomposed":"e\u0301","line":"\u2028","raw":"🚀"}',
  '\uFEFF{"mark":"é"}',
  '"\\ud800"',
  '{"a":"\\\\u0000","__proto__":{"b":1}}',
];

/** The bytes that shown data stands for. */
function bytesOf(data: unknown): Buffer {
  if (typeof data === 'string') return Buffer.from(data);
  if (typeof data !== 'object' || data === null || !('content' in data)) return Buffer.from('not shown');
  const { content, encoding } = data as { readonly content: string; readonly encoding: BufferEncoding };
  return Buffer.from(content, encoding);
}

interface Shown {
  readonly id: string;
  readonly path: string;
  readonly data: unknown;
  readonly data_state: unknown;
}

const DATABASES: readonly (readonly [
  name: string,
  use: (folder: string, work: (database: DatabaseOption) => Promise<void>) => Promise<void>,
])[] = [
  [
    'SQLite',
    (folder, work) => work({ type: 'sqlite', path: join(folder, `${randomBytes(6).toString('hex')}.db`) }),
  ],
  ['PostgreSQL', (_folder, work) => onPostgres(work)],
];

async function onPostgres(work: (database: DatabaseOption) => Promise<void>): Promise<void> {
  const server = process.env['RECAP_TEST_POSTGRES_URL'];
  if (server === undefined) {
    console.warn('SKIPPED: encodings on PostgreSQL, since RECAP_TEST_POSTGRES_URL names no server.');
    expect(process.env['CI']).not.toBe('1');
    return;
  }
  const name = `encodings_${randomBytes(6).toString('hex')}`;
  const admin = new Client({ connectionString: server });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`);
  try {
    await work({ type: 'postgres', url: Object.assign(new URL(server), { pathname: `/${name}` }).href });
  } finally {
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.end();
  }
}

describe.each(DATABASES)('bodies on %s', (_database, use) => {
  const folder = temporaryFolder();

  describe.each([
    ['Express 5', onExpress(express)],
    ['Express 4', onExpress(express4)],
    ['Koa 3', onKoa(Koa)],
    ['Koa 2', onKoa(koa2)],
  ])('through %s', (_framework, build) => {
    const roundTrip = (bodies: readonly Body[], redaction: false | undefined): Promise<void> =>
      use(folder(), async (database) => {
        const recorder = createRecorder({
          database,
          logger: silent,
          contentTypes: ['*/*'],
          ...(redaction === false && { redaction }),
        });
        const server = build(recorder, serve(bodies)).listen(0, '127.0.0.1');
        const agent = new Agent({ keepAlive: true });
        try {
          await once(server, 'listening');
          const { port } = server.address() as { port: number };
          for (const [index, each] of bodies.entries()) {
            await exchange(port, agent, `/up/${String(index)}`, 'POST', each);
            expect(await exchange(port, agent, `/down/${String(index)}`, 'GET')).toEqual(each.wire);
          }
          await written(recorder);
          const storage = express().use(
            storageRouter({ recorder, authenticate: () => ({ ownerId: 'admin', isAdmin: true }) }),
          );
          for (const [side, direction] of [
            ['request', 'up'],
            ['response', 'down'],
          ] as const) {
            const found = await all(storage, side, `/${direction}/*`);
            const shown = new Map(found.map((item) => [item.path, item]));
            const wrong = bodies.flatMap(({ title, wire }, index) => {
              const item = shown.get(`/${direction}/${String(index)}`);
              const bytes = bytesOf(item?.data);
              const isSame = bytes.equals(wire) && item?.data_state === null;
              return isSame ? [] : [{ side, title, sent: wire, shown: item?.data, state: item?.data_state }];
            });
            expect(wrong).toEqual([]);
            const [some] = found.filter(({ path }) => path === `/${direction}/0`);
            const { body: detail } = await supertest(storage)
              .get(`/entries/${some?.id ?? ''}`)
              .expect(200);
            const { data } = detail as { data: Record<'request' | 'response', { data: unknown }> };
            expect(bytesOf(data[side].data)).toEqual(bodies[0]?.wire);
          }
        } finally {
          agent.destroy();
          server.close();
          await recorder.close();
        }
      });

    it('come back byte for byte with redaction off', () => roundTrip(UNREDACTED, false));

    it.each([false, undefined] as const)(
      'come back as the values they are in JSON (redaction: %s)',
      (redaction) =>
        use(folder(), async (database) => {
          const recorder = createRecorder({
            database,
            logger: silent,
            ...(redaction === false && { redaction }),
          });
          const bodies = JSON_TEXTS.flatMap((text) =>
            splits(Buffer.from(text)).map((writes) => body(text, 'application/json', writes)),
          );
          const server = build(recorder, serve(bodies)).listen(0, '127.0.0.1');
          const agent = new Agent({ keepAlive: true });
          try {
            await once(server, 'listening');
            const { port } = server.address() as { port: number };
            for (const [index] of bodies.entries())
              await exchange(port, agent, `/down/${String(index)}`, 'GET');
            await written(recorder);
            const storage = express().use(
              storageRouter({ recorder, authenticate: () => ({ ownerId: 'admin', isAdmin: true }) }),
            );
            for (const { path, data, data_state } of await all(storage, 'response', '/down/*')) {
              const text = bodies[Number(path.slice('/down/'.length))]!.wire.toString().replace('\uFEFF', '');
              expect({ data, data_state }).toEqual({ data: JSON.parse(text) as unknown, data_state: null });
            }
          } finally {
            agent.destroy();
            server.close();
            await recorder.close();
          }
        }),
    );

    it('come back byte for byte with redaction on where they claim no structure', () =>
      roundTrip(REDACTED, undefined));
  });
});

async function all(storage: express.Express, side: 'request' | 'response', path: string): Promise<Shown[]> {
  const found: Shown[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const { body: answer } = await supertest(storage)
      .post('/query')
      .send({
        storage_type: side,
        path,
        page_size: 100,
        include_total: false,
        ...(cursor !== undefined && { cursor }),
      })
      .expect(200);
    const { data } = answer as { data: { items: Shown[]; cursor: string | null } };
    found.push(...data.items);
    ({ cursor } = data);
  }
  return found;
}
