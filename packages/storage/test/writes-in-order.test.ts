import { WritesInOrder, type Run } from '../src/writes-in-order';

interface Made {
  readonly addresses: readonly string[];
  readonly way: string | undefined;
  run?: Run;
  end?: (error?: Error) => void;
  hasEnded?: boolean;
}

/** Writes that end when they are told to. */
class Writes {
  readonly begun: Made[] = [];
  readonly #order: WritesInOrder;

  constructor(timeoutMs = 60_000) {
    this.#order = new WritesInOrder(timeoutMs);
  }

  make(addresses: string, way?: string): Promise<Made> {
    const made: Made = { addresses: [...addresses], way };
    return this.#order.make(made.addresses, way, async (run) => {
      this.begun.push(Object.assign(made, { run }));
      await new Promise<void>((resolve, reject) => {
        made.end = (error) => (error === undefined ? resolve() : reject(error));
      }).finally(() => {
        made.hasEnded = true;
      });
      return made;
    });
  }

  get underWay(): Made[] {
    return this.begun.filter(({ hasEnded }) => hasEnded !== true);
  }

  async end(index: number, error?: Error): Promise<void> {
    this.begun[index]!.end!(error);
    await turn();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const namesOf = (writes: readonly Made[]): string[] =>
  writes.map(({ addresses, way = '' }) => `${addresses.join('')}${way === '' ? '' : `:${way}`}`);

/** Mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('WritesInOrder', () => {
  it('begins at once what waits for nothing, and in its turn what is made in another way', async () => {
    const writes = new Writes();
    for (const [addresses, way] of [
      ['a', 'x'],
      ['a', 'x'],
      ['b', 'y'],
      ['a', 'y'],
      ['ab'],
      ['a', 'y'],
    ] as const)
      void writes.make(addresses, way);
    expect(namesOf(writes.begun)).toEqual(['a:x', 'a:x', 'b:y']);
    await writes.end(1);
    expect(writes.begun).toHaveLength(3);
    await writes.end(0, new Error('A failure ends it, too.')).catch(() => undefined);
    expect(namesOf(writes.begun.slice(3))).toEqual(['a:y']);
    await writes.end(3);
    await writes.end(2);
    expect(namesOf(writes.begun.slice(4))).toEqual(['ab']);
    await writes.end(4);
    expect(namesOf(writes.begun.slice(5))).toEqual(['a:y']);
    await writes.end(5);
  });

  it('lets nothing join those of which one takes long after all', async () => {
    const writes = new Writes();
    void writes.make('a', 'x');
    writes.begun[0]!.run!.isLong = true;
    void writes.make('a', 'x');
    expect(writes.begun).toHaveLength(1);
    await writes.end(0);
    expect(writes.begun).toHaveLength(2);
    await writes.end(1);
  });

  describe('where writes take long', () => {
    beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate'] }));
    afterEach(() => jest.useRealTimers());

    it('refuses what waits too long, never begins it, and makes what waits behind it in its turn', async () => {
      const writes = new Writes(1_000);
      void writes.make('a', 'x');
      const late = [writes.make('a', 'y'), writes.make('a', 'z'), writes.make('ab'), writes.make('b')];
      const refused = Promise.all(
        late.map((each) => expect(each).rejects.toMatchObject({ code: 'POOL_EXHAUSTED' })),
      );
      await jest.advanceTimersByTimeAsync(600);
      const made = writes.make('a', 'y');
      await jest.advanceTimersByTimeAsync(350);
      await refused;
      expect(namesOf(writes.begun)).toEqual(['a:x']);
      await writes.end(0);
      expect(namesOf(writes.begun)).toEqual(['a:x', 'a:y']);
      await writes.end(1);
      expect(await made).toMatchObject({ way: 'y' });
      expect(writes.begun).toHaveLength(2);
    });

    it('waits no longer for what is never answered', async () => {
      const writes = new Writes(1_000);
      void writes.make('a', 'x');
      const late = expect(writes.make('a', 'y')).rejects.toMatchObject({ code: 'POOL_EXHAUSTED' });
      await jest.advanceTimersByTimeAsync(950);
      await late;
      void writes.make('a', 'z');
      expect(namesOf(writes.begun)).toEqual(['a:x']);
      await jest.advanceTimersByTimeAsync(100);
      expect(namesOf(writes.begun)).toEqual(['a:x', 'a:z']);
      await writes.end(1);
      void writes.make('a', 'y');
      expect(namesOf(writes.begun)).toEqual(['a:x', 'a:z', 'a:y']);
      await writes.end(2);
      expect(jest.getTimerCount()).toBe(0);
    });

    it('gives up what was begun late and is not answered, and lets nothing overtake it', async () => {
      const writes = new Writes(1_000);
      void writes.make('a', 'x');
      const late = expect(writes.make('a', 'y')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await jest.advanceTimersByTimeAsync(600);
      await writes.end(0);
      await jest.advanceTimersByTimeAsync(300);
      void writes.make('a', 'z');
      await jest.advanceTimersByTimeAsync(200);
      await late;
      expect(namesOf(writes.begun)).toEqual(['a:x', 'a:y']);
      await writes.end(1);
      expect(namesOf(writes.begun)).toEqual(['a:x', 'a:y', 'a:z']);
      await writes.end(2);
    });
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('keeps the order whatever comes when (%i)', async (seed) => {
    const random = randomOf(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
    const writes = new Writes();
    const made: string[][] = [];
    const all: Promise<unknown>[] = [];
    const check = (): void => {
      for (const address of 'abc') {
        const open = writes.underWay.filter(({ addresses }) => addresses.includes(address));
        const ways = new Set(open.map(({ way }) => way));
        expect(open.length > 1 ? ways.size === 1 && !ways.has(undefined) : true).toBe(true);
      }
    };
    for (let step = 0; step < 400; step += 1) {
      if (random() < 0.5) {
        const [addresses, way] =
          random() < 0.2
            ? [pick(['ab', 'bc', 'abc', 'a']), undefined]
            : [pick(['a', 'b', 'c']), pick(['x', 'y'])];
        all.push(writes.make(addresses, way).catch(() => undefined));
        made.push([addresses + (way === undefined ? '' : `:${way}`)]);
      } else if (writes.underWay.length > 0) {
        const one = pick(writes.underWay);
        if (random() < 0.1) one.run!.isLong = true;
        one.end!(random() < 0.2 ? new Error('It fails.') : undefined);
      }
      if (random() < 0.5) await Promise.resolve();
      if (random() < 0.3) await turn();
      check();
    }
    for (; writes.underWay.length > 0 || writes.begun.length < made.length; await turn())
      writes.underWay.forEach(({ end }) => end!());
    await Promise.all(all);
    for (const address of 'abc') {
      const about = (name: string): boolean => name.split(':')[0]!.includes(address);
      expect(namesOf(writes.begun).filter(about)).toEqual(made.flat().filter(about));
      // Nothing is left behind that a later one would wait for.
      const before = writes.begun.length;
      void writes.make(address, 'z');
      expect(writes.begun).toHaveLength(before + 1);
    }
  });
});
