import * as zlib from 'node:zlib';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import compression from 'compression';
import express from 'express';
import supertest from 'supertest';
import { storageMiddleware } from '../../src/express';
import { openRecorder, requestData, responseData } from './open-recorder';

const value = { password: 'PLANTED', text: 'words '.repeat(500) };
const hidden = { ...value, password: '[REDACTED]' };

/** The client would send a Buffer as JSON under that content type. */
const asItIs = (bytes: unknown): string => bytes as string;

describe('compressed bodies', () => {
  it.each([
    ['inside of Recap', (record: express.Handler) => [record, compression()]],
    ['outside of Recap', (record: express.Handler) => [compression(), record]],
  ])('are stored decoded and redacted with a compressor %s', async (_where, order) => {
    const { recorder, entry } = openRecorder();
    const app = express();
    app.use(...order(storageMiddleware({ recorder })));
    app.get('/', (_request, response) => {
      response.json(value);
    });
    const { body, headers } = await supertest(app).get('/').expect(200);
    expect(headers['content-encoding']).toBe('gzip');
    expect(body).toEqual(value);
    expect(responseData(await entry())).toEqual(hidden);
  });

  const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' };
  const plain = { 'Content-Type': 'application/json' };
  it.each<[string, 'gzip' | 'br', (response: express.Response) => unknown]>([
    ['set', 'gzip', (response) => response.set(headers)],
    ['given to writeHead', 'gzip', (response) => response.writeHead(200, headers)],
    ['given to writeHead after a reason', 'gzip', (response) => response.writeHead(200, 'Fine', headers)],
    [
      'given to writeHead as a list',
      'gzip',
      (response) => response.writeHead(200, Object.entries(headers).flat()),
    ],
    ['left to a compressor beneath', 'br', (response) => response.writeHead(200, plain)],
    [
      'left to a compressor beneath, with the head sent first',
      'br',
      (response) => {
        response.set(plain).flushHeaders();
      },
    ],
  ])('are stored decoded from above a compressor when their coding was %s', async (_how, coding, begin) => {
    const { recorder, entry } = openRecorder();
    const app = express();
    app.use(compression(), storageMiddleware({ recorder }));
    app.get('/', (_request, response) => {
      begin(response);
      const json = JSON.stringify(value);
      response.end(coding === 'gzip' ? gzipSync(json) : json);
    });
    const answer = await supertest(app).get('/').set('accept-encoding', 'br').expect(200);
    expect(answer.headers['content-encoding']).toBe(coding);
    const stored = await entry();
    expect(responseData(stored)).toEqual(hidden);
    expect(stored.responseDetails).toMatchObject({ contentEncoding: coding });
  });

  it('in a coding that this Node cannot undo are dropped and say so', async () => {
    const { recorder, entry } = openRecorder();
    const app = express();
    app.use(storageMiddleware({ recorder }));
    app.get('/', (_request, response) => {
      // RFC 8878: magic number, one segment of 5 bytes, one last raw block.
      const frame = Buffer.concat([Buffer.from('28b52ffd2005290000', 'hex'), Buffer.from('hello')]);
      response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Encoding': 'zstd' }).end(frame);
    });
    await supertest(app).get('/').expect(200);
    const stored = await entry();
    expect(stored.responseDetails).toMatchObject({ contentEncoding: 'zstd' });
    if ('zstdDecompress' in zlib) expect(responseData(stored)).toBe('hello');
    else {
      expect(stored).toMatchObject({ responseState: 'dropped', responseDetails: { reason: 'undecodable' } });
    }
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
  ])('of a request in %s are stored decoded and redacted', async (coding, compress) => {
    const { recorder, entry } = openRecorder();
    const app = express();
    app.use(storageMiddleware({ recorder }));
    app.post('/', (request, response) => {
      request.resume().on('end', () => response.end());
    });
    const bytes = compress(Buffer.from(JSON.stringify(value)));
    await supertest(app)
      .post('/')
      .set('content-type', 'application/json')
      .set('content-encoding', coding)
      .serialize(asItIs)
      .send(bytes)
      .expect(200);
    const stored = await entry();
    expect(requestData(stored)).toEqual(hidden);
    expect(stored).toMatchObject({
      requestDetails: { contentEncoding: coding },
      requestOriginalBytes: bytes.length,
    });
  });

  it('that unfold beyond all bounds, or are not what they claim, are dropped and say so', async () => {
    const { recorder, entries } = openRecorder();
    const app = express();
    app.use(storageMiddleware({ recorder }));
    app.post('/', (request, response) => {
      request.resume().on('end', () => response.end());
    });
    const send = (coding: string, bytes: Buffer) =>
      supertest(app)
        .post('/')
        .set('content-type', 'text/plain')
        .set('content-encoding', coding)
        .serialize(asItIs)
        .send(bytes)
        .expect(200);
    await send('gzip', gzipSync(Buffer.alloc(60_000_000)));
    await send('br', Buffer.from('not brotli at all'));
    await send('made-up', Buffer.from('whatever'));
    await send('gzip, gzip, gzip, gzip', Buffer.from('whatever'));
    for (const stored of await entries()) {
      expect(stored).toMatchObject({
        requestState: 'dropped',
        requestDetails: { reason: 'undecodable' },
        requestBody: null,
      });
    }
  });
});
