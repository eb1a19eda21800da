import { createServer } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { annotate, createRecorder } from '@recap/capture';
import { storageMiddleware } from '@recap/capture/express';
import express from 'express';
import supertest from 'supertest';
import { bytesIn, silent, temporaryFolder, written } from './rig';

/** Unique, so that a hit anywhere in the files tells which place leaks. */
let planted: string[] = [];
const plant = (place: string): string => {
  const secret = `CANARY${place.replace(/\W/g, '')}${String(planted.length)}QX`;
  planted.push(secret);
  return secret;
};

describe('secrets planted in many places', () => {
  const folder = temporaryFolder();

  beforeEach(() => {
    planted = [];
  });

  it('are nowhere in the files of the database', async () => {
    const home = join(folder(), 'db');
    const recorder = createRecorder({
      database: { type: 'sqlite', path: join(home, 'recap.db') },
      logger: silent,
      metadata: () => ({
        apiKey: plant('metadata'),
        deep: { list: [{ clientSecret: plant('deep metadata') }] },
      }),
    });
    const app = express();
    app.use(storageMiddleware({ recorder }));
    app.use(express.json(), express.urlencoded({ extended: true }), express.text());
    app.post('/login/:token', (request, response) => {
      annotate(request, { password: plant('annotate') });
      response.cookie('sid', plant('set-cookie'));
      response.set('x-auth-token', plant('response header'));
      response.set('location', `https://example.test/next?access_token=${plant('location')}`);
      response.json({
        access_token: plant('response body'),
        nested: { items: [{ refreshToken: plant('response list') }] },
        tool: { arguments: JSON.stringify({ api_key: plant('JSON in JSON') }) },
        url: `https://user:${plant('url password')}@example.test/`,
        note: `use Bearer ${plant('bearer in text')}`,
      });
    });
    app.post('/text', (_request, response) => {
      response.type('text/plain').send(`password=${plant('text')} and more`);
    });
    app.get('/stream', (_request, response) => {
      response.type('text/event-stream');
      response.write(`data: {"token":"${plant('sse')}"}\n\n`);
      response.end(`data: {"a":1,"client_secret":"${plant('sse tail')}`);
    });
    app.get('/lines', (_request, response) => {
      response.type('application/x-ndjson').end(`{"password":"${plant('ndjson')}"}\n{"b":2}\n`);
    });
    app.get('/long', (_request, response) => {
      response
        .type('json')
        .end(`{"filler":"${'x'.repeat(262_000)}","secret":"${plant('at the cap')}${'y'.repeat(500)}"}`);
    });
    app.get('/broken', (_request, response) => {
      response.type('json').end(`{"password":"${plant('broken json')}"`);
    });
    app.get('/fail', () => {
      throw new Error(`connect postgres://admin:${plant('error text')}@db.test/x failed`);
    });
    const server = createServer(app);
    const agent = supertest(server);
    await agent
      .post(`/login/${plant('path')}?api_key=${plant('query')}&next=%2Fa%3Ftoken%3D${plant('nested query')}`)
      .set('authorization', `Basic ${Buffer.from(`ann:${plant('basic')}`).toString('base64')}`)
      .set('cookie', `session=${plant('cookie')}; theme=dark`)
      .set('x-api-key', plant('header'))
      .set('referer', `https://example.test/?token=${plant('referer')}`)
      .send({
        password: plant('json'),
        PassWord2: 'stays',
        user: { credentials: { pin: plant('object under a name') } },
        list: [{ secret: plant('json list') }],
        numbers: { cvv: 987_654 },
        card: '4111 1111 1111 1111',
        jwt: `eyJhbGciOiJIUzI1NiJ9.${Buffer.from(JSON.stringify({ s: plant('jwt') })).toString('base64url')}.c2lnbmF0dXJlc2ln`,
      });
    await agent
      .post('/login/x')
      .type('form')
      .send(`user=ann&password=${plant('form')}&a%5Btoken%5D=${plant('nested form')}`);
    for (const path of ['/stream', '/lines', '/long', '/broken', '/fail'])
      await agent.get(path).parse(unparsed);
    await agent
      .post('/text')
      .type('text')
      .send(`{"secret": "${plant('json as text')}"}`);
    await written(recorder);
    expect(recorder.stats()).toMatchObject({ captured: 8, stored: 8, internalErrors: 0 });
    await recorder.close();

    expect(planted.length).toBeGreaterThanOrEqual(25);
    const bytes = await bytesIn(home);
    const readable = await inflated(join(home, 'recap.db'));
    for (const secret of [...planted, '4111 1111', '987654']) {
      expect([secret, bytes.includes(secret), readable.includes(secret)]).toEqual([secret, false, false]);
    }
    expect(readable).toContain('theme');
    // Of a header the one, of a body the other: both are looked at.
    expect(readable).toContain('filler');
  });
});

/** What is sent is broken on purpose, and is not looked at here. */
function unparsed(response: supertest.Response, done: (error: Error | null, body: unknown) => void): void {
  const stream = response as unknown as Readable;
  stream.resume().on('end', () => {
    done(null, undefined);
  });
}

/** Every stored value as text, bodies unpacked. */
async function inflated(path: string): Promise<string> {
  const { decodeBody, StorageEntry } = await import('@recap/capture');
  const { DataSource } = await import('typeorm');
  const source = await new DataSource({
    type: 'better-sqlite3',
    database: path,
    entities: [StorageEntry],
  }).initialize();
  const entries = await source
    .getRepository(StorageEntry)
    .createQueryBuilder('entry')
    // Not loaded unless they are named.
    .addSelect(['entry.requestBody', 'entry.responseBody'])
    .getMany();
  await source.destroy();
  return JSON.stringify(
    entries.map((entry) => [entry, decodeBody(entry, 'request'), decodeBody(entry, 'response')]),
  );
}
