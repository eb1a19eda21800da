import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { writeFile, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createRecorder, setDefaultRecorder } from '@recap/capture';
import { storageMiddleware, storageRouter } from '@recap/capture/express';
import express from 'express';
import supertest from 'supertest';
import { silent, temporaryFolder, written } from './rig';

type Options = Parameters<typeof createRecorder>[0];

describe('the host', () => {
  const folder = temporaryFolder();

  const program = (options: Options = {}) => {
    const errors: string[] = [];
    const recorder = createRecorder({
      database: { type: 'sqlite', path: join(folder(), `${String(Math.random()).slice(2)}.db`) },
      logger: silent,
      onError: (error) => errors.push((error as { code?: string }).code ?? String(error)),
      ...options,
    });
    const app = express();
    app.use(storageMiddleware({ recorder }));
    app.use(
      '/storage',
      storageRouter({ recorder, authenticate: () => ({ ownerId: 'admin', isAdmin: true }) }),
    );
    app.use(express.json({ limit: '100mb' }));
    app.post('/echo', (request, response) => {
      response.json(request.body);
    });
    app.post('/size', express.raw({ type: '*/*', limit: '100mb' }), (request, response) => {
      response.json({ bytes: (request.body as Buffer).length });
    });
    return { recorder, errors, agent: supertest(app), app };
  };

  it('answers as ever while the database cannot be opened; the router says 503 and the failure is told', async () => {
    const file = join(folder(), 'not-a-folder');
    await writeFile(file, 'x');
    const { recorder, errors, agent } = program({
      database: { type: 'sqlite', path: join(file, 'recap.db') },
    });
    await expect(recorder.ready()).rejects.toMatchObject({ name: 'StorageError' });
    await agent.post('/echo').send({ a: 1 }).expect(200, { a: 1 });
    await agent.post('/storage/query').send({}).expect(503);
    await agent.get('/storage/health').expect(503);
    expect(errors.length).toBeGreaterThan(0);
    expect(recorder.stats()).toMatchObject({ captured: 1, queued: 1, stored: 0 });
    await rm(file);
    await written(recorder);
    expect(recorder.stats()).toMatchObject({ captured: 1, queued: 0, stored: 1 });
    await recorder.close();
  });

  it('answers as ever while a server does not answer, and loses nothing within the bounds of the queue', async () => {
    // Takes connections and never says a word.
    const sockets: Socket[] = [];
    const tcp = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await new Promise((resolve) => tcp.once('listening', resolve));
    const { port } = tcp.address() as { port: number };
    const { recorder, agent } = program({
      database: { type: 'postgres', url: `postgres://x:y@127.0.0.1:${String(port)}/z` },
      spool: false,
    });
    for (let index = 0; index < 20; index += 1)
      await agent.post('/echo').send({ index }).expect(200, { index });
    expect(recorder.stats()).toMatchObject({ captured: 20, queued: 20 });
    await recorder.close({ timeoutMs: 10 });
    expect(recorder.stats()).toMatchObject({ captured: 20, queued: 0, stored: 0, shed: { closed: 20 } });
    for (const socket of sockets) socket.destroy();
    tcp.close();
  });

  it('pays for a 50 MB body with no more than the cap, and gets the bytes through', async () => {
    const { recorder, agent } = program();
    await recorder.ready();
    const body = Buffer.alloc(50_000_000, 'a');
    await agent.post('/size').type('text/plain').send(body).expect(200, { bytes: body.length });
    await written(recorder);
    const { body: found } = await agent.post('/storage/query').send({ path: '/size' });
    const [item] = (
      found as { data: { items: { data: { request: string }; original_bytes: { request: number } }[] } }
    ).data.items;
    expect(item?.original_bytes.request).toBe(body.length);
    expect(item?.data.request.length).toBeLessThanOrEqual(262_144);
    expect(recorder.stats().bytesAfter).toBeLessThan(300_000);
    await recorder.close();
  });

  it('refuses lifetimes and other options that make no sense when it is made, not later', () => {
    for (const options of [
      { ttlDays: 0 },
      { ttlDays: -1 },
      { sessionTimeoutMinutes: 0 },
      { sample: 2 },
      { nope: 1 },
      { maxBodyBytes: -1 },
    ]) {
      expect(() => createRecorder(options as Options)).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID' }) as Error,
      );
    }
    expect(() => createRecorder({ database: { type: 'mysql' } })).toThrow(/mysql/i);
    expect(() => storageRouter({} as never)).toThrow(/authenticate/);
    expect(() => storageMiddleware({ recorder: {} as never })).toThrow(/recorder/);
  });

  it('meets hostile values in every parameter with an answer, not a failure', async () => {
    const { recorder, agent, errors } = program();
    await recorder.ready();
    await agent.post('/echo').send({ a: 1 });
    await written(recorder);
    const hostile = [
      "'",
      '%',
      '_',
      '"',
      '\\',
      '$**',
      "x') OR 1=1--",
      '__proto__',
      'constructor',
      '\u0000',
      '😀',
      'x'.repeat(10_000),
      '../..',
      '[*]',
      '{"$gt":""}',
    ];
    for (const value of hostile) {
      for (const field of [
        'endpoint',
        'path',
        'trace_id',
        'session_id',
        'owner_id',
        'method',
        'start_date',
        'cursor',
        'outcome',
        'status',
      ]) {
        const { status, body } = await agent.post('/storage/query').send({ [field]: value });
        expect([field, value.slice(0, 20), status]).toEqual([field, value.slice(0, 20), expect.any(Number)]);
        expect(status).toBeLessThan(500);
        if (status === 200 && field !== 'owner_id')
          expect((body as { data: { total: number } }).data.total).toBe(0);
      }
      const byKey = await agent
        .post('/storage/query')
        .send({ metadata_filters: Object.fromEntries([[value, 1]]) });
      const byValue = await agent.post('/storage/query').send({ metadata_filters: { key: value } });
      for (const { status, body } of [byKey, byValue]) {
        expect(status).toBeLessThan(500);
        if (status === 200) expect((body as { data: { total: number } }).data.total).toBe(0);
      }
      expect(
        (await agent.get(`/storage/entries/${encodeURIComponent(value)}`)).status,
      ).toBeGreaterThanOrEqual(400);
      expect((await agent.get(`/storage/entries/${encodeURIComponent(value)}`)).status).toBeLessThan(500);
      expect(
        (await agent.get(`/storage/sessions?endpoint=${encodeURIComponent(value)}`)).status,
      ).toBeLessThan(500);
    }
    expect(errors).toEqual([]);
    expect(Object.keys(Object.prototype)).toEqual([]);
    await recorder.close();
  });

  it('keeps its database in a folder and a file that only its user can read', async () => {
    const home = join(folder(), 'private');
    const { recorder, agent } = program({ database: { type: 'sqlite', path: join(home, 'recap.db') } });
    await agent.post('/echo').send({});
    await written(recorder);
    expect((statSync(home).mode & 0o777).toString(8)).toBe('700');
    expect((statSync(join(home, 'recap.db')).mode & 0o777).toString(8)).toBe('600');
    await recorder.close();
  });

  it('never records Recap’s own routes, whatever the order of mounting', async () => {
    const { recorder, agent } = program();
    await recorder.ready();
    await agent.post('/storage/query').send({});
    await agent.get('/storage/health');
    await written(recorder);
    expect(recorder.stats()).toMatchObject({ captured: 0, stored: 0 });
    await recorder.close();
  });

  it('shares one default recorder between middleware, router and decorator', async () => {
    const { recorder } = program();
    setDefaultRecorder(recorder);
    const app = express();
    app.use(storageMiddleware());
    app.use('/storage', storageRouter({ authenticate: () => ({ ownerId: 'a', isAdmin: true }) }));
    await recorder.ready();
    await supertest(app as RequestListener).get('/x');
    await written(recorder);
    const { body } = await supertest(app as RequestListener)
      .post('/storage/query')
      .send({});
    expect(body).toMatchObject({ data: { total: 1 } });
    await recorder.close();
  });
});

const hasTmpfs = process.platform === 'linux' && process.getuid?.() === 0;

describe('a disk that fills', () => {
  let mountPoint: string | undefined;
  const folder = temporaryFolder();

  // Hooks of one block run in their order: the folder is removed after all of the block's own.
  afterEach(() => {
    if (mountPoint !== undefined) execFileSync('umount', [mountPoint]);
  });

  it('pauses recording, counted, and goes on when there is space again', async () => {
    const home = join(folder(), 'disk');
    mkdirSync(home);
    if (hasTmpfs) {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', home]);
      mountPoint = home;
    } else {
      console.warn(
        'No tmpfs can be mounted here (root on Linux is needed): the free space is only pretended by the option.',
      );
    }
    const minFreeDiskBytes = hasTmpfs ? 8 * 1024 * 1024 : Number.MAX_SAFE_INTEGER;
    const recorder = createRecorder({
      database: { type: 'sqlite', path: join(home, 'recap.db') },
      logger: silent,
      minFreeDiskBytes,
    });
    const app = express();
    app.use(storageMiddleware({ recorder }));
    app.get('/x', (_request, response) => {
      response.json({});
    });
    const agent = supertest(app);
    if (hasTmpfs) {
      await agent.get('/x').expect(200);
      await written(recorder);
      await recorder.sweep();
      expect(recorder.stats()).toMatchObject({ stored: 1, pausedFor: null });
      await writeFile(join(home, 'filler'), Buffer.alloc(9 * 1024 * 1024));
    } else {
      await recorder.ready();
    }
    await recorder.sweep();
    await agent.get('/x').expect(200);
    expect(recorder.stats()).toMatchObject({ pausedFor: 'disk_full' });
    await written(recorder);
    expect(recorder.stats().shed).toEqual({ disk_full: 1 });
    if (hasTmpfs) {
      await rm(join(home, 'filler'));
      await recorder.sweep();
      await agent.get('/x').expect(200);
      await written(recorder);
      expect(recorder.stats()).toMatchObject({ stored: 2, pausedFor: null });
    }
    await recorder.close();
  });
});
