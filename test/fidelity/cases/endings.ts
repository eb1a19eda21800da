import { CALLBACK, type Call } from '../call';
import type { FidelityCase } from '../fidelity-case';
import type { Probe } from '../probe';

const topic = 'endings';
/** That many listeners for `close` the rig has itself. */
const RIG_LISTENERS = 2;
const ok: Call = ['writeHead', 200, { 'Content-Type': 'text/plain' }];

const calls: Readonly<Record<string, readonly Call[]>> = {
  'end twice': [ok, ['end', 'once'], ['end', 'twice'], ['turn'], ['end']],
  'end twice with callbacks': [ok, ['end', 'once', CALLBACK], ['end', CALLBACK], ['turn'], ['end', CALLBACK]],
  'write after end': [ok, ['end', 'all'], ['write', 'more', CALLBACK], ['turn']],
  'write after end in a later turn': [ok, ['end', 'all'], ['turn'], ['turn'], ['write', 'more', CALLBACK]],
  'Headers and trailers after end': [
    ok,
    ['end', 'a'],
    ['addTrailers', { 'X-A': '1' }],
    ['flushHeaders'],
    ['cork'],
  ],
  'destroy before the head': [['destroy'], ['end', 'nobody hears']],
  'destroy after the head': [
    ok,
    ['flushHeaders'],
    ['turn'],
    ['destroy'],
    ['write', 'x', CALLBACK],
    ['end', CALLBACK],
  ],
  'destroy in the middle of a body': [
    ok,
    ['write', 'a beginning'],
    ['turn'],
    ['destroy'],
    ['turn'],
    ['end', 'x'],
  ],
  'destroy in the middle of a body with a length': [
    ['writeHead', 200, { 'Content-Length': '100' }],
    ['write', 'a beginning'],
    ['turn'],
    ['destroy'],
  ],
  'destroy with an error': [ok, ['write', 'a'], ['turn'], ['destroy', new Error('on purpose')]],
  'destroy twice': [ok, ['write', 'a'], ['destroy'], ['destroy', new Error('again')]],
  'destroy right after end': [ok, ['end', 'all'], ['destroy']],
  'end after destroy': [
    ok,
    ['destroy'],
    ['end', 'x', CALLBACK],
    ['end', CALLBACK],
    ['turn'],
    ['write', 'y', CALLBACK],
  ],
  'The socket destroyed': [ok, ['write', 'a'], ['turn'], ['socket.destroy']],
  'The socket destroyed with an error': [ok, ['write', 'a'], ['socket.destroy', new Error('on purpose')]],
  'The socket ended': [ok, ['write', 'a'], ['turn'], ['socket.end'], ['turn'], ['write', 'b'], ['end']],
  'The socket reset': [ok, ['write', 'a'], ['turn'], ['socket.resetAndDestroy']],
  'The request destroyed': [ok, ['write', 'a'], ['turn'], ['req.destroy']],
  'The request destroyed with an error': [ok, ['req.destroy', new Error('on purpose')]],
  'A body shorter than its length': [
    ['writeHead', 200, { 'Content-Length': '10' }],
    ['end', 'short'],
    ['socket.end'],
  ],
  'end in three forms at once': [ok, ['write', 'a'], ['end', 'b', 'utf8', CALLBACK], ['end', 'c', CALLBACK]],
};

/** On HTTP/2 these have no socket to be done to, or leave the client waiting. */
const HTTP1_ONLY = new Set([
  'The socket destroyed',
  'The socket destroyed with an error',
  'The socket ended',
  'The socket reset',
  'The request destroyed',
  'The request destroyed with an error',
  'A body shorter than its length',
]);

const handlers: Readonly<Record<string, (t: Probe) => unknown>> = {
  'end in a timer': (t) => {
    t.call('writeHead', 200);
    setTimeout(() => t.call('end', 'later'), 0);
  },
  'end in the next tick': (t) => {
    process.nextTick(() => t.call('end', 'next tick'));
  },
  'end in the callback of a write': (t) => {
    t.res.statusCode = 200;
    t.res.write('a', () => t.call('end', 'b', CALLBACK));
  },
  'write in the callback of a write': (t) => {
    t.res.statusCode = 200;
    t.res.write('a', () => {
      t.call('write', 'b');
      t.res.write('c', () => t.call('end'));
    });
  },
  'destroy in the callback of a write': (t) => {
    t.res.statusCode = 200;
    t.res.write('a', () => t.call('destroy'));
  },
  'destroy in the callback of end': (t) => {
    t.res.statusCode = 200;
    t.res.end('a', () => t.call('destroy'));
  },
  'write and end in finish': (t) => {
    t.res.on('finish', () => {
      t.call('write', 'x', CALLBACK);
      t.call('end', 'y', CALLBACK);
    });
    t.call('end', 'all');
  },
  'write and end in close': (t) => {
    t.res.on('close', () => {
      t.call('write', 'x', CALLBACK);
      t.call('end', CALLBACK);
    });
    t.call('end', 'all');
  },
  'As many listeners for close as there may be': (t) => {
    for (let index = RIG_LISTENERS; index < 10; index += 1)
      t.res.on('close', () => t.note(`closed ${index}`));
    t.call('end', 'all');
  },
  'A handler that calls end without this': (t) => {
    const { end } = t.res;
    try {
      (end as (this: undefined, chunk: string) => unknown).call(undefined, 'x');
    } catch (error) {
      t.note(`throws ${(error as Error).name}`);
    }
    t.call('end', 'with it');
  },
};

export const endingCases: readonly FidelityCase[] = [
  {
    name: 'A body longer than its length',
    topic,
    calls: [
      ['writeHead', 200, { 'Content-Length': '3' }],
      ['end', 'longer'],
    ],
    // Sent in full all the same: where it ends is the client's reading.
    records: [{ responseState: 'captured' }],
  },
  ...Object.entries(calls).map(([name, each]): FidelityCase => ({
    name,
    topic,
    calls: each,
    ...(HTTP1_ONLY.has(name) && { http2: false }),
  })),
  ...Object.entries(handlers).map(([name, handler]): FidelityCase => ({ name, topic, handler })),
  {
    name: 'write after end without a listener for errors',
    topic,
    watchErrors: false,
    calls: [ok, ['end', 'all'], ['write', 'more'], ['turn']],
  },
  {
    name: 'destroy with an error without a listener for errors',
    topic,
    watchErrors: false,
    calls: [ok, ['write', 'a'], ['turn'], ['destroy', new Error('on purpose')]],
  },
];
