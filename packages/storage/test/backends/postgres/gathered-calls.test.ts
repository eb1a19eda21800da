import { GatheredCalls } from '../../../src/backends/postgres/gathered-calls';

interface Call {
  readonly key: string;
  readonly n: number;
  readonly bytes?: number;
}

/** Answers when it is told to. */
class Server {
  readonly asked: string[][] = [];
  readonly #pending: { resolve: () => void; reject: (error: unknown) => void }[] = [];

  ask(calls: readonly Call[]): Promise<void> {
    this.asked.push(calls.map(({ key, n }) => `${key}${n}`));
    return new Promise((resolve, reject) => this.#pending.push({ resolve, reject }));
  }

  /** The statement that has waited longest. */
  async answer(error?: unknown): Promise<void> {
    const oldest = this.#pending.shift()!;
    if (error === undefined) oldest.resolve();
    else oldest.reject(error);
    await turn();
  }

  async answerAll(): Promise<void> {
    while (this.#pending.length > 0) await this.answer();
  }
}

const turn = async (): Promise<void> => {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
};
const call = (key: string, n = 0, bytes = 1): Call => ({ key, n, bytes });

let server: Server;
let calls: GatheredCalls<Call, number>;

beforeEach(() => {
  server = new Server();
  calls = new GatheredCalls({
    one: async (one) => {
      await server.ask([one]);
      return one.n;
    },
    many: async (several) => {
      await server.ask(several);
      return several.map(({ n }) => n);
    },
    identityOf: ({ key }) => key,
    bytesOf: ({ bytes = 1 }) => bytes,
    isOfOne: (error) => error === 'of one',
    patienceMs: 1_000,
  });
});

const makeAll = (many: readonly Call[]) => Promise.allSettled(many.map((one) => calls.make(one)));
const answersOf = (settled: readonly PromiseSettledResult<number>[]) =>
  settled.map((each) => (each.status === 'fulfilled' ? each.value : (each.reason as unknown)));
const numbered = (count: number): Call[] => Array.from({ length: count }, (_, n) => call(`k${n}-`, n));

describe('calls that are gathered', () => {
  it('go together when they are made in one turn, and each gets its own answer', async () => {
    const answers = makeAll(numbered(3));
    await turn();
    expect(server.asked).toEqual([['k0-0', 'k1-1', 'k2-2']]);
    await server.answerAll();
    expect(answersOf(await answers)).toEqual([0, 1, 2]);
  });

  it('go at once when nothing is on its way', async () => {
    const first = calls.make(call('a'));
    await Promise.resolve();
    expect(server.asked).toEqual([['a0']]);
    await server.answerAll();
    expect(await first).toBe(0);
  });

  it('go in groups of 32, at most 4 of them at once', async () => {
    const answers = makeAll(numbered(150));
    await turn();
    expect(server.asked.map(({ length }) => length)).toEqual([32, 32, 32, 32]);
    await server.answer();
    expect(server.asked.map(({ length }) => length)).toEqual([32, 32, 32, 32, 22]);
    await server.answerAll();
    expect(answersOf(await answers)).toEqual(numbered(150).map(({ n }) => n));
  });

  it('go in smaller groups when they are large', async () => {
    const answers = makeAll([call('a', 0, 200_000), call('b', 1, 200_000), call('c', 2, 20_000_000)]);
    await turn();
    expect(server.asked).toEqual([['a0'], ['b1'], ['c2']]);
    await server.answerAll();
    expect(answersOf(await answers)).toEqual([0, 1, 2]);
  });

  it('about one thing keep their order, and hold up no other', async () => {
    const first = calls.make(call('a', 1));
    await turn();
    const others = makeAll([call('a', 2), call('b', 3), call('a', 4)]);
    await turn();
    expect(server.asked).toEqual([['a1'], ['b3']]);
    await server.answer();
    expect(server.asked).toEqual([['a1'], ['b3'], ['a2', 'a4']]);
    await server.answerAll();
    expect(await first).toBe(1);
    expect(answersOf(await others)).toEqual([2, 3, 4]);
  });

  it('are tried one by one when they fail for what one of them asked', async () => {
    const answers = makeAll([call('a', 1), call('b', 2), call('c', 3)]);
    await turn();
    await server.answer('of one');
    await server.answer();
    await server.answer('of one');
    await server.answer();
    expect(server.asked).toEqual([['a1', 'b2', 'c3'], ['a1'], ['b2'], ['c3']]);
    expect(answersOf(await answers)).toEqual([1, 'of one', 3]);
  });

  it('that are tried one by one hold up neither each other nor what follows, but for their own order', async () => {
    const answers = makeAll([call('a', 1), call('b', 2)]);
    await turn();
    await server.answer('of one');
    await server.answer();
    const later = makeAll([call('b', 3), call('a', 4)]);
    await turn();
    expect(server.asked.slice(1)).toEqual([['a1'], ['b2'], ['a4']]);
    await server.answerAll();
    expect(server.asked.at(-1)).toEqual(['b3']);
    expect(answersOf(await answers)).toEqual([1, 2]);
    expect(answersOf(await later)).toEqual([3, 4]);
  });

  it('about one thing keep their order when they are tried one by one', async () => {
    const answers = makeAll([call('a', 1), call('b', 2), call('a', 3)]);
    await turn();
    await server.answer('of one');
    expect(server.asked.slice(1)).toEqual([['a1'], ['b2']]);
    await server.answerAll();
    expect(server.asked.at(-1)).toEqual(['a3']);
    expect(answersOf(await answers)).toEqual([1, 2, 3]);
  });

  it('leave room for others while they are tried one by one', async () => {
    const answers = makeAll(numbered(128));
    await turn();
    for (let group = 0; group < 4; group += 1) await server.answer('of one');
    const later = calls.make(call('later', 1));
    await turn();
    expect(server.asked.at(-1)).toEqual(['later1']);
    await server.answerAll();
    expect(await later).toBe(1);
    expect(await answers).toHaveLength(128);
  });

  it('fail together when the server does', async () => {
    const answers = makeAll([call('a', 1), call('b', 2)]);
    await turn();
    await server.answer('gone');
    expect(server.asked).toHaveLength(1);
    expect(answersOf(await answers)).toEqual(['gone', 'gone']);
    const again = calls.make(call('a', 3));
    await turn();
    await server.answer();
    expect(await again).toBe(3);
  });

  it('go on past a server that does not answer those before them', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'queueMicrotask'] });
    try {
      const stuck = makeAll(numbered(128));
      await turn();
      const later = makeAll([call('later', 1)]);
      await turn();
      expect(server.asked).toHaveLength(4);
      await jest.advanceTimersByTimeAsync(50);
      expect(server.asked.at(-1)).toEqual(['later1']);
      await server.answerAll();
      expect(answersOf(await later)).toEqual([1]);
      expect(answersOf(await stuck)).toHaveLength(128);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('do not wait for ever for one about the same thing that is never answered', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'queueMicrotask'] });
    try {
      const lost = calls.make(call('a', 1));
      await turn();
      const next = calls.make(call('a', 2));
      await jest.advanceTimersByTimeAsync(999);
      await turn();
      expect(server.asked).toEqual([['a1']]);
      await jest.advanceTimersByTimeAsync(1);
      await turn();
      expect(server.asked).toEqual([['a1'], ['a2']]);
      await server.answerAll();
      expect(await Promise.all([lost, next])).toEqual([1, 2]);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });
});
