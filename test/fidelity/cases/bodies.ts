import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { CALLBACK, type Call } from '../call';
import type { FidelityCase } from '../fidelity-case';

const ok: Call = ['writeHead', 200, { 'Content-Type': 'text/plain; charset=utf-8' }];
const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
const letters = 'The quick brown fox. '.repeat(50_000);
const euro = Buffer.from('a\u20ac\u{1f600}z');

const typed = (type: string, ...more: readonly string[]): Call => [
  'writeHead',
  200,
  ['Content-Type', type, ...more],
];

const programs: Readonly<Record<string, readonly Call[]>> = {
  'No body': [['statusCode=', 200], ['end']],
  'A text': [ok, ['end', 'text']],
  Bytes: [ok, ['end', Buffer.from('bytes')]],
  'A Uint8Array': [ok, ['end', new Uint8Array([65, 66, 67])]],
  'A part of a larger buffer': [ok, ['end', Buffer.from('0123456789').subarray(2, 5)]],
  'Text as Latin-1': [ok, ['end', 'caf\u00e9', 'latin1']],
  'Text as hex': [ok, ['end', '414243', 'hex']],
  'Text as base64': [ok, ['write', 'QUJD', 'base64'], ['end', 'REVG', 'base64']],
  'Text as UTF-16': [typed('text/plain; charset=utf-16le'), ['end', 'text', 'utf16le']],
  'Many pieces': [
    ok,
    ...Array.from({ length: 40 }, (_, index): Call => ['write', `${String(index)},`]),
    ['end'],
  ],
  'Pieces of text and bytes': [ok, ['write', 'one '], ['write', Buffer.from('two ')], ['end', 'three']],
  'Pieces over several turns': [ok, ['write', 'a'], ['turn'], ['write', 'b'], ['turn'], ['end', 'c']],
  'Characters split at every border': [
    ok,
    ...Array.from(euro, (_, index): Call => ['write', euro.subarray(index, index + 1)]),
    ['end'],
  ],
  'Bytes that are no UTF-8': [ok, ['end', Buffer.from([0xff, 0xfe, 0x80, 0x41, 0xc3])]],
  'Bytes without a type': [
    ['statusCode=', 200],
    ['end', bytes],
  ],
  'A text without a type': [
    ['statusCode=', 200],
    ['write', '[1,'],
    ['end', '2]'],
  ],
  'NUL and control characters': [ok, ['end', 'a\u0000b\u0007\u001b[0m']],
  'A byte-order mark': [ok, ['end', '\ufeffmarked']],
  'Lone surrogates': [ok, ['write', 'a\ud800'], ['end', '\udc00b']],
  JSON: [typed('application/json'), ['end', '{"a":[1,2,{"b":null}]}']],
  'JSON that is none': [typed('application/json'), ['end', '{"a":']],
  'Newline-delimited JSON': [
    typed('application/x-ndjson'),
    ['write', '{"a":1}\n'],
    ['turn'],
    ['end', '{"a":2}\n'],
  ],
  'An image': [typed('image/png'), ['end', bytes]],
  Protobuf: [
    typed('application/x-protobuf'),
    ['write', bytes.subarray(0, 100)],
    ['end', bytes.subarray(100)],
  ],
  'A multipart body': [
    typed('multipart/mixed; boundary=x'),
    ['end', '--x\r\nContent-Type: text/plain\r\n\r\na\r\n--x--\r\n'],
  ],
  'A gzip body': [typed('text/plain', 'Content-Encoding', 'gzip'), ['end', gzipSync('hello '.repeat(100))]],
  'A deflate body': [typed('text/plain', 'Content-Encoding', 'deflate'), ['end', deflateSync('hello')]],
  'A brotli body': [typed('text/plain', 'Content-Encoding', 'br'), ['end', brotliCompressSync('hello')]],
  '1 MiB at once': [ok, ['end', letters]],
  '1 MiB in pieces': [
    ok,
    ...Array.from({ length: 16 }, (_, index): Call => [
      'write',
      letters.slice(index * 65_536, (index + 1) * 65_536),
    ]),
    ['end'],
  ],
  'Pieces with a Content-Length': [
    ['writeHead', 200, { 'Content-Length': '6' }],
    ['write', 'abc', CALLBACK],
    ['end', 'def', CALLBACK],
  ],
  'write with an encoding and a callback': [
    ok,
    ['write', 'ab', 'utf8', CALLBACK],
    ['end', 'c', 'utf8', CALLBACK],
  ],
  'write with a callback only': [ok, ['write', 'ab', CALLBACK], ['end', CALLBACK]],
  'end with a text and a callback': [ok, ['end', 'text', CALLBACK]],
  'Chunks that write refuses': [
    ok,
    ['write', 42],
    ['write', null],
    ['write', undefined],
    ['write', {}],
    ['write', ['a']],
    ['write', true],
    ['end', 'then a text'],
  ],
  'Chunks that end refuses': [ok, ['end', 42], ['end', { a: 1 }], ['end', true], ['end', 'then a text']],
  'end with null': [ok, ['end', null]],
  'end with undefined': [ok, ['end', undefined, 'utf8', CALLBACK]],
  'An assigned buffer that changes afterwards': [ok, ['write', euro], ['end', 'x']],
};

export const bodyCases: readonly FidelityCase[] = [
  ...Object.entries(programs).map(([name, calls]): FidelityCase => ({ name, topic: 'bodies', calls })),
  {
    name: 'A text in an encoding that does not exist',
    topic: 'bodies',
    calls: [ok, ['write', 'text', 'nonsense'], ['end', 'x']],
    // Node begins a chunk before it refuses the text, so that the wire is broken.
    records: [{ responseState: 'captured' }],
  },
  {
    name: 'Empty pieces',
    topic: 'bodies',
    // Node's HTTP/2 sends bytes of its own memory then.
    http2: false,
    calls: [ok, ['write', Buffer.alloc(0)], ['write', 'a'], ['write', ''], ['end', '']],
  },
  {
    name: 'A compressed body that is none',
    topic: 'bodies',
    calls: [typed('text/plain', 'Content-Encoding', 'gzip'), ['end', 'not gzip']],
    records: [{ responseState: 'dropped' }],
  },
  {
    name: 'A buffer that the handler uses again',
    topic: 'bodies',
    handler: (t) => {
      const buffer = Buffer.from('first ');
      t.call('write', buffer);
      return new Promise<void>((resolve) => {
        t.res.write('middle ', () => {
          buffer.write('second');
          t.call('end', buffer);
          resolve();
        });
      });
    },
  },
];
