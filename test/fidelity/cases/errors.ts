import type { Call } from '../call';
import type { FidelityCase } from '../fidelity-case';
import type { Probe } from '../probe';

const topic = 'errors';
const ok: Call = ['writeHead', 200, { 'Content-Type': 'text/plain' }];

class Described extends Error {
  readonly status = 418;
  readonly expose = true;
  readonly headers = { 'X-Reason': 'tea' };
}

const THROWN: Readonly<Record<string, () => unknown>> = {
  'an Error': () => new Error('handler trouble'),
  'a TypeError': () => new TypeError('handler trouble'),
  'an Error with a status': () => new Described('short and stout'),
  'an Error with a status of 404': () => Object.assign(new Error('gone'), { status: 404 }),
  'an Error with an impossible status': () => Object.assign(new Error('odd'), { status: 42 }),
  'an Error without a message': () => new Error(''),
  'a frozen Error': () => Object.freeze(new Error('frozen')),
  'an AggregateError': () => new AggregateError([new Error('one')], 'several'),
  'an Error with a cause': () => new Error('outer', { cause: new Error('inner') }),
  'a text': () => 'just a text',
  'a number': () => 42,
  'a plain object': () => ({ status: 409, message: 'plain' }),
  'a function': () => () => 'thrown',
  'a symbol': () => Symbol('thrown'),
};

const MOMENTS: Readonly<Record<string, readonly Call[]>> = {
  'at once': [],
  'after the head': [ok, ['flushHeaders']],
  'after a part of the body': [ok, ['write', 'a beginning']],
};

/** Those that a handler throws before a word was said are enough for odd values. */
function moments(what: string): string[] {
  return what === 'an Error' || what === 'a text' ? Object.keys(MOMENTS) : ['at once'];
}

const handlers: Readonly<Record<string, (t: Probe) => unknown>> = {
  'A handler that throws after it answered': (t) => {
    t.call('writeHead', 200);
    t.call('end', 'answered');
    throw new Error('afterwards');
  },
  'A handler that rejects a turn later': async () => {
    await new Promise((resolve) => setImmediate(resolve));
    throw new Error('later');
  },
  'A handler that throws where nobody catches': (t) => {
    setImmediate(() => {
      setImmediate(() => t.call('end', 'answered all the same'));
      throw new Error('uncaught');
    });
  },
  'A promise that nobody handles': (t) => {
    void Promise.reject(new Error('unhandled'));
    setTimeout(() => t.call('end', 'answered all the same'), 1);
  },
  'A listener for finish that throws': (t) => {
    t.res.on('finish', () => {
      throw new Error('in finish');
    });
    t.call('end', 'answered');
  },
  'A listener for close that throws': (t) => {
    t.res.on('close', () => {
      throw new Error('in close');
    });
    t.call('end', 'answered');
  },
  'A callback of write that throws': (t) => {
    t.res.statusCode = 200;
    t.res.write('a', () => {
      setImmediate(() => t.call('end', 'b'));
      throw new Error('in the callback');
    });
  },
};

export const errorCases: readonly FidelityCase[] = [
  ...Object.entries(THROWN).flatMap(([what, make]) =>
    moments(what).flatMap((moment) =>
      ['throws', 'rejects with'].map((how): FidelityCase => ({
        name: `A handler that ${how} ${what} ${moment}`,
        topic,
        http2: false,
        [how === 'throws' ? 'syncHandler' : 'handler']: (t: Probe): unknown => {
          for (const [name, ...args] of MOMENTS[moment] ?? []) t.call(name, ...args);
          const thrown = make();
          if (how === 'throws') throw thrown;
          return Promise.resolve().then(() => {
            throw thrown;
          });
        },
        ...((moment !== 'at once' || what === 'a frozen Error') && {
          client: async (client) => {
            client.send('GET / HTTP/1.1\r\nHost: recap.test\r\nConnection: close\r\n\r\n');
            // Koa leaves an answer that has begun to the client's patience.
            if (moment !== 'at once') await client.until('\r\n\r\n');
            await client.closedOrLeft();
          },
        }),
      })),
    ),
  ),
  ...Object.entries(handlers).map(([name, handler]): FidelityCase => ({
    name,
    topic,
    handler,
    http2: false,
  })),
  {
    name: 'A handler that never answers, until the client leaves',
    topic,
    handler: (t) => t.run.signal('entered'),
    client: async (client, run) => {
      client.send('GET /never HTTP/1.1\r\nHost: recap.test\r\n\r\n');
      await run.when('entered');
      client.socket.destroy();
    },
    records: [{ outcome: 'aborted', status: null }],
  },
  {
    name: 'A handler that never answers, until the server gives up',
    topic,
    handler: (t) => {
      t.res.setTimeout(1, () => {
        t.note('timeout');
        t.call('destroy');
      });
    },
    http2: false,
    records: [{ outcome: 'timed_out', status: null }],
  },
  {
    name: 'A middleware for errors that answers',
    topic,
    express: (app, { probe }) => {
      app.use((request) => {
        probe(request).enter();
        throw new Error('caught below');
      });
      app.use(((
        error: Error,
        _request: unknown,
        response: { status(code: number): { json(value: unknown): void } },
        _next: unknown,
      ) => {
        response.status(502).json({ caught: error.message });
      }) as never);
    },
    koa: (app, { probe }) => {
      app.use(async (context, next) => {
        try {
          await next();
        } catch (error) {
          context.status = 502;
          context.body = { caught: (error as Error).message };
        }
      });
      app.use((context) => {
        probe(context.req).enter();
        throw new Error('caught below');
      });
    },
    records: [{ status: 502 }],
  },
];
