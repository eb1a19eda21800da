import { Duplex, PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** One way to return something that is used over time, and to use it. */
export interface FlowProgram {
  readonly make: (trace: (word: unknown) => void) => unknown;
  /** Whatever it tells `trace` has to be the same for a bare method and a decorated one. */
  readonly use: (flow: never, trace: (word: unknown) => void) => unknown;
  readonly outcome: 'completed' | 'aborted' | 'failed';
  /** Of text that was cut the last word is left out, since it may be the beginning of a secret. */
  readonly recorded: unknown;
}

type Trace = (word: unknown) => void;

async function* countUp(trace: Trace, end = 3) {
  trace('begins');
  try {
    for (let at = 1; at <= end; at += 1) {
      await nextTurn();
      const given: unknown = yield { at };
      if (given !== undefined) trace({ given });
    }
    return 'returned';
  } finally {
    trace('cleans up');
  }
}

function* countSync(trace: Trace) {
  trace('begins');
  try {
    yield 1;
    yield 2;
    return 'returned';
  } finally {
    trace('cleans up');
  }
}

async function takeAll(flow: AsyncIterable<unknown>, trace: Trace) {
  trace('not begun');
  for await (const item of flow) trace(item);
}

const text = (length: number) => 'abcdefghij'.repeat(length / 10);

function webStream(trace: Trace) {
  let at = 0;
  return new ReadableStream<unknown>({
    pull(controller) {
      at += 1;
      trace(`pull ${String(at)}`);
      if (at > 3) controller.close();
      else controller.enqueue({ at });
    },
    cancel(reason) {
      trace({ cancelled: reason });
    },
  });
}

/** As clients of language models return it: no iterator itself, and it makes one. */
class Deltas {
  readonly controller = new AbortController();
  constructor(readonly words: readonly string[]) {}
  async *[Symbol.asyncIterator]() {
    for (const word of this.words) {
      await nextTurn();
      yield word;
    }
  }
}

const failure = new RangeError('no more');

export const FLOW_PROGRAMS: Readonly<Record<string, FlowProgram>> = {
  'an async generator, taken to its end': {
    make: (trace) => countUp(trace),
    use: takeAll,
    outcome: 'completed',
    recorded: [{ at: 1 }, { at: 2 }, { at: 3 }],
  },
  'an async generator, left early': {
    make: (trace) => countUp(trace),
    use: async (flow: AsyncIterable<unknown>, trace) => {
      for await (const item of flow) {
        trace(item);
        break;
      }
    },
    outcome: 'aborted',
    recorded: [{ at: 1 }],
  },
  'an async generator that is given values and is thrown into': {
    make: (trace) => countUp(trace),
    use: async (flow: AsyncGenerator<unknown, unknown, unknown>, trace) => {
      trace(await flow.next('ignored'));
      trace(await flow.next('second'));
      await flow.throw(failure).catch((error: unknown) => trace(error === failure));
      trace(await flow.next());
    },
    outcome: 'failed',
    recorded: [{ at: 1 }, { at: 2 }],
  },
  'an async generator, asked several times at once': {
    make: (trace) => countUp(trace, 2),
    use: async (flow: AsyncGenerator, trace) => {
      for (const step of await Promise.all([flow.next(), flow.next(), flow.next(), flow.next()])) trace(step);
    },
    outcome: 'completed',
    recorded: [{ at: 1 }, { at: 2 }],
  },
  'an async generator in another': {
    make: (trace) => countUp(trace),
    use: async (flow: AsyncGenerator, trace) => {
      const outer = async function* () {
        trace({ inner: yield* flow });
      };
      for await (const item of outer()) trace(item);
    },
    outcome: 'completed',
    recorded: [{ at: 1 }, { at: 2 }, { at: 3 }],
  },
  'a generator, spread': {
    make: (trace) => countSync(trace),
    use: (flow: Generator, trace) => {
      trace('not begun');
      trace([...flow]);
    },
    outcome: 'completed',
    recorded: [1, 2],
  },
  'a generator, destructured': {
    make: (trace) => countSync(trace),
    use: (flow: Generator, trace) => {
      const [first] = flow;
      trace(first);
    },
    outcome: 'aborted',
    recorded: [1],
  },
  'an iterator of a Map': {
    make: () => new Map([['a', 1]]).entries(),
    use: (flow: Iterable<unknown>, trace) => trace([...flow]),
    outcome: 'completed',
    recorded: [['a', 1]],
  },
  'an iterator of its own making': {
    make: (trace) => ({
      left: 2,
      next() {
        const self = this as { left: number };
        trace(`next, ${String(self.left)} left`);
        self.left -= 1;
        return self.left < 0 ? { done: true, value: undefined } : { done: false, value: 'secret'.length };
      },
      [Symbol.iterator]() {
        return this;
      },
    }),
    use: (flow: Iterable<unknown>, trace) => {
      trace(Object.keys(flow));
      trace([...flow]);
    },
    outcome: 'completed',
    recorded: [6, 6],
  },
  'a frozen iterator': {
    make: () => {
      const inner = [1, 2].values();
      return Object.freeze({ next: () => inner.next(), [Symbol.iterator]: () => inner });
    },
    use: (flow: Iterable<unknown>, trace) => trace([...flow]),
    outcome: 'completed',
    recorded: '[Iterator]',
  },
  'something that makes an async iterator': {
    make: () => new Deltas(['Hel', 'lo ', '☃']),
    use: async (flow: Deltas, trace) => {
      trace(flow instanceof Deltas && flow.controller.signal.aborted);
      await takeAll(flow, trace);
    },
    outcome: 'completed',
    recorded: 'Hello ☃',
  },
  'a Node stream, iterated': {
    make: () => Readable.from([Buffer.from('one '), Buffer.from('two')], { objectMode: false }),
    use: async (flow: Readable, trace) => {
      for await (const chunk of flow) trace(String(chunk));
    },
    outcome: 'completed',
    recorded: 'one two',
  },
  'a Node stream with listeners, and bytes in it already': {
    make: () => {
      const stream = new PassThrough();
      stream.write('before ');
      setImmediate(() => stream.end('after'));
      return stream;
    },
    use: (flow: Readable, trace) =>
      new Promise((resolve) => {
        trace([flow instanceof PassThrough, flow.readableFlowing, flow.listenerCount('data')]);
        flow.once('own', trace);
        trace([flow.emit('own', 'heard'), flow.emit('own', 'not heard'), flow.emit.length]);
        flow.setEncoding('utf8');
        flow.on('data', trace);
        flow.on('end', () => trace('end'));
        flow.on('close', resolve);
      }),
    outcome: 'completed',
    recorded: 'before after',
  },
  'a Node stream, piped to one that holds back': {
    make: (trace) => {
      let pushed = 0;
      return new Readable({
        highWaterMark: 1_000,
        read() {
          pushed += 1;
          trace(`read ${String(pushed)}`);
          this.push(pushed > 20 ? null : text(500));
        },
      });
    },
    use: async (flow: Readable, trace) => {
      const slow = new PassThrough({ highWaterMark: 100 });
      const piped = pipeline(flow, slow);
      trace(slow.writableNeedDrain);
      let length = 0;
      for await (const chunk of slow) length += (chunk as Buffer).length;
      await piped;
      trace(length);
    },
    outcome: 'completed',
    recorded: text(10_000),
  },
  'a Node stream of objects': {
    make: () => Readable.from([{ id: 1 }, 'text', 'joined', { id: 2 }]),
    use: async (flow: Readable, trace) => trace(await flow.toArray()),
    outcome: 'completed',
    recorded: [{ id: 1 }, 'textjoined', { id: 2 }],
  },
  'a Node stream, read by hand': {
    make: () => Readable.from([Buffer.from('abcdef')], { objectMode: false }),
    use: (flow: Readable, trace) =>
      new Promise((resolve) => {
        flow.on('readable', () => {
          for (let chunk: unknown = flow.read(4); chunk !== null; chunk = flow.read(4)) trace(chunk);
        });
        flow.on('close', resolve);
      }),
    outcome: 'completed',
    recorded: 'abcdef',
  },
  'a Node stream, destroyed on its way': {
    make: () => Readable.from(['one two', 'three']),
    use: (flow: Readable, trace) =>
      new Promise((resolve) => {
        flow.once('data', (chunk) => {
          trace(chunk);
          flow.destroy();
        });
        flow.on('close', resolve);
      }),
    outcome: 'aborted',
    recorded: 'one',
  },
  'a Node stream that fails': {
    make: () =>
      Readable.from(
        (function* () {
          yield 'one two';
          throw failure;
        })(),
      ),
    use: async (flow: Readable, trace) => {
      try {
        for await (const chunk of flow) trace(chunk);
      } catch (error) {
        trace(error === failure);
      }
    },
    outcome: 'failed',
    recorded: 'one',
  },
  'a connection': {
    make: () => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() }),
    use: async (flow: Duplex, trace) => {
      flow.on('data', (chunk) => trace(String(chunk)));
      flow.push('from the other side');
      trace(flow.listenerCount('data'));
      await nextTurn();
    },
    outcome: 'completed',
    recorded: '[Stream]',
  },
  'a web stream, read': {
    make: webStream,
    use: async (flow: ReadableStream, trace) => {
      const reader = flow.getReader();
      trace([flow instanceof ReadableStream, flow.locked]);
      for (let step = await reader.read(); !step.done; step = await reader.read()) trace(step.value);
      reader.releaseLock();
      trace(flow.locked);
    },
    outcome: 'completed',
    recorded: [{ at: 1 }, { at: 2 }, { at: 3 }],
  },
  'a web stream, iterated and left early': {
    make: webStream,
    use: async (flow: ReadableStream, trace) => {
      for await (const chunk of flow as unknown as AsyncIterable<unknown>) {
        trace(chunk);
        break;
      }
    },
    outcome: 'aborted',
    recorded: [{ at: 1 }],
  },
  'a web stream, turned into a Node stream': {
    make: webStream,
    use: async (flow: ReadableStream, trace) =>
      trace(await Readable.fromWeb(flow as never, { objectMode: true }).toArray()),
    outcome: 'completed',
    recorded: [{ at: 1 }, { at: 2 }, { at: 3 }],
  },
  'a web stream, cancelled': {
    make: webStream,
    use: async (flow: ReadableStream) => flow.cancel('enough'),
    outcome: 'aborted',
    recorded: '[ReadableStream]',
  },
  'a web stream, split': {
    make: webStream,
    use: async (flow: ReadableStream, trace) => {
      for (const branch of flow.tee()) await takeAll(branch as never, trace);
    },
    outcome: 'aborted',
    recorded: '[ReadableStream]',
  },
  'a thenable that works only when it is asked': {
    make: (trace) => ({
      then(resolve: (value: unknown) => void) {
        trace('runs');
        resolve('row');
      },
    }),
    use: async (flow: PromiseLike<unknown>, trace) => {
      trace('not run');
      trace(await flow);
    },
    outcome: 'completed',
    recorded: '[Thenable]',
  },
  'an observable': {
    make: (trace) => ({
      pipe() {
        return this;
      },
      subscribe(observer: (value: number) => void) {
        trace('subscribed');
        observer(1);
      },
    }),
    use: (flow: { subscribe(observer: Trace): void }, trace) => {
      flow.subscribe(trace);
      flow.subscribe(trace);
    },
    outcome: 'completed',
    recorded: '[Observable]',
  },
};
