import type { HeaderList } from '../exchange';
import { storableText } from './storable-text';

/*
 * Header fields as few bytes: a version, then name and value of each field. A name is one byte for one that is
 * listed here, a value one byte for one that is listed, or 255 and the seconds since the epoch for a date; else 0, the
 * length and the text. The lists only ever grow at their ends, since rows refer to them by position.
 */
const VERSION = 1;
const LITERAL = 0;
/** Added to a name's number when it was written with capitals, as in `Content-Type`. */
const CAPITALS = 128;
const DATE = 255;
const MAX_SECONDS = 0xffff_ffff;

const NAMES: readonly string[] = [
  ...['host', 'connection', 'user-agent', 'accept', 'accept-encoding', 'accept-language', 'authorization'],
  ...['content-type', 'content-length', 'content-encoding', 'content-language', 'content-disposition'],
  ...['transfer-encoding', 'date', 'etag', 'keep-alive', 'cache-control', 'vary', 'cookie', 'set-cookie'],
  ...[
    'origin',
    'referer',
    'location',
    'last-modified',
    'if-none-match',
    'if-modified-since',
    'expires',
    'pragma',
  ],
  ...['server', 'x-powered-by', 'x-request-id', 'x-correlation-id', 'x-forwarded-for', 'x-forwarded-proto'],
  ...['x-forwarded-host', 'x-forwarded-port', 'x-real-ip', 'forwarded', 'via', 'traceparent', 'tracestate'],
  ...['baggage', 'x-api-key', 'x-csrf-token', 'x-requested-with', 'sec-fetch-mode', 'sec-fetch-site'],
  ...['sec-fetch-dest', 'sec-ch-ua', 'sec-ch-ua-mobile', 'sec-ch-ua-platform', 'upgrade-insecure-requests'],
  ...['access-control-allow-origin', 'access-control-allow-credentials', 'access-control-expose-headers'],
  ...['access-control-allow-methods', 'access-control-allow-headers', 'access-control-max-age'],
  ...['access-control-request-method', 'access-control-request-headers', 'strict-transport-security'],
  ...['x-content-type-options', 'x-frame-options', 'x-xss-protection', 'x-dns-prefetch-control'],
  ...[
    'x-download-options',
    'x-permitted-cross-domain-policies',
    'content-security-policy',
    'referrer-policy',
  ],
  ...[
    'cross-origin-opener-policy',
    'cross-origin-resource-policy',
    'origin-agent-cluster',
    'expect',
    'range',
  ],
  ...['accept-ranges', 'content-range', 'retry-after', 'ratelimit', 'ratelimit-policy', 'ratelimit-limit'],
  ...['ratelimit-remaining', 'ratelimit-reset', 'x-ratelimit-limit', 'x-ratelimit-remaining'],
  ...['x-ratelimit-reset', 'www-authenticate', 'idempotency-key', 'dnt', 'te', 'upgrade', 'priority', 'link'],
  ...['allow', 'age', 'x-recap-session', 'x-tenant-id', 'x-amzn-trace-id', 'cf-ray', 'x-github-event'],
  ...['x-github-delivery', 'x-hub-signature-256', 'x-response-time', 'proxy-connection', 'sec-gpc'],
];

const VALUES: readonly string[] = [
  ...['application/json', 'application/json; charset=utf-8', 'text/html; charset=utf-8', 'text/plain'],
  ...[
    'text/plain; charset=utf-8',
    'text/event-stream',
    'application/x-www-form-urlencoded',
    'keep-alive',
    'close',
  ],
  ...['*/*', 'gzip, deflate, br', 'gzip, deflate', 'gzip, deflate, br, zstd', 'gzip, compress, deflate, br'],
  ...['gzip', 'br', 'identity', 'chunked', 'timeout=5', 'timeout=65', 'no-cache', 'no-store', 'Express'],
  ...['application/json, text/plain, */*', '[REDACTED]', 'Bearer [REDACTED]', 'Basic [REDACTED]', 'cors'],
  ...[
    'same-origin',
    'same-site',
    'cross-site',
    'no-cors',
    'navigate',
    'empty',
    'document',
    '*',
    '?0',
    '?1',
    'true',
  ],
  ...[
    'nosniff',
    'SAMEORIGIN',
    'DENY',
    '0',
    '1',
    'none',
    'no-referrer',
    'off',
    'noopen',
    'Origin',
    'Accept-Encoding',
  ],
  ...['node', 'undici', 'GET', 'POST', 'en-US,en;q=0.9', 'en-US,en;q=0.5', 'http', 'https', 'XMLHttpRequest'],
  ...[
    'max-age=0',
    'private',
    'public',
    'application/octet-stream',
    'application/problem+json',
    '100-continue',
  ],
  ...[
    'max-age=31536000; includeSubDomains',
    'strict-origin-when-cross-origin',
    'Accept',
    'bytes',
    'trailers',
  ],
  ...['image/png', 'image/jpeg', 'text/css', 'application/javascript', 'application/x-ndjson', 'curl/8.5.0'],
];

const IN_CAPITALS: ReadonlyMap<string, string> = new Map([
  ['etag', 'ETag'],
  ['dnt', 'DNT'],
  ['te', 'TE'],
  ['www-authenticate', 'WWW-Authenticate'],
  ['x-xss-protection', 'X-XSS-Protection'],
]);

const withCapitals = (name: string): string =>
  IN_CAPITALS.get(name) ?? name.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());

/** By their number; 0 is none. */
const NAME_OF: (string | undefined)[] = Array.from({ length: 256 }, () => undefined);
const NUMBER_OF_NAME = new Map<string, number>();
NAMES.forEach((name, at) => {
  for (const [number, written] of [
    [at + 1, name],
    [at + 1 + CAPITALS, withCapitals(name)],
  ] as const) {
    NAME_OF[number] = written;
    NUMBER_OF_NAME.set(written, number);
  }
});
const NUMBER_OF_VALUE = new Map(VALUES.map((value, at) => [value, at + 1]));

/** Written into, and then copied: how long it will be is known only afterwards. */
const DRAFT = Buffer.allocUnsafeSlow(16 * 1024);

export function headersToBytes(headers: HeaderList): Buffer {
  let size = 1;
  // A number or 0, a length of at most 5 bytes, and no more than three bytes a unit.
  for (const [name, value] of headers) size += 2 * 6 + 3 * (name.length + value.length);
  const target = size <= DRAFT.length ? DRAFT : Buffer.allocUnsafe(size);
  target[0] = VERSION;
  let at = 1;
  for (const [name, value] of headers) {
    at = writeListed(target, name, NUMBER_OF_NAME.get(name), at);
    const seconds = secondsOf(value);
    if (seconds === undefined) at = writeListed(target, value, NUMBER_OF_VALUE.get(value), at);
    else {
      target[at] = DATE;
      at = target.writeUInt32BE(seconds, at + 1);
    }
  }
  return Buffer.from(target.subarray(0, at));
}

/** @throws {RangeError} when the bytes are damaged, or of a later version of Recap */
export function headersFromBytes(bytes: Uint8Array): HeaderList {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (source[0] !== VERSION) throw unreadable();
  const headers: [string, string][] = [];
  let at = 1;
  const next = (listed: readonly (string | undefined)[], offset: number): string => {
    const number = source[at];
    at += 1;
    if (number === undefined) throw unreadable();
    if (number === DATE && offset === 1) {
      if (at + 4 > source.length) throw unreadable();
      at += 4;
      return new Date(source.readUInt32BE(at - 4) * 1000).toUTCString();
    }
    if (number !== LITERAL) {
      const text = listed[number - offset];
      if (text === undefined) throw unreadable();
      return text;
    }
    const length = readLength();
    if (at + length > source.length) throw unreadable();
    at += length;
    return source.toString('utf8', at - length, at);
  };
  const readLength = (): number => {
    let length = 0;
    for (let shift = 0; shift <= 28; shift += 7) {
      const byte = source[at] ?? 0;
      at += 1;
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return length;
    }
    throw unreadable();
  };
  while (at < source.length) headers.push([next(NAME_OF, 0), next(VALUES, 1)]);
  return headers;
}

/** The date that was read last: answers of the same second have the same. */
let lastDate = { text: '', seconds: 0 };

/** Of a date exactly as HTTP writes it (RFC 9110, 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`. */
function secondsOf(text: string): number | undefined {
  if (text.length !== 29 || !text.endsWith(' GMT')) return undefined;
  if (text === lastDate.text) return lastDate.seconds;
  const at = Date.parse(text);
  const isExact = at >= 0 && at / 1000 <= MAX_SECONDS && new Date(at).toUTCString() === text;
  if (!isExact) return undefined;
  lastDate = { text, seconds: at / 1000 };
  return lastDate.seconds;
}

function writeListed(target: Buffer, text: string, number: number | undefined, at: number): number {
  target[at] = number ?? LITERAL;
  return number === undefined ? writeText(target, text, at + 1) : at + 1;
}

/** Its length, seven bits a byte from the lowest on, and the text. */
function writeText(target: Buffer, text: string, start: number): number {
  if (text.length <= 0x7f && writeAscii(target, text, start + 1)) {
    target[start] = text.length;
    return start + 1 + text.length;
  }
  const storable = storableText(text);
  let at = start;
  let left = Buffer.byteLength(storable);
  for (; left > 0x7f; left >>>= 7) {
    target[at] = (left & 0x7f) | 0x80;
    at += 1;
  }
  target[at] = left;
  return at + 1 + target.write(storable, at + 1);
}

/** In a loop, which for a short text beats the calls that do it. False for a text with any other character, or NUL. */
function writeAscii(target: Buffer, text: string, at: number): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0 || code > 0x7f) return false;
    target[at + index] = code;
  }
  return true;
}

const unreadable = (): RangeError =>
  new RangeError('The stored header fields are damaged, or of a later version of Recap.');
