import { GatheredOverwrites } from '../../../src/backends/redis/gathered-overwrites';
import type { RedisClient } from '../../../src/backends/redis/redis-client';

/** A server that knows items, and notes what it is sent: the names of each command. */
function open(items: Record<string, string>) {
  const sent: string[][] = [];
  let refusal: Error | undefined;
  const write = (name: string, record: unknown): boolean => {
    if (!Object.hasOwn(items, name)) return false;
    items[name] = String(record);
    return true;
  };
  const client = {
    set: async (name: string, record: string | Buffer) => {
      sent.push([name]);
      if (refusal !== undefined) throw refusal;
      return write(name, record) ? 'OK' : null;
    },
    evalBuffer: async (_lua: string, count: number, ...rest: unknown[]) => {
      const names = rest.slice(0, count) as string[];
      sent.push(names);
      if (refusal !== undefined) throw refusal;
      return names.flatMap((name, place) => (write(name, rest[count + place]) ? [] : [place]));
    },
  };
  const overwrites = new GatheredOverwrites(() => client as unknown as RedisClient);
  return { overwrites, sent, items, refuse: (error: Error) => void (refusal = error) };
}

describe('GatheredOverwrites', () => {
  it('sends in one command what is overwritten in one turn, and tells of each whether it was there', async () => {
    const { overwrites, sent, items } = open({ a: '0', b: '0', d: '0' });
    const make = async (name: string): Promise<boolean> => {
      await Promise.resolve();
      return overwrites.make(name, `${name}1`);
    };
    expect(await Promise.all(['a', 'b', 'c', 'd'].map(make))).toEqual([true, true, false, true]);
    expect(sent).toEqual([['a', 'b', 'c', 'd']]);
    expect(items).toEqual({ a: 'a1', b: 'b1', d: 'd1' });
    expect(await Promise.all([make('a')])).toEqual([true]);
    expect(await overwrites.make('c', '')).toBe(false);
    expect(sent.slice(1)).toEqual([['a'], ['c']]);
  });

  it('notes the expiry of each that has one, in one command with those that have none', async () => {
    const evalBuffer = jest.fn(async (..._given: unknown[]) => [1]);
    const overwrites = new GatheredOverwrites(() => ({ evalBuffer }) as unknown as RedisClient);
    const expiry = { expiries: 'e', key: 'k', expiresAt: 2_000, ttlMs: 62_000 };
    const made = [overwrites.make('a', 'A', expiry), overwrites.make('b', 'B')];
    expect(await Promise.all(made)).toEqual([true, false]);
    expect(await overwrites.make('c', 'C', expiry)).toBe(true);
    expect(evalBuffer.mock.calls.map((given) => given.slice(1))).toEqual([
      [4, 'a', 'e', 'b', 'b', 'A', 'k', 2_000, 62_000, 'B', '', '', ''],
      [2, 'c', 'e', 'C', 'k', 2_000, 62_000],
    ]);
  });

  it('leaves the last of several to one name', async () => {
    const { overwrites, items } = open({ a: '0' });
    await Promise.all([1, 2, 3].map((value) => overwrites.make('a', String(value))));
    expect(items).toEqual({ a: '3' });
  });

  it('sends what waits before another command goes', async () => {
    const { overwrites, sent } = open({ a: '0', b: '0' });
    const made = [overwrites.make('a', '1'), overwrites.make('b', '1')];
    overwrites.send();
    expect(sent).toEqual([['a', 'b']]);
    overwrites.send();
    expect(await Promise.all(made)).toEqual([true, true]);
    expect(sent).toHaveLength(1);
  });

  it('makes no command long, of however many there are', async () => {
    const names = Array.from({ length: 20 }, (_, place) => `k${place}`);
    const { overwrites, sent } = open(Object.fromEntries(names.map((name) => [name, ''])));
    await Promise.all(names.map((name) => overwrites.make(name, 'short')));
    expect(sent.flat()).toEqual(names);
    expect(Math.max(...sent.map(({ length }) => length))).toBe(8);
    sent.length = 0;
    await Promise.all(names.map((name) => overwrites.make(name, 'long'.repeat(1_024))));
    expect(sent.map(({ length }) => length)).toEqual(Array.from({ length: 10 }, () => 2));
  });

  it('fails all that the server refuses', async () => {
    const { overwrites, refuse } = open({ a: '0', b: '0' });
    const refusal = new Error('OOM');
    refuse(refusal);
    const together = await Promise.allSettled([overwrites.make('a', '1'), overwrites.make('b', '1')]);
    expect(together).toEqual(Array.from({ length: 2 }, () => ({ status: 'rejected', reason: refusal })));
    await expect(overwrites.make('a', '1')).rejects.toBe(refusal);
  });
});
