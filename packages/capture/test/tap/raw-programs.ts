import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Http2Server } from 'node:http2';
import { connect, type Socket } from 'node:net';
import express from 'express';
import express4 from 'express4';
import Koa from 'koa';
import koa2 from 'koa2';
import { storageMiddleware as expressMiddleware } from '../../src/express';
import { storageMiddleware as koaMiddleware } from '../../src/koa';
import type { Recorder } from '../../src/recorder/recorder';

export type RawHandler = (request: IncomingMessage, response: ServerResponse) => unknown;
type Build = (recorder: Recorder | undefined, handler: RawHandler) => Server;

const onExpress =
  (framework: typeof express): Build =>
  (recorder, handler) => {
    const app = framework();
    app.set('env', 'test');
    if (recorder !== undefined) app.use(expressMiddleware({ recorder }));
    app.use((request, response, next) => {
      Promise.resolve(handler(request, response)).catch(next);
    });
    return createServer({ connectionsCheckingInterval: 20 }, app);
  };

const onKoa =
  (Framework: typeof Koa): Build =>
  (recorder, handler) => {
    const app = new Framework();
    app.silent = true;
    if (recorder !== undefined) app.use(koaMiddleware({ recorder }));
    app.use(async (context) => {
      context.respond = false;
      context.res.statusCode = 200;
      await handler(context.req, context.res);
    });
    return createServer({ connectionsCheckingInterval: 20 }, app.callback());
  };

/** Programs whose handler works on Node's own request and response, with or without Recap. */
export const RAW_PROGRAMS: readonly (readonly [name: string, build: Build])[] = [
  ['Express 5', onExpress(express)],
  ['Express 4', onExpress(express4)],
  ['Koa 3', onKoa(Koa)],
  ['Koa 2', onKoa(koa2)],
];

const opened: { close(): void }[] = [];

/** Ends all that was opened here; for `afterEach`. */
export function closeOpened(): void {
  for (const each of opened.splice(0)) each.close();
}

export async function listen(server: Server | Http2Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push({
    close: () => {
      if ('closeAllConnections' in server) server.closeAllConnections();
      server.close();
    },
  });
  return (server.address() as { port: number }).port;
}

/** A client of bytes; what it is sent is read unless it is paused. */
export function open(port: number, head = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  opened.push({ close: () => socket.destroy() });
  socket.write(head);
  return socket;
}

/** Reads until what came holds `text`. */
export async function received(socket: Socket, text: string): Promise<void> {
  let seen = '';
  while (!seen.includes(text)) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    seen += chunk.toString('latin1');
  }
}
