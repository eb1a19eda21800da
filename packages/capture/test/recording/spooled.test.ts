import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import express, { type Express } from 'express';
import { createRecorder } from '../../src/create-recorder';
import type { Exchange } from '../../src/exchange';
import { storageMiddleware, storageRouter } from '../../src/express';
import { openExchangeOf } from '../../src/recorder/exchange-of-request';
import type { ExchangeSpool, SpoolTicket } from '../../src/recorder/exchange-spool';
import type { RecorderCore } from '../../src/recorder/recorder-core';
import { STREAM_GRACE_MS } from '../../src/tap/http-tap';
import { handOver } from '../../src/write-at-exit';
import { idle, openRecorder, responseData } from './open-recorder';
import { PROGRAMS } from './programs';

/** A spool in memory that says when it was written to. */
class NotedSpool implements ExchangeSpool {
  readonly appended: Exchange[] = [];
  readonly groups: number[] = [];
  readonly open = new Set<SpoolTicket>();
  readonly deferred: SpoolTicket[] = [];
  readonly fill = 0;
  onAppend: () => void = () => undefined;

  get counts() {
    return { spooled: this.open.size, recovered: 0, replayed: 0, corrupt: 0, shed: {} };
  }

  append(exchange: Exchange): SpoolTicket {
    this.onAppend();
    this.appended.push(exchange);
    const ticket = { exchange, record: undefined };
    this.open.add(ticket);
    return ticket;
  }

  appendAll(exchanges: readonly Exchange[], onSpooled: () => void) {
    this.groups.push(exchanges.length);
    return exchanges.map((exchange) => {
      onSpooled();
      return this.append(exchange);
    });
  }

  done(tickets: readonly SpoolTicket[]): void {
    for (const ticket of tickets) this.open.delete(ticket);
  }

  defer(ticket: SpoolTicket): void {
    this.deferred.push(ticket);
  }

  start(): void {
    // Nothing was left by anybody.
  }

  leaveGaps(): void {
    // Nothing is lost here.
  }

  takeGaps(): Promise<void> {
    return Promise.resolve();
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

async function withProgram(
  options: Parameters<typeof openRecorder>[0],
  routes: (app: Express) => void,
  test: (rig: {
    readonly opened: ReturnType<typeof openRecorder>;
    readonly spool: NotedSpool;
    readonly server: Server;
    readonly port: number;
  }) => Promise<void>,
): Promise<void> {
  const spool = new NotedSpool();
  const opened = openRecorder({ durability: 'spooled', ...options }, undefined, spool);
  const app = express();
  app.use(storageMiddleware({ recorder: opened.recorder }));
  routes(app);
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await test({ opened, spool, server, port: (server.address() as AddressInfo).port });
  } finally {
    server.closeAllConnections();
    server.close();
    await opened.recorder.close();
  }
}

describe('durability "spooled"', () => {
  it('spools the whole exchange, with the head that is sent, before the last of the answer goes out', async () => {
    let sentBefore: string | undefined;
    await withProgram(
      {},
      (app) =>
        app.get('/orders/:id', (_request, response) => {
          response.write('{"part":');
          setImmediate(() => response.end('"last"}'));
        }),
      async ({ opened, spool, server, port }) => {
        const sent: unknown[] = [];
        server.on('connection', (socket: Socket) => {
          const { write } = socket;
          socket.write = ((...args: Parameters<typeof write>) => {
            sent.push(args[0]);
            return write.apply(socket, args);
          }) as typeof write;
        });
        spool.onAppend = () => {
          sentBefore = sent.join('');
        };
        expect(await (await fetch(`http://127.0.0.1:${port}/orders/7`)).json()).toEqual({ part: 'last' });
        expect(sentBefore).toContain('part');
        expect(sentBefore).not.toContain('last');
        const names = spool.appended[0]?.response.headers.map(([name]) => name);
        expect(names).toEqual(expect.arrayContaining(['Date', 'Connection', 'Transfer-Encoding']));
        expect(spool.appended).toMatchObject([
          { endpoint: '/orders/:id', path: '/orders/7', status: 200, outcome: 'completed' },
        ]);
        expect(spool.appended[0]?.response.body?.bytes?.toString()).toBe('{"part":"last"}');
        const entry = await opened.entry();
        expect(opened.recorder.budget.usedBytes).toBe(0);
        expect(entry.id).toBe(spool.appended[0]?.id);
        expect(entry.responseBody?.toString()).toBe('{"part":"last"}');
        expect(spool.open.size).toBe(0);
        expect(opened.recorder.stats()).toMatchObject({ captured: 1, stored: 1, queued: 0, spooled: 0 });
      },
    );
  });

  it('spools with one call all that is answered in one turn, and lets each answer out', async () => {
    const waiting: (() => void)[] = [];
    await withProgram(
      {},
      (app) =>
        app.get('/:number', (request, response) => {
          waiting.push(() => void response.send(`answer ${request.params.number}`));
          if (waiting.length === 3) for (const answer of waiting) answer();
        }),
      async ({ spool, port }) => {
        const answers = [1, 2, 3].map(async (number) =>
          (await fetch(`http://127.0.0.1:${port}/${number}`)).text(),
        );
        expect(await Promise.all(answers)).toEqual(['answer 1', 'answer 2', 'answer 3']);
        expect(spool.groups).toEqual([3]);
      },
    );
  });

  it('corrects what it recorded of an exchange when the program did not exit after all', async () => {
    let finish: () => void = () => undefined;
    await withProgram(
      {},
      (app) =>
        app.get('/', (_request, response) => {
          response.write('one half, ');
          finish = () => void response.end('the other');
        }),
      async ({ opened, spool, port }) => {
        const answer = await fetch(`http://127.0.0.1:${port}/`);
        handOver([opened.recorder]);
        handOver([opened.recorder]);
        expect(spool.appended.map(({ outcome }) => outcome)).toContain('failed');
        await opened.recorder.flush();
        finish();
        expect(await answer.text()).toBe('one half, the other');
        const entry = await opened.entry();
        expect(entry).toMatchObject({ status: 200, outcome: 'completed', responseOriginalBytes: 19 });
        expect(opened.recorder.budget.usedBytes).toBe(0);
      },
    );
  });

  // Where many were in progress, the time was up before the last one came, which may be why the program exits.
  it('records the newest ones when the time at the exit is not enough for all', async () => {
    const { now } = performance;
    let passedMs = 0;
    await withProgram(
      {
        owner: () => {
          passedMs += 300;
          return 'ann';
        },
      },
      (app) => app.get('/:name', (_request, response) => void response.write('one half')),
      async ({ opened, spool, port }) => {
        const answers = [];
        for (const name of ['old', 'new']) answers.push(await fetch(`http://127.0.0.1:${port}/${name}`));
        const clock = jest
          .spyOn(performance, 'now')
          .mockImplementation(() => now.call(performance) + passedMs);
        handOver([opened.recorder]);
        clock.mockRestore();
        expect(spool.appended.map(({ path }) => path)).toEqual(['/new']);
        for (const answer of answers) await answer.body?.cancel();
      },
    );
  });

  it('spools no more in one turn than it has time for', async () => {
    const waiting: (() => void)[] = [];
    const body = 'x'.repeat(100_000);
    await withProgram(
      {},
      (app) =>
        app.get('/', (_request, response) => {
          waiting.push(() => void response.send(body));
          if (waiting.length === 5) for (const answer of waiting) answer();
        }),
      async ({ opened, spool, port }) => {
        const answers = [1, 2, 3, 4, 5].map(async () => (await fetch(`http://127.0.0.1:${port}/`)).text());
        expect(await Promise.all(answers)).toEqual(answers.map(() => body));
        expect(spool.groups).toEqual([2, 2, 1]);
        await opened.entries();
        expect(opened.recorder.stats()).toMatchObject({ captured: 5, stored: 5, queued: 0, spooled: 0 });
      },
    );
  });

  it('asks about each answer, and tells that it is out, in the context in which it was given', async () => {
    const user = new AsyncLocalStorage<string>();
    const heard: string[] = [];
    const waiting: (() => void)[] = [];
    await withProgram(
      { owner: () => user.getStore() },
      (app) =>
        app.get('/:name', (request, response) => {
          const { name } = request.params;
          user.run(name, () => {
            response.on('finish', () => heard.push(`${name} as ${user.getStore()}`));
            waiting.push(AsyncLocalStorage.bind(() => void response.send('answer')));
          });
          if (waiting.length === 2) for (const answer of waiting) answer();
        }),
      async ({ opened, spool, port }) => {
        await Promise.all(
          ['ann', 'bob'].map(async (name) => (await fetch(`http://127.0.0.1:${port}/${name}`)).text()),
        );
        const entries = await opened.entries();
        expect(spool.groups).toEqual([2]);
        expect(entries.map(({ path, owner }) => `${path} of ${owner}`).sort()).toEqual([
          '/ann of ann',
          '/bob of bob',
        ]);
        expect(heard.sort()).toEqual(['ann as ann', 'bob as bob']);
      },
    );
  });

  it('counts and stores each once when what was decorated within one cannot be recorded', async () => {
    const waiting: (() => void)[] = [];
    await withProgram(
      {},
      (app) =>
        app.get('/:number', (request, response) => {
          openExchangeOf(request)?.whenBuilt(() => {
            throw new Error('no record of a call');
          });
          waiting.push(() => void response.send('answer'));
          if (waiting.length === 2) for (const answer of waiting) answer();
        }),
      async ({ opened, spool, port }) => {
        await Promise.all(
          [1, 2].map(async (number) => (await fetch(`http://127.0.0.1:${port}/${number}`)).text()),
        );
        expect(await opened.entries()).toHaveLength(2);
        expect(spool.groups).toEqual([2]);
        expect(spool.appended).toHaveLength(2);
        expect(opened.failures.map(({ where }) => where)).toEqual(['settle', 'settle']);
        expect(opened.recorder.stats()).toMatchObject({ captured: 2, stored: 2, queued: 0, spooled: 0 });
      },
    );
  });

  it('spools what was answered in the turn in which it is closed, and what is answered while the spool is there', async () => {
    let closing: Promise<void> | undefined;
    let finish: () => void = () => undefined;
    await withProgram(
      {},
      (app) => {
        app.get('/before', (_request, response) => {
          response.send('answer');
          closing = response.app.locals['close']() as Promise<void>;
        });
        app.get('/slow', (_request, response) => {
          finish = () => void response.send('answer');
        });
      },
      async ({ opened, spool, server, port }) => {
        const app = server.listeners('request')[0] as Express;
        app.locals['close'] = () => opened.recorder.close();
        const slow = fetch(`http://127.0.0.1:${port}/slow`);
        while (opened.recorder.stats().open === 0) await nextTurn();
        expect(await (await fetch(`http://127.0.0.1:${port}/before`)).text()).toBe('answer');
        expect(spool.appended.map(({ path }) => path)).toEqual(['/before']);
        await closing;
        finish();
        expect(await (await slow).text()).toBe('answer');
        await idle(opened.recorder);
        expect(spool.appended.map(({ path }) => path)).toEqual(['/before', '/slow']);
        expect(spool.deferred).toHaveLength(2);
        expect(opened.recorder.stats()).toMatchObject({ captured: 2, queued: 0, spooled: 2, shed: {} });
      },
    );
  });

  it('records a stream once whose record is closed at the chunk that completes its declared length', async () => {
    const lines = ['{"line":1}\n', '{"line":2}\n', '{"line":3}\n'];
    let goOn: (() => void) | undefined;
    await withProgram(
      { maxBodyBytes: 4 },
      (app) =>
        app.get('/', (_request, response) => {
          response.writeHead(200, {
            'Content-Type': 'application/x-ndjson',
            'Content-Length': lines.join('').length,
          });
          response.write(lines[0]);
          response.write(lines[1]);
          goOn = () => {
            response.write(lines[2]);
            response.end();
          };
        }),
      async ({ opened, spool, port }) => {
        const answer = await fetch(`http://127.0.0.1:${port}/`);
        opened.clock.advance(STREAM_GRACE_MS);
        goOn?.();
        expect(await answer.text()).toBe(lines.join(''));
        expect((await opened.entry()).closedBy).toBe('cap');
        expect(spool.open.size).toBe(0);
        expect(opened.recorder.stats()).toMatchObject({ captured: 1, stored: 1, queued: 0, spooled: 0 });
      },
    );
  });

  it('asks the program once', async () => {
    const asked: string[] = [];
    const note = (name: string) => () => {
      asked.push(name);
      return undefined;
    };
    await withProgram(
      {
        owner: note('owner'),
        sessionGroup: note('group'),
        metadata: note('metadata'),
        random: () => 0,
        sample: 0.5,
      },
      (app) => app.get('/', (_request, response) => void response.send('answer')),
      async ({ opened, port }) => {
        await (await fetch(`http://127.0.0.1:${port}/`)).text();
        await opened.entry();
        expect(asked.sort()).toEqual(['group', 'metadata', 'owner']);
      },
    );
  });

  it('spools an answer again that was broken off after its end was given', async () => {
    await withProgram(
      {},
      (app) =>
        app.get('/', (_request, response) => {
          // More than any socket takes at once, to a client that reads nothing.
          response.end(Buffer.alloc(32 * 1024 * 1024, 'x'));
        }),
      async ({ opened, spool, port }) => {
        const spooled = new Promise<void>((resolve) => {
          spool.onAppend = resolve;
        });
        const client = connect(port, '127.0.0.1', () => client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
        client.pause();
        await spooled;
        client.destroy();
        await idle(opened.recorder);
        expect(spool.appended.map(({ outcome }) => outcome)).toEqual(['completed', 'aborted']);
        expect([...spool.open]).toMatchObject([{ exchange: spool.appended[1] }]);
        expect(opened.recorder.stats()).toMatchObject({ captured: 1, stored: 0, queued: 0, spooled: 1 });
        expect((await opened.entry()).outcome).toBe('aborted');
      },
    );
  });

  it('stores what a program answered and passed on to the router afterwards', async () => {
    let passOn: () => void = () => undefined;
    await withProgram(
      {},
      (app) => {
        app.get('/storage/query', (_request, response, next) => {
          response.end(Buffer.alloc(32 * 1024 * 1024, 'x'));
          passOn = next;
        });
        app.use('/storage', storageRouter({ authenticate: () => undefined }));
      },
      async ({ opened, spool, port }) => {
        const spooled = new Promise<void>((resolve) => {
          spool.onAppend = resolve;
        });
        const client = connect(port, '127.0.0.1', () =>
          client.write('GET /storage/query HTTP/1.1\r\nHost: a\r\n\r\n'),
        );
        client.pause();
        await spooled;
        passOn();
        client.destroy();
        expect((await opened.entry()).path).toBe('/storage/query');
        expect(spool.open.size).toBe(0);
        expect(opened.recorder.stats()).toMatchObject({ captured: 1, stored: 1, queued: 0, spooled: 0 });
      },
    );
  });

  it('leaves out what skip and sample leave out, on the disk as well', async () => {
    let asked = 0;
    await withProgram(
      {
        skip: () => {
          asked += 1;
          return asked === 1;
        },
      },
      (app) => app.get('/', (_request, response) => void response.send('answer')),
      async ({ opened, spool, port }) => {
        await (await fetch(`http://127.0.0.1:${port}/`)).text();
        await idle(opened.recorder);
        expect(spool.appended).toEqual([]);
        expect(opened.recorder.stats()).toMatchObject({ captured: 0, leftOut: 1 });
      },
    );
  });
});

describe.each(PROGRAMS)('a journal on the disk before %s, without a worker', (_name, build) => {
  it('holds what is stored, redacted once, until it is stored', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'recap-spooled-'));
    const path = join(folder, 'recap.db');
    const database = { type: 'sqlite', path } as const;
    // Two at once, each with a folder of its own for the same database.
    const recorders = [1, 2].map(() =>
      createRecorder({ database, worker: false, durability: 'spooled', flushIntervalMs: 60_000 }),
    );
    const servers = recorders.map((recorder) => build(recorder));
    try {
      for (const [index, server] of servers.entries()) {
        server.listen(0, '127.0.0.1');
        await once(server, 'listening');
        const { port } = server.address() as AddressInfo;
        const answer = await fetch(`http://127.0.0.1:${port}/echo`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ number: index, password: 'hunter2' }),
        });
        expect(await answer.json()).toEqual({ number: index, password: 'hunter2' });
      }
      for (const recorder of recorders) {
        await recorder.ready();
        await idle(recorder as RecorderCore);
        expect(recorder.stats()).toMatchObject({ captured: 1, stored: 0, queued: 0, spooled: 1 });
      }
      const bytes = (await filesBelow(`${path}-spool`)).join('');
      expect(bytes.match(/"number":\d/g)?.sort()).toEqual([
        '"number":0',
        '"number":0',
        '"number":1',
        '"number":1',
      ]);
      expect(bytes).not.toContain('hunter2');
      for (const recorder of recorders) {
        await recorder.flush();
        expect(recorder.stats()).toMatchObject({ captured: 1, stored: 1, replayed: 0, spooled: 0 });
      }
      const entries = await (recorders[0] as RecorderCore).store.find({
        filter: {},
        limit: 10,
        includeBodies: true,
      });
      expect(entries).toHaveLength(2);
      for (const entry of entries) {
        expect(entry).toMatchObject({
          endpoint: '/echo',
          status: 200,
          outcome: 'completed',
          closedBy: 'end',
        });
        expect(entry.durationMs).toBeGreaterThan(0);
        expect(entry.responseHeaders.map(([name]) => name)).toContain('Date');
        expect(responseData(entry)).toMatchObject({ password: '[REDACTED]' });
      }
      for (const recorder of recorders) await recorder.close();
      expect(await filesBelow(`${path}-spool`)).toEqual(['*\n']);
    } finally {
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
      for (const recorder of recorders) await recorder.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

async function filesBelow(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  return Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'latin1')));
}
