import { CALLBACK, type Call } from '../call';
import type { FidelityCase } from '../fidelity-case';

const end: Call = ['end', 'body'];
const ok: Call = ['statusCode=', 200];

/** Each list of calls is a program. */
const programs: Readonly<Record<string, readonly Call[]>> = {
  'A header in mixed case': [ok, ['setHeader', 'x-Mixed-CASE', 'Value'], end],
  'A header with a number and an array': [
    ok,
    ['setHeader', 'X-N', 42],
    ['setHeader', 'X-A', ['a', 'b']],
    end,
  ],
  'Two cookies': [ok, ['setHeader', 'Set-Cookie', ['a=1; Path=/', 'b=2; HttpOnly']], end],
  'The same cookie twice': [ok, ['setHeader', 'Set-Cookie', ['a=1', 'a=1']], end],
  'Cookies by appendHeader': [
    ok,
    ['appendHeader', 'Set-Cookie', 'a=1'],
    ['appendHeader', 'Set-Cookie', ['b=2', 'c=3']],
    end,
  ],
  'appendHeader to a header that is set': [ok, ['setHeader', 'X-A', '1'], ['appendHeader', 'x-a', '2'], end],
  'setHeaders with a Map': [
    ok,
    [
      'setHeaders',
      new Map([
        ['x-a', '1'],
        ['x-b', '2'],
      ]),
    ],
    end,
  ],
  'setHeaders with Headers': [ok, ['setHeaders', new Headers({ 'x-a': '1', 'set-cookie': 'a=1' })], end],
  'A header that is set twice': [ok, ['setHeader', 'X-A', '1'], ['setHeader', 'x-a', '2'], end],
  'A header that is removed': [
    ok,
    ['setHeader', 'X-A', '1'],
    ['removeHeader', 'X-A'],
    ['hasHeader', 'x-a'],
    end,
  ],
  'What the getters of headers say': [
    ok,
    ['setHeader', 'X-Mixed', ['a', 'b']],
    ['getHeader', 'x-mixed'],
    ['getHeaders'],
    ['getHeaderNames'],
    ['getRawHeaderNames'],
    end,
    ['getHeaders'],
    ['hasHeader', 'x-mixed'],
  ],
  'Headers that are refused': [
    ok,
    ['setHeader', 'bad name', '1'],
    ['setHeader', 'X-A', 'line\r\nbreak'],
    ['setHeader', 'X-A', undefined],
    ['setHeader', 'X-A', '\u20ac'],
    ['appendHeader', 'X-A', '\u0000'],
    end,
  ],
  'Headers after the head is sent': [
    ok,
    ['write', 'a'],
    ['setHeader', 'X-A', '1'],
    ['removeHeader', 'X-A'],
    ['appendHeader', 'X-A', '1'],
    end,
  ],
  'writeHead with a status': [['writeHead', 203], end],
  'writeHead with a message': [['writeHead', 203, 'Hear Say'], end],
  'writeHead with headers': [['writeHead', 203, { 'X-A': '1', 'x-b': ['2', '3'] }], end],
  'writeHead with a message and headers': [['writeHead', 203, 'Hear Say', { 'X-A': '1' }], end],
  'writeHead with a flat array': [['writeHead', 200, ['X-A', '1', 'x-a', '2', 'Set-Cookie', 'a=1']], end],
  'writeHead with a flat array and duplicate cookies': [
    ['writeHead', 200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Set-Cookie', 'a=1']],
    end,
  ],
  'writeHead with an odd array': [['writeHead', 200, ['X-A']], end],
  'writeHead with a message and a flat array': [['writeHead', 200, 'Fine', ['X-A', '1', 'X-A', '2']], end],
  'writeHead over headers that are set': [
    ['setHeader', 'X-A', 'old'],
    ['setHeader', 'X-B', 'kept'],
    ['writeHead', 200, { 'X-A': 'new' }],
    end,
  ],
  'writeHead with an array over headers that are set': [
    ['setHeader', 'X-A', 'old'],
    ['setHeader', 'X-B', 'kept'],
    ['writeHead', 200, ['X-A', 'new', 'X-C', '1']],
    end,
  ],
  'writeHead with a type that Recap looks at': [
    ['writeHead', 200, ['Content-Type', 'application/json', 'Content-Length', '2']],
    ['end', '{}'],
  ],
  'writeHead twice': [['writeHead', 200], ['writeHead', 201], end],
  'writeHead after a write': [ok, ['write', 'a'], ['writeHead', 201], end],
  'writeHead with what is no status': [['writeHead', 99], ['writeHead', 1000], ['writeHead', 'x'], ok, end],
  'writeHead with what is no value': [['writeHead', 200, { 'X-A': undefined }], ok, end],
  'writeHead in a chain with end': [
    ['writeHead', 200, { 'X-A': '1' }],
    ['end', 'x', CALLBACK],
  ],
  'A status message of its own': [ok, ['statusMessage=', 'All Is Well'], end],
  'An empty status message': [ok, ['statusMessage=', ''], end],
  'A status message with letters of Latin-1': [ok, ['statusMessage=', 'Tr\u00e8s bien'], end],
  'A status message that is refused': [ok, ['statusMessage=', 'a\r\nb'], end, ['statusMessage=', 'ok'], end],
  'flushHeaders before the body': [ok, ['setHeader', 'X-A', '1'], ['flushHeaders'], ['turn'], end],
  'flushHeaders twice': [ok, ['flushHeaders'], ['flushHeaders'], end],
  'flushHeaders and an empty end': [ok, ['flushHeaders'], ['end']],
  'No Date': [ok, ['sendDate=', false], end],
  'A Connection header of the handler': [ok, ['setHeader', 'Connection', 'close'], end],
  'A Keep-Alive that the handler forbids': [ok, ['shouldKeepAlive=', false], end],
  'No chunks by default': [ok, ['useChunkedEncodingByDefault=', false], ['write', 'a'], end],
  'A Content-Length of the handler': [['writeHead', 200, { 'Content-Length': 4 }], end],
  'A Content-Length as an array of headers': [
    ok,
    ['setHeader', 'content-length', '4'],
    ['write', 'bo'],
    ['end', 'dy'],
  ],
  'A Content-Length that is held to': [
    ok,
    ['strictContentLength=', true],
    ['setHeader', 'Content-Length', '2'],
    ['write', 'too much'],
    ['write', 'ok'],
    ['end'],
    ['socket.destroy'],
  ],
  'Letters of Latin-1 in a header': [ok, ['setHeader', 'X-Name', 'caf\u00e9 \u00ff'], end],
  'A hundred headers': [
    ok,
    ...Array.from({ length: 100 }, (_, index): Call => ['setHeader', `X-${String(index)}`, String(index)]),
    end,
  ],
  'Early hints': [['writeEarlyHints', { link: '</a.css>; rel=preload' }, CALLBACK], ok, end],
  'Early hints twice, with several links': [
    ['writeEarlyHints', { link: ['</a.css>; rel=preload', '</b.js>; rel=preload'] }],
    ['writeEarlyHints', { link: '</c.css>; rel=preload', 'x-trace': 'id' }],
    ok,
    end,
  ],
  'Early hints that are refused': [['writeEarlyHints', { link: 'nonsense' }], ok, end],
  'Early hints after the head': [
    ok,
    ['write', 'a'],
    ['writeEarlyHints', { link: '</a>; rel=preload' }],
    ['end'],
  ],
  'A 100 and a 102 before the answer': [['writeContinue', CALLBACK], ['writeProcessing', CALLBACK], ok, end],
  Trailers: [
    ok,
    ['setHeader', 'Trailer', 'X-Sum'],
    ['write', 'a'],
    ['addTrailers', { 'X-Sum': '1' }],
    ['end'],
  ],
  'Trailers as pairs': [
    ok,
    ['setHeader', 'Trailer', 'X-Sum, X-Mul'],
    ['write', 'a'],
    [
      'addTrailers',
      [
        ['X-Sum', '1'],
        ['X-Mul', '2'],
        ['X-Sum', '3'],
      ],
    ],
    ['end', 'b'],
  ],
  'Trailers beside a Content-Length': [
    ['writeHead', 200, { 'Content-Length': '1' }],
    ['addTrailers', { 'X-Sum': '1' }],
    ['end', 'a'],
  ],
  'Trailers that are refused': [ok, ['write', 'a'], ['addTrailers', { 'bad name': '1' }], ['end']],
  'Trailers before any write': [ok, ['addTrailers', { 'X-Sum': '1' }], ['end', 'a']],
  'An end that fails for its head and is tried again': [
    ok,
    ['statusCode=', 12],
    ['end', 'first'],
    ok,
    ['end', 'second'],
  ],
};

/** HTTP/1 only, or an end that HTTP/2's client never gets. */
const NOT_ON_HTTP2 = new Set(['A 100 and a 102 before the answer', 'A Content-Length that is held to']);

export const headCases: readonly FidelityCase[] = Object.entries(programs).map(
  ([name, calls]): FidelityCase => ({
    name,
    topic: 'heads',
    calls,
    ...(NOT_ON_HTTP2.has(name) && { http2: false }),
  }),
);
