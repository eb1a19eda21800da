import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import {
  createServer as createHttp2Server,
  connect as connectHttp2,
  type ClientHttp2Session,
} from 'node:http2';
import type { Socket } from 'node:net';
import Koa from 'koa';
import { storageMiddleware as koaMiddleware } from '../../src/koa';
import { openRecorder } from '../recording/open-recorder';
import { closeOpened, listen, open, RAW_PROGRAMS, received, type RawHandler } from './raw-programs';

afterEach(closeOpened);

const POST = 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc';
const LIMIT_MS = 40;

interface Ending {
  readonly title: string;
  readonly outcome: string;
  readonly more?: object;
  readonly handler: RawHandler;
  readonly setUp?: (server: Server) => void;
  readonly head?: string;
  /** What the client does once it has read `reads`. */
  readonly reads?: string;
  readonly client?: (socket: Socket) => void;
}

const nothing = (): void => undefined;
const part = (_request: IncomingMessage, response: ServerResponse): void => {
  response.write('part');
};

const ENDINGS: readonly Ending[] = [
  {
    title: 'the server’s timeout, with nothing answered',
    outcome: 'timed_out',
    more: { status: null, closedBy: 'connection', offeredBytes: 0, sentBytes: 0, firstByteMs: null },
    handler: nothing,
    setUp: (server) => server.setTimeout(LIMIT_MS),
  },
  {
    title: 'the server’s timeout, with a part answered',
    outcome: 'timed_out',
    more: { status: 200, closedBy: 'connection', offeredBytes: 4, sentBytes: 4, responseState: 'truncated' },
    handler: part,
    setUp: (server) => server.setTimeout(LIMIT_MS),
  },
  {
    title: 'the server’s timeout, after work that held the event loop up',
    outcome: 'timed_out',
    handler: (_request, response) => {
      for (const start = Date.now(); Date.now() - start < LIMIT_MS / 2;);
      response.write('part');
    },
    setUp: (server) => server.setTimeout(LIMIT_MS),
  },
  {
    title: 'the server’s timeout, with a client that does not read',
    outcome: 'timed_out',
    more: { offeredBytes: 20_000_000, sentBytes: null },
    handler: (_request, response) => {
      response.end(Buffer.alloc(20_000_000));
    },
    setUp: (server) => server.setTimeout(LIMIT_MS),
    client: (socket) => socket.pause(),
  },
  {
    title: 'the server’s timeout, with a client that does not send on',
    outcome: 'timed_out',
    more: { status: null, requestState: 'truncated' },
    handler: (request) => {
      request.resume();
    },
    head: POST,
    setUp: (server) => server.setTimeout(LIMIT_MS),
  },
  {
    title: 'the time that a request may take',
    outcome: 'timed_out',
    more: { status: null, requestState: 'truncated' },
    handler: (request) => {
      request.resume();
    },
    head: POST,
    setUp: (server) => {
      server.headersTimeout = LIMIT_MS;
      server.requestTimeout = LIMIT_MS;
    },
  },
  {
    title: 'the response’s timeout, at which the program destroys it',
    outcome: 'timed_out',
    handler: (_request, response) => {
      response.setTimeout(LIMIT_MS, () => response.destroy());
      response.write('part');
    },
  },
  {
    title: 'the socket’s timeout, without a listener',
    outcome: 'timed_out',
    handler: (request, response) => {
      request.socket.setTimeout(LIMIT_MS);
      response.write('part');
    },
  },
  {
    title: 'an answer at the response’s timeout',
    outcome: 'completed',
    more: { status: 503, closedBy: 'end' },
    handler: (_request, response) => {
      response.setTimeout(LIMIT_MS, () => {
        response.statusCode = 503;
        response.end();
      });
    },
  },
  {
    title: 'its program, well before a timeout',
    outcome: 'failed',
    handler: (_request, response) => {
      response.write('part');
      setImmediate(() => response.destroy());
    },
    setUp: (server) => server.setTimeout(60_000),
  },
  {
    title: 'its client, well before a timeout',
    outcome: 'aborted',
    handler: part,
    setUp: (server) => server.setTimeout(60_000),
    reads: 'part',
    client: (socket) => socket.destroy(),
  },
  {
    title: 'its client, after a timeout that the program lets pass',
    outcome: 'aborted',
    handler: (_request, response) => {
      response.setTimeout(LIMIT_MS, () => response.write('late'));
      response.write('part');
    },
    reads: 'late',
    client: (socket) => socket.end(),
  },
  {
    title: 'its client, upon which the handler fails',
    outcome: 'aborted',
    more: { errorName: 'RangeError', errorMessage: 'nobody there' },
    handler: async (request, response) => {
      response.write('part');
      await once(request.socket, 'end');
      throw new RangeError('nobody there');
    },
    reads: 'part',
    client: (socket) => socket.end(),
  },
  {
    title: 'a handler that fails while its client waits',
    outcome: 'failed',
    more: { errorName: 'RangeError', status: 200 },
    handler: (request, response) => {
      response.write('part');
      setImmediate(() => request.socket.destroy());
      throw new RangeError('first');
    },
  },
];

describe.each(RAW_PROGRAMS)('an exchange on %s', (_name, build) => {
  it.each(ENDINGS)('ended by $title is $outcome', async (ending) => {
    const { recorder, entry, failures } = openRecorder();
    const server = build(recorder, (request, response) => {
      response.on('close', () => server.emit('over'));
      return ending.handler(request, response);
    });
    ending.setUp?.(server);
    const over = once(server, 'over');
    const client = open(await listen(server), ending.head);
    if (ending.reads !== undefined) await received(client, ending.reads);
    if (ending.client === undefined) client.resume();
    else ending.client(client);
    await over;
    expect(await entry()).toMatchObject({ outcome: ending.outcome, ...ending.more });
    expect(failures).toEqual([]);
  });

  it('is listened to for nothing that would keep Node from closing it', async () => {
    const listening = async (isRecorded: boolean): Promise<unknown> => {
      const counts: number[] = [];
      const server = build(isRecorded ? openRecorder().recorder : undefined, (request, response) => {
        response.on('close', () => server.emit('over'));
        for (const each of [request, response, request.socket, server])
          counts.push(each.listenerCount('timeout'));
        response.write('part');
      });
      server.setTimeout(LIMIT_MS);
      const over = once(server, 'over');
      open(await listen(server)).resume();
      await over;
      return counts;
    };
    expect(await listening(true)).toEqual(await listening(false));
  });
});

describe('an exchange over HTTP/2', () => {
  const sessions: ClientHttp2Session[] = [];
  afterEach(() => {
    for (const session of sessions.splice(0)) session.destroy();
  });

  const serve = async (handle: (context: Koa.Context) => void, timeoutMs = 0) => {
    const opened = openRecorder();
    const app = new Koa();
    app.silent = true;
    app.use(koaMiddleware({ recorder: opened.recorder }));
    app.use((context) => {
      context.respond = false;
      context.res.statusCode = 200;
      context.res.on('close', () => server.emit('over'));
      handle(context);
    });
    const server = createHttp2Server(app.callback());
    server.setTimeout(timeoutMs);
    const port = await listen(server);
    const session = connectHttp2(`http://127.0.0.1:${String(port)}`);
    const stream = session.request({ ':path': '/' });
    for (const each of [session, stream]) each.on('error', () => undefined);
    sessions.push(session);
    return { ...opened, server, stream };
  };

  it('that is answered tells what was sent', async () => {
    const { entry, stream, server } = await serve(({ res }) => {
      res.write('one');
      res.end('two');
    });
    stream.resume();
    await once(server, 'over');
    expect(await entry()).toMatchObject({
      outcome: 'completed',
      closedBy: 'end',
      offeredBytes: 6,
      sentBytes: 6,
      chunks: 2,
    });
  });

  it('that its client resets is aborted', async () => {
    const { entry, stream, server } = await serve(({ res }) => {
      res.write('part');
    });
    await once(stream, 'data');
    stream.close(8);
    await once(server, 'over');
    expect(await entry()).toMatchObject({ outcome: 'aborted', closedBy: 'connection', offeredBytes: 4 });
  });

  it('that its program destroys is failed', async () => {
    const { entry, stream, server } = await serve(({ res }) => {
      res.write('part');
      setImmediate(() => res.destroy());
    });
    stream.resume();
    await once(server, 'over');
    expect(await entry()).toMatchObject({ outcome: 'failed', closedBy: 'connection' });
  });

  it('that the server’s timeout closes is timed_out', async () => {
    const { entry, stream, server } = await serve(({ res }) => {
      res.write('part');
    }, LIMIT_MS);
    stream.resume();
    await once(server, 'over');
    expect(await entry()).toMatchObject({ outcome: 'timed_out', closedBy: 'connection' });
  });
});
