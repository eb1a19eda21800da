import fc from 'fast-check';
import { CALLBACK, type Call } from './call';
import type { FidelityCase } from './fidelity-case';
import { HOSTS, type Host, type HostName } from './hosts';

/** An argument as JSON can hold it, so that a sequence that failed can be kept in a file. */
type Argument =
  | string
  | number
  | boolean
  | null
  | { readonly bytes: string }
  | { readonly is: 'callback' | 'undefined' | 'error' }
  | { readonly fields: readonly (readonly [string, string | number | readonly string[]])[] }
  | readonly string[];

/** What a handler does to its response, one call after the other. */
export interface CallSequence {
  readonly host: HostName;
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly version: '1.0' | '1.1';
  readonly calls: readonly (readonly [name: string, ...args: readonly Argument[]])[];
}

const NAMES = [
  'X-A',
  'x-a',
  'X-B',
  'Set-Cookie',
  'Content-Type',
  'Content-Length',
  'Trailer',
  'Date',
  'Vary',
];
const VALUES = ['1', 'a, b', 'text/plain', 'application/json', '5', '', 'caf\u00e9', 'bad\nvalue', '\u20ac'];
const STATUSES = [200, 201, 204, 205, 301, 304, 404, 500, 103, 99, 1000];
const TEXTS = ['a', 'hello', '{"a":1}', '\u20ac\u{1f600}', '\ud800', 'x'.repeat(20_000), 'data: 1\n\n'];

const name = fc.constantFrom(...NAMES);
const value = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...VALUES) },
  fc.constantFrom(0, 7, 42),
  fc.array(fc.constantFrom('a=1', 'b=2', 'a=1; Path=/'), { minLength: 1, maxLength: 3 }),
);
const fields = fc.array(fc.tuple(name, value), { maxLength: 3 }).map((list): Argument => ({ fields: list }));
const flat = fc
  .array(fc.tuple(name, fc.constantFrom(...VALUES)), { maxLength: 3 })
  .map((list): Argument => list.flat());
const callback = fc.constant<Argument>({ is: 'callback' });
const text = fc.constantFrom<Argument>(...TEXTS);
const bytes = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .map((list): Argument => ({ bytes: Buffer.from(list).toString('hex') }));
const wrongChunk = fc.constantFrom<Argument>(42, null, true, { is: 'undefined' });
const chunk = fc.oneof({ weight: 5, arbitrary: text }, { weight: 3, arbitrary: bytes }, wrongChunk);
/** Fitting pairs: Node aborts the process over text that is no hex. */
const encoded = fc.constantFrom<readonly [Argument, Argument]>(
  ['\u20ac', 'utf8'],
  ['caf\u00e9', 'latin1'],
  ['QUJD', 'base64'],
  ['414243', 'hex'],
  ['text', 'utf16le'],
);

const body = fc.oneof(
  fc.tuple(chunk),
  fc.tuple(chunk, callback),
  encoded,
  fc.tuple(encoded, callback).map(([pair, last]) => [...pair, last]),
);
type Step = CallSequence['calls'][number];
const step = (method: string, ...args: fc.Arbitrary<Argument>[]): fc.Arbitrary<Step> =>
  fc.tuple(...args).map((given): Step => [method, ...given]);
const withBody = (method: string): fc.Arbitrary<Step> => body.map((args): Step => [method, ...args]);
const status = fc.constantFrom<Argument>(...STATUSES);
const message = fc.constantFrom<Argument>('Fine', '', 'caf\u00e9', 'bad\nmessage');
const links = fc.constantFrom<Argument>(
  { fields: [['link', '</a.css>; rel=preload']] },
  { fields: [['link', ['</a>; rel=preload', '</b>; rel=preload']]] },
  { fields: [['link', 'nonsense']] },
);

const call: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: step('setHeader', name, value as fc.Arbitrary<Argument>) },
  { weight: 1, arbitrary: step('appendHeader', name, value as fc.Arbitrary<Argument>) },
  { weight: 1, arbitrary: step('removeHeader', name) },
  {
    weight: 3,
    arbitrary: fc.oneof(
      step('writeHead', status),
      step('writeHead', status, fields),
      step('writeHead', status, flat),
      step('writeHead', status, message, fields),
      step('writeHead', status, message, flat),
    ),
  },
  { weight: 8, arbitrary: withBody('write') },
  { weight: 2, arbitrary: fc.oneof(withBody('end'), step('end'), step('end', callback)) },
  { weight: 1, arbitrary: step('flushHeaders') },
  { weight: 2, arbitrary: step('cork') },
  { weight: 2, arbitrary: step('uncork') },
  {
    weight: 1,
    arbitrary: fc.oneof(step('destroy'), step('destroy', fc.constant<Argument>({ is: 'error' }))),
  },
  { weight: 1, arbitrary: step('addTrailers', fields) },
  { weight: 1, arbitrary: fc.oneof(step('writeContinue'), step('writeContinue', callback)) },
  { weight: 1, arbitrary: step('writeProcessing') },
  {
    weight: 1,
    arbitrary: fc.oneof(step('writeEarlyHints', links), step('writeEarlyHints', links, callback)),
  },
  { weight: 1, arbitrary: step('statusCode=', status) },
  { weight: 1, arbitrary: step('statusMessage=', message) },
  { weight: 3, arbitrary: step('turn') },
);

export const anySequence: fc.Arbitrary<CallSequence> = fc.record({
  host: fc.constantFrom(...HOSTS.map(({ name: each }) => each)),
  method: fc.constantFrom('GET', 'GET', 'HEAD', 'POST'),
  version: fc.constantFrom('1.1', '1.1', '1.1', '1.0'),
  calls: fc.array(call, { minLength: 1, maxLength: 12 }),
});

export function hostOf({ host }: CallSequence): Host {
  const found = HOSTS.find(({ name: each }) => each === host);
  if (found === undefined) throw new Error(`There is no host ${host}.`);
  return found;
}

/** The program that makes these calls, and then ends what they left open. */
export function programOf({ method, version, calls }: CallSequence): FidelityCase {
  return {
    name: JSON.stringify(calls),
    topic: 'endings',
    request: { method, version, ...(method === 'POST' && { body: 'a body' }) },
    breaksTheWire: breaksTheWire(calls),
    handler: async (t) => {
      // Copies: HTTP/2's `appendHeader` adds to the very array that `setHeader` was given.
      await t.play(structuredClone(calls).map(([each, ...args]): Call => [each, ...args.map(revive)]));
      if (!t.res.writableEnded) t.call('end');
      if (!t.res.writableEnded) t.call('destroy');
      // HTTP/2's response calls itself ended when its end has failed.
      if (t.req.httpVersionMajor >= 2 && !t.res.headersSent) t.call('stream.destroy');
    },
  };
}

const SENDS_HEAD = new Set(['write', 'end', 'flushHeaders', 'writeHead']);
const INFORMS = new Set(['writeContinue', 'writeProcessing', 'writeEarlyHints']);

/**
 * Node sends an answer in between even when it falls into the body; a length may be of another body; an `end`
 * that fails for the status line has decided on a length of its own.
 */
function breaksTheWire(calls: CallSequence['calls']): boolean {
  const head = calls.findIndex(([each]) => SENDS_HEAD.has(each));
  const isLate = calls.some(([each], index) => head !== -1 && index > head && INFORMS.has(each));
  const text = JSON.stringify(calls);
  return isLate || /content-length/i.test(text) || /\b(99|1000)\b|bad\\nmessage/.test(text);
}

function revive(argument: Argument): unknown {
  if (typeof argument !== 'object' || argument === null || Array.isArray(argument)) return argument;
  if ('bytes' in argument) return Buffer.from(argument.bytes, 'hex');
  if ('fields' in argument) return Object.fromEntries(argument.fields);
  if (!('is' in argument)) return argument;
  if (argument.is === 'callback') return CALLBACK;
  return argument.is === 'error' ? new Error('on purpose') : undefined;
}
