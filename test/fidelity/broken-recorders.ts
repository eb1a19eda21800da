import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EntryRecord } from '../../packages/capture/src/entries/entry-record';
import type { Recording } from './hosts';

type Next = () => unknown;
/** A middleware as a careless recorder has it. */
type Broken = (request: IncomingMessage, response: ServerResponse, next: Next) => unknown;
type Method = (...args: unknown[]) => unknown;

/** Replaces a method by one that does `instead`, given the one that was there. */
function replace(
  target: object,
  name: string,
  instead: (original: Method, args: unknown[]) => unknown,
): void {
  const holder = target as Record<string, Method>;
  const original = holder[name];
  if (original === undefined) throw new Error(`There is no ${name} to replace.`);
  holder[name] = (...args) => instead((...passed) => original.apply(target, passed), args);
}

/** A recorder that is wrong about one method of the response. */
const onResponse =
  (name: string, instead: (original: Method, args: unknown[], response: ServerResponse) => unknown): Broken =>
  (_request, response, next) => {
    replace(response, name, (original, args) => instead(original, args, response));
    return next();
  };

const withoutFunctions = (args: readonly unknown[]): unknown[] =>
  args.filter((arg) => typeof arg !== 'function');

/** What recorders do wrong. The rig has to find each of them. */
export const BROKEN_RECORDERS: Readonly<Record<string, Broken>> = {
  'write returns nothing': onResponse('write', (original, args) => {
    original(...args);
  }),
  'end returns nothing': onResponse('end', (original, args) => {
    original(...args);
  }),
  'writeHead returns nothing': onResponse('writeHead', (original, args) => {
    original(...args);
  }),
  'write always returns true': onResponse('write', (original, args) => {
    original(...args);
    return true;
  }),
  'the body is held back until its end': (_request, response, next) => {
    const held: Buffer[] = [];
    const take = (chunk: unknown): void => {
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) held.push(Buffer.from(chunk));
    };
    replace(response, 'write', (_original, [chunk]) => {
      take(chunk);
      return true;
    });
    replace(response, 'end', (original, [chunk]) => {
      take(chunk);
      return original(Buffer.concat(held));
    });
    return next();
  },
  'headers given as an array are lost': onResponse('writeHead', (original, args) =>
    original(...args.filter((arg) => !Array.isArray(arg))),
  ),
  'the status message is lost': onResponse('writeHead', (original, args) =>
    original(...args.filter((arg) => typeof arg !== 'string')),
  ),
  'names of headers are made lower case': onResponse('setHeader', (original, [name, value]) =>
    original(String(name).toLowerCase(), value),
  ),
  'cookies are merged into one': onResponse('setHeader', (original, [name, value]) =>
    original(name, Array.isArray(value) ? value.join('; ') : value),
  ),
  'a header is added': (_request, response, next) => {
    response.setHeader('X-Recorded', 'yes');
    return next();
  },
  'headers are flushed at once': (_request, response, next) => {
    response.flushHeaders();
    return next();
  },
  'flushHeaders does nothing': onResponse('flushHeaders', () => undefined),
  'trailers are lost': onResponse('addTrailers', () => undefined),
  'early hints are lost': onResponse('writeEarlyHints', () => undefined),
  'cork does nothing': onResponse('cork', () => undefined),
  'the callback of end is not called': onResponse('end', (original, args) =>
    original(...withoutFunctions(args)),
  ),
  'the callback of write is not called': onResponse('write', (original, args) =>
    original(...withoutFunctions(args)),
  ),
  'the encoding of a text is lost': onResponse('write', (original, [chunk, ...more]) =>
    original(chunk, ...more.filter((arg) => typeof arg !== 'string')),
  ),
  'chunks are cut in two': onResponse('write', (original, [chunk, ...more]) => {
    if (typeof chunk !== 'string' || chunk.length < 2) return original(chunk, ...more);
    original(chunk.slice(0, 1));
    return original(chunk.slice(1), ...more);
  }),
  'texts are turned into bytes': onResponse('end', (original, [chunk, ...more]) =>
    original(typeof chunk === 'string' ? Buffer.from(chunk) : chunk, ...more),
  ),
  'what write throws is swallowed': onResponse('write', (original, args) => {
    try {
      return original(...args);
    } catch {
      return false;
    }
  }),
  'a second end is swallowed': (_request, response, next) => {
    let isEnded = false;
    replace(response, 'end', (original, args) => {
      if (isEnded) return response;
      isEnded = true;
      return original(...args);
    });
    return next();
  },
  'destroy becomes end': onResponse('destroy', (_original, _args, response) => response.end()),
  'the request is read to its end': (request, _response, next) => {
    request.resume();
    return next();
  },
  'a listener for data makes the request flow': (request, _response, next) => {
    request.on('data', () => undefined);
    return next();
  },
  'the text of the request is decoded': (request, _response, next) => {
    request.setEncoding('latin1');
    return next();
  },
  'the body is awaited before the handler runs': async (request, _response, next) => {
    if (request.headers['content-length'] !== undefined) await once(request.resume(), 'end');
    return next();
  },
  'the handler runs a turn later': async (_request, _response, next) => {
    await new Promise((resolve) => setImmediate(resolve));
    return next();
  },
  'an abort is swallowed': (request, _response, next) => {
    replace(request, 'emit', (original, args) => (args[0] === 'aborted' ? false : original(...args)));
    return next();
  },
  'close is swallowed': (_request, response, next) => {
    replace(response, 'emit', (original, args) =>
      args[0] === 'close' && !response.writableFinished ? false : original(...args),
    );
    return next();
  },
  'drain is swallowed': (_request, response, next) => {
    replace(response, 'emit', (original, args) => (args[0] === 'drain' ? false : original(...args)));
    return next();
  },
  'a listener for errors keeps them from the program': (_request, response, next) => {
    response.on('error', () => undefined);
    return next();
  },
  'listeners are added without end': (_request, response, next) => {
    for (let index = 0; index < 9; index += 1) response.on('close', () => undefined);
    return next();
  },
  'what the handler throws is swallowed': (_request, response, next) => {
    try {
      const result = next();
      return result instanceof Promise ? result.catch(() => response.end()) : result;
    } catch {
      return response.end();
    }
  },
  'the connection is not kept': (_request, response, next) => {
    response.shouldKeepAlive = false;
    return next();
  },
  'statuses are tidied up': onResponse('end', (original, args, response) => {
    if (!response.headersSent && response.statusCode === 205) response.statusCode = 204;
    return original(...args);
  }),
};

/** Express catches what handlers throw before a middleware could. */
export const NOT_ON_EXPRESS: ReadonlySet<string> = new Set(['what the handler throws is swallowed']);

export function brokenRecording(broken: Broken): Recording {
  return {
    express: () => (request, response, next) => {
      void broken(request, response, next);
    },
    koa: () => async (context, next) => {
      await broken(context.req, context.res, next);
    },
  };
}

/** What recorders keep wrongly. The rig has to find each of them in the entries. */
export const FALSE_RECORDS: Readonly<Record<string, (entries: EntryRecord[]) => EntryRecord[]>> = {
  'nothing is recorded': () => [],
  'an exchange is recorded twice': (entries) => [...entries, ...entries.slice(0, 1)],
  'aborted exchanges are called completed': (entries) =>
    entries.map((entry) => ({ ...entry, outcome: 'completed' })),
  'every status is 200': (entries) => entries.map((entry) => ({ ...entry, status: 200 })),
  'bodies lose their last byte': (entries) =>
    entries.map((entry) => ({ ...entry, responseBody: entry.responseBody?.subarray(0, -1) ?? null })),
  'bodies are lost': (entries) =>
    entries.map((entry) => ({ ...entry, responseBody: null, responseState: 'empty' })),
  'bodies of requests are lost': (entries) => entries.map((entry) => ({ ...entry, requestBody: null })),
  'sizes are of the kept part': (entries) =>
    entries.map((entry) => ({ ...entry, responseOriginalBytes: entry.responseBody?.length ?? null })),
  'a body that broke off is called whole': (entries) =>
    entries.map((entry) => ({ ...entry, responseState: 'captured' })),
  'headers that are sent twice are kept once': (entries) =>
    entries.map((entry) => ({
      ...entry,
      responseHeaders: [...new Map(entry.responseHeaders.map((field) => [field[0], field])).values()],
    })),
  'bodies that HEAD never got are kept': (entries) =>
    entries.map((entry) => ({ ...entry, responseBody: Buffer.from('body'), responseState: 'captured' })),
};
