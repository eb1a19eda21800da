import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import compression from 'compression';
import cors from 'cors';
import type express from 'express';
import session from 'express-session';
import helmet from 'helmet';
import morgan from 'morgan';
import onHeaders from 'on-headers';

declare module 'express-session' {
  interface SessionData {
    views: number;
  }
}

/** Middlewares that reach into a response, of which every order is tried. */
const MIDDLEWARES = ['compression', 'session', 'helmet', 'cors', 'morgan', 'onHeaders'] as const;

export type Step = (typeof MIDDLEWARES)[number] | 'parser' | 'recap';

export interface OrdersProgram {
  readonly app: express.Express;
  /** What `morgan` wrote. */
  readonly log: string[];
}

const items = Array.from({ length: 400 }, (_, index) => ({ index, name: `item ${String(index)} ☃` }));
export const LARGE = { items };
const PARAGRAPH = 'The words of a long text, said again and again. '.repeat(60);

/**
 * All orders of the six, or some that are spread over them evenly. The body parser stands at another
 * place in each.
 */
export function middlewareOrders(isLong: boolean): Step[][] {
  const all = permutations(MIDDLEWARES);
  const chosen = isLong ? all : Array.from({ length: 24 }, (_, k) => all[k * 30 + ((k * 7) % 30)]!);
  return chosen.map((order, index) => inserted(order, index % (order.length + 1), 'parser'));
}

/** A copy of `steps` with one more at a place. */
export function inserted(steps: readonly Step[], place: number, step: Step): Step[] {
  return [...steps.slice(0, place), step, ...steps.slice(place)];
}

function permutations(names: readonly Step[]): Step[][] {
  let found: Step[][] = [[]];
  for (const name of names) {
    found = found.flatMap((partial) =>
      Array.from({ length: partial.length + 1 }, (_, at) => inserted(partial, at, name)),
    );
  }
  return found;
}

/** @param record Recap's middleware, for the step `recap`. */
export function ordersProgram(
  framework: typeof express,
  steps: readonly Step[],
  record?: express.Handler,
): OrdersProgram {
  const log: string[] = [];
  const app = framework();
  app.set('env', 'test');
  const handlers: Record<Step, () => express.Handler> = {
    compression: () => compression(),
    session: () =>
      session({ secret: 's', resave: false, saveUninitialized: true, genid: () => 'the-same-session' }),
    helmet: () => helmet(),
    cors: () => cors({ origin: 'http://a.example', exposedHeaders: ['x-late'] }),
    morgan: () =>
      morgan(':method :url :status :res[content-length] :res[content-encoding]', {
        stream: { write: (line) => log.push(line) },
      }),
    onHeaders: () => (_request, response, next) => {
      onHeaders(response, function (this: ServerResponse) {
        // Which fields are there by now depends on the order, so a changed order would show.
        this.setHeader('X-Late', this.getHeaderNames().join(' '));
      });
      next();
    },
    parser: () => framework.json(),
    recap: () => record!,
  };
  for (const step of steps) app.use(handlers[step]());
  addRoutes(app);
  return { app, log };
}

function addRoutes(app: express.Express): void {
  app.post('/small', (request, response) => {
    request.session.views = 1;
    response.json({ got: request.body as unknown });
  });
  app.get('/large', (_request, response) => {
    response.json(LARGE);
  });
  app.get('/stream', async (request, response) => {
    response.type('text/plain');
    // With the head sent first, a compressor has announced its coding before the first byte.
    if (request.query['head'] === 'first') response.flushHeaders();
    for (let part = 0; part < 4; part += 1) {
      response.write(`${String(part)} ${PARAGRAPH}`);
      await nextTurn();
    }
    response.end('the end ☃');
  });
  app.get('/head', (_request, response) => {
    response.writeHead(201, { 'Content-Type': 'text/plain', 'X-Own': 'a' });
    response.write(Buffer.from(PARAGRAPH));
    response.end(PARAGRAPH, 'latin1');
  });
  app.get('/error', () => {
    const error = new RangeError('trouble');
    // Where it was thrown stands in the error page, and Recap's own frames would stand there, too.
    error.stack = `RangeError: trouble\n${PARAGRAPH}`;
    throw error;
  });
}
