import type { RequestSpec } from '../request-spec';
import type { FidelityCase } from '../fidelity-case';
import type { Probe } from '../probe';
import { describeText } from '../describe-value';

const topic = 'input';
const LARGE = { maxHeaderSize: 1024 * 1024 };

async function echo(t: Probe): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of t.req) chunks.push(chunk as Buffer);
  const names = Object.keys(t.req.headers).join();
  t.note(`saw ${describeText(t.req.url ?? '')} ${describeText(names)} ${t.req.rawHeaders.length}`);
  t.res.statusCode = 200;
  t.call('setHeader', 'Content-Type', 'application/json');
  t.call('end', chunks.length === 0 ? JSON.stringify(names.length) : Buffer.concat(chunks));
}

const many = Array.from({ length: 2_000 }, (_, index): [string, string] => [`X-H-${index}`, String(index)]);
const depth = 100_000;

const requests: Readonly<Record<string, RequestSpec>> = {
  'A header named __proto__': {
    headers: [
      ['__proto__', 'polluted'],
      ['X-After', '1'],
    ],
  },
  'Headers named like members of Object': {
    headers: [
      ['constructor', 'a'],
      ['hasOwnProperty', 'b'],
      ['toString', 'c'],
      ['valueOf', 'd'],
      ['__proto__', 'e'],
    ],
  },
  '2,000 headers': { headers: many },
  'A header of 16 KiB': { headers: [['X-Long', 'x'.repeat(16_384)]] },
  'Obsolete text in a header': { headers: [['X-Text', 'caf\u00e9 \u00ff\u0080']] },
  'Authorization twice': {
    headers: [
      ['Authorization', 'Basic YTpi'],
      ['Authorization', 'Bearer x'],
    ],
  },
  'The same header many times': {
    headers: Array.from({ length: 50 }, (): [string, string] => ['X-Again', 'v']),
  },
  'An empty header': { headers: [['X-Empty', '']] },
  'A thousand cookies': {
    headers: [['Cookie', Array.from({ length: 1_000 }, (_, index) => `c${index}=${index}`).join('; ')]],
  },
  'A traceparent that is none': { headers: [['traceparent', '00-zz-\u00ff']] },
  'A forwarded address that is none': { headers: [['X-Forwarded-For', ',,, "\u00e4", 999.1.1.1']] },
  'A path of 64 KiB': { path: `/${'p'.repeat(65_536)}` },
  'A query of 64 KiB': { path: `/?${'q=1&'.repeat(16_384)}` },
  'A path with broken escapes': { path: '/%zz/%e0%a4%a/%' },
  'A path with every sign': { path: '/a;b,c/../..//%00/\'"<>|^`{}' },
  'A path with letters of Latin-1': { path: '/caf\u00e9' },
  'A content type that is none': { method: 'POST', headers: [['Content-Type', ';;;charset=;=']], body: 'x' },
  'A charset that does not exist': {
    method: 'POST',
    headers: [['Content-Type', 'text/plain; charset=utf-9']],
    body: '"x"',
  },
  'Fifty content codings': {
    method: 'POST',
    headers: [
      ['Content-Type', 'text/plain'],
      ['Content-Encoding', Array(50).fill('gzip').join(', ')],
    ],
    body: '"x"',
  },
  'JSON with a key __proto__': {
    method: 'POST',
    headers: [['Content-Type', 'application/json']],
    body: '{"__proto__":{"polluted":true},"constructor":{"prototype":1}}',
  },
  'JSON of depth 100,000': {
    method: 'POST',
    headers: [['Content-Type', 'application/json']],
    body: `${'['.repeat(depth)}${']'.repeat(depth)}`,
  },
  'JSON with 200,000 keys like integers': {
    method: 'POST',
    headers: [['Content-Type', 'application/json']],
    body: `{${Array.from({ length: 200_000 }, (_, index) => `"${index}":0`).join()}}`,
  },
  'A form with hostile names': {
    method: 'POST',
    headers: [['Content-Type', 'application/x-www-form-urlencoded']],
    body: '__proto__[a]=1&constructor=2&a%zz=3&=4&&&',
  },
  'JSON that is cut within a character': {
    method: 'POST',
    headers: [['Content-Type', 'application/json']],
    body: Buffer.from('{"a":"\u20ac').subarray(0, 7),
  },
};

/** Bytes that HTTP/2 cannot carry in a field or a path. */
const HTTP1_ONLY = new Set([
  'A header named __proto__',
  'Headers named like members of Object',
  '2,000 headers',
  'Authorization twice',
  'A path of 64 KiB',
  'A query of 64 KiB',
  'Obsolete text in a header',
  'A traceparent that is none',
  'A forwarded address that is none',
  'A path with letters of Latin-1',
]);

export const inputCases: readonly FidelityCase[] = Object.entries(requests).map(
  ([name, request]): FidelityCase => ({
    name,
    topic,
    request,
    handler: echo,
    serverOptions: LARGE,
    server: (server) => {
      server.maxHeadersCount = 5_000;
    },
    ...(HTTP1_ONLY.has(name) && { http2: false }),
  }),
);
