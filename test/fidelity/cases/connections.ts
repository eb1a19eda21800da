import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { describeError } from '../describe-value';
import type { FidelityCase } from '../fidelity-case';
import type { Probe } from '../probe';
import { requestText } from '../wire-client';

const topic = 'connections';
const keep = (path: string, method = 'GET', body?: string): Buffer =>
  requestText({ method, path, headers: [['Connection', 'keep-alive']], ...(body !== undefined && { body }) });
const last = requestText({ path: '/last' });

function echoPath(t: Probe): void {
  t.res.statusCode = 200;
  t.call('end', `path ${t.req.url ?? ''}`);
}

/** A frame of a client's, masked with zeroes. */
function frame(opcode: number, payload: string): Buffer {
  return Buffer.concat([
    Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]),
    Buffer.from(payload),
  ]);
}

const handshake = requestText({
  headers: [
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Key', createHash('md5').update('key').digest('base64')],
  ],
});

export const connectionCases: readonly FidelityCase[] = [
  { name: 'HTTP/1.0', topic, http2: false, request: { version: '1.0' }, handler: echoPath },
  {
    name: 'HTTP/1.0 in pieces',
    topic,
    http2: false,
    request: { version: '1.0' },
    calls: [
      ['statusCode=', 200],
      ['write', 'no '],
      ['write', 'chunks'],
      ['addTrailers', { 'X-A': '1' }],
      ['end'],
    ],
  },
  {
    name: 'HTTP/1.0 that keeps the connection',
    topic,
    handler: echoPath,
    client: async (client) => {
      client.send('GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
      await client.until('path /1');
      client.send('GET /2 HTTP/1.0\r\n\r\n');
      await client.closed;
    },
  },
  {
    name: 'Three requests on one connection',
    topic,
    handler: echoPath,
    client: async (client) => {
      client.send(keep('/1'));
      await client.until('path /1');
      client.send(keep('/2', 'HEAD'));
      await client.until('HTTP/1.1', 2);
      client.send(last);
      await client.closed;
    },
  },
  {
    name: 'Ten pipelined requests',
    topic,
    handler: echoPath,
    client: async (client) => {
      client.send(Buffer.concat([...Array.from({ length: 9 }, (_, index) => keep(`/${index}`)), last]));
      await client.closed;
    },
  },
  {
    name: 'Pipelined requests of which the first is answered last',
    topic,
    handler: async (t) => {
      if (t.req.url === '/slow') await t.run.when('/last');
      echoPath(t);
      t.run.signal(t.req.url ?? '');
    },
    client: async (client) => {
      client.send(Buffer.concat([keep('/slow'), keep('/fast'), last]));
      await client.closed;
    },
  },
  {
    name: 'Pipelined requests with bodies',
    topic,
    handler: async (t) => {
      const chunks: Buffer[] = [];
      for await (const chunk of t.req) chunks.push(chunk as Buffer);
      t.res.statusCode = 200;
      t.call('end', Buffer.concat(chunks));
    },
    client: async (client) => {
      client.send(Buffer.concat([keep('/1', 'POST', 'first'), keep('/2', 'PUT', 'second'), last]));
      await client.closed;
    },
    records: [{ requestBody: 'first' }, { requestBody: 'second' }, {}],
  },
  {
    name: 'Pipelined requests with a large answer between',
    topic,
    handler: (t) => {
      t.res.statusCode = 200;
      t.call('end', t.req.url === '/large' ? Buffer.alloc(300_000, 'x') : 'small');
    },
    client: async (client) => {
      client.send(Buffer.concat([keep('/small'), keep('/large'), last]));
      await client.closed;
    },
  },
  {
    name: 'A client that leaves while pipelined requests wait',
    topic,
    handler: async (t) => {
      t.run.signal(`entered ${t.req.url ?? ''}`);
      if (t.req.url === '/last') t.call('end', 'held back');
    },
    client: async (client, run) => {
      client.send(Buffer.concat([keep('/first'), last]));
      await run.when('entered /last');
      await nextTurn();
      client.socket.destroy();
    },
    records: [{ outcome: 'aborted' }, {}],
  },
  {
    name: 'A connection that the handler closes between pipelined requests',
    topic,
    handler: (t) => {
      t.res.setHeader('Connection', 'close');
      echoPath(t);
    },
    client: async (client) => {
      client.send(Buffer.concat([keep('/1'), keep('/2')]));
      await client.closed;
    },
  },
  {
    name: 'Two connections at once',
    topic,
    handler: async (t) => {
      t.run.signal(`entered ${t.req.url ?? ''}`);
      if (t.req.url === '/a') await t.run.when('entered /b');
      echoPath(t);
    },
    client: async (client, run) => {
      const other = await client.another();
      client.send(requestText({ path: '/a' }));
      await run.when('entered /a');
      other.send(requestText({ path: '/b' }));
      await Promise.all([client.closed, other.closed]);
    },
  },
  {
    name: 'At most one request for each connection',
    topic,
    handler: echoPath,
    server: (server) => {
      Object.assign(server, { maxRequestsPerSocket: 1 });
    },
    client: async (client) => {
      client.send(keep('/1'));
      await client.until('path /1');
      client.send(keep('/2'));
      await client.until('HTTP/1.1', 2);
    },
  },
  {
    name: 'A WebSocket beside the app',
    topic,
    handler: echoPath,
    server: (server, run) => {
      const sockets = new WebSocketServer({ server });
      sockets.on('connection', (socket) => {
        run.note('connection');
        socket.on('message', (data) => socket.send(`echo ${Buffer.from(data as Buffer).toString()}`));
        socket.on('close', (code) => run.note(`closed ${code}`));
      });
    },
    client: async (client) => {
      client.send(handshake);
      await client.until('101 Switching Protocols');
      client.send(frame(1, 'hello'));
      await client.until('echo hello');
      client.send(frame(8, ''));
      await client.closed;
    },
    unrecorded: 'An upgraded connection never reaches the app.',
  },
  {
    name: 'An upgrade that nobody takes',
    topic,
    handler: echoPath,
    client: async (client) => {
      client.send(
        requestText({
          headers: [
            ['Connection', 'Upgrade, close'],
            ['Upgrade', 'nothing'],
          ],
        }),
      );
      await client.closed;
    },
  },
  {
    name: 'An upgrade that is refused by hand',
    topic,
    handler: echoPath,
    server: (server) => {
      server.on('upgrade', (_request, socket) => {
        socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      });
    },
    client: async (client) => {
      client.send(handshake);
      await client.closed;
    },
    unrecorded: 'An upgrade never reaches the app.',
  },
  {
    name: 'An upgrade that the handler makes on the socket of a response',
    topic,
    handler: (t) => {
      const { socket } = t.req;
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\nraw bytes',
      );
      socket.end();
    },
    client: async (client) => {
      client.send(requestText({ headers: [['Connection', 'close']] }));
      await client.closed;
    },
    records: [{ status: null }],
  },
  {
    name: 'CONNECT',
    topic,
    handler: echoPath,
    server: (server, run) => {
      server.on('connect', (request, socket) => {
        run.note(`connect ${request.url ?? ''}`);
        socket.end('HTTP/1.1 200 Connection Established\r\n\r\ntunnel');
      });
    },
    client: async (client) => {
      client.send('CONNECT recap.test:443 HTTP/1.1\r\nHost: recap.test\r\n\r\n');
      await client.closed;
    },
    unrecorded: 'A tunnel never reaches the app.',
  },
  ...Object.entries({
    'A request line that is none': 'nonsense\r\n\r\n',
    'A header without a colon': 'GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n',
    'No Host': 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n',
    'Two lengths that differ':
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    'A length and chunks':
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'A head beyond the limit': `GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`,
  }).map(([name, text]): FidelityCase => ({
    name,
    topic,
    handler: echoPath,
    server: (server, run) => {
      server.on('clientError', (error, socket) => {
        run.note(describeError(error));
        socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      });
    },
    client: async (client) => {
      client.send(text);
      await client.closed;
    },
    unrecorded: 'Node refuses it before the app sees it.',
  })),
  {
    name: 'A body whose chunks are broken',
    topic,
    handler: async (t) => {
      t.run.signal('entered');
      try {
        for await (const chunk of t.req) t.note(`chunk ${String(chunk)}`);
      } catch (error) {
        t.note(`reading throws ${describeError(error)}`);
      }
      t.call('end', 'after the breach');
    },
    client: async (client, run) => {
      client.send(
        requestText({ method: 'POST', headers: [['Transfer-Encoding', 'chunked']] }),
        '3\r\nabc\r\n',
      );
      await run.when('entered');
      client.send('no size\r\n');
      await client.closed;
    },
    records: [{ outcome: 'aborted' }],
  },
  {
    name: 'An absolute address',
    topic,
    http2: false,
    request: { path: 'http://other.test/path?q=1' },
    handler: echoPath,
  },
  {
    name: 'OPTIONS of everything',
    topic,
    http2: false,
    request: { method: 'OPTIONS', path: '*' },
    handler: echoPath,
  },
];
