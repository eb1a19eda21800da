import {
  copyStorage,
  createMemoryBackend,
  type Backend,
  type CopyOptions,
  type CopyProgress,
  type Item,
  type MemoryBackendOptions,
  type Value,
} from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';

const clock = new FakeClock();
const open: Backend[] = [];

async function memory(options: MemoryBackendOptions = {}): Promise<Backend> {
  const backend = createMemoryBackend({ clock, sweepIntervalMs: 0, ...options });
  await backend.open();
  open.push(backend);
  return backend;
}
afterEach(async () => {
  for (const backend of open.splice(0)) await backend.close();
});

/** Everything, as plain data. */
async function contents(backend: Backend, prefix = ''): Promise<unknown[]> {
  const found: unknown[] = [];
  const { items: partitions } = await backend.partitions(prefix, { limit: 1_000 });
  for (const partition of partitions) {
    const { items }: { items: readonly Item[] } = await backend.scan(partition, { limit: 1_000 });
    for (const item of items) {
      const values = item.type === 'list' ? await backend.range({ partition, key: item.key }) : undefined;
      found.push({ partition: partition.slice(prefix.length), ...item, values });
    }
  }
  return found;
}

const copy = (
  from: Backend,
  to: Backend,
  options: CopyOptions & { fromPrefix?: string; toPrefix?: string } = {},
) => copyStorage(from, to, { clock, ...options });

const p = (key: string) => ({ partition: 'p', key });

/** Fails from the n-th batch on, before or after it has been written. */
function failing(target: Backend, { batches, after = false }: { batches: number; after?: boolean }): Backend {
  let left = batches;
  return new Proxy(target, {
    get(backend, name) {
      const method: unknown = Reflect.get(backend, name, backend);
      if (typeof method !== 'function') return method;
      if (name !== 'batch') return method.bind(backend) as unknown;
      return async (writes: Parameters<Backend['batch']>[0]) => {
        left -= 1;
        if (left < 0 && !after) throw new Error('cut');
        const outcomes = await backend.batch(writes);
        if (left < 0) throw new Error('cut');
        return outcomes;
      };
    },
  });
}

describe('copyStorage', () => {
  it('copies values, bytes, lists, expiries and versions', async () => {
    const [from, to] = [await memory(), await memory()];
    await from.set(p('json'), { a: [1, null, '😀\0'], __proto__x: true });
    await from.set(p('bytes'), new Uint8Array([0, 255, 10]), { expiresAt: clock.now() + 5_000 });
    await from.set({ partition: 'q\0%', key: '../\u{1F600}' }, 'text', { version: 'mine' });
    await from.append(p('list'), [1, new Uint8Array([7]), { x: 1 }], { expiresAt: clock.now() + 9_000 });
    await from.append(p('list'), ['last'], { version: 'the-last' });
    const result = await copy(from, to);
    expect(await contents(to)).toEqual(await contents(from));
    expect(result).toMatchObject({ values: 3, lists: 1, elements: 4, kept: 0, expired: 0, leftOut: [] });
    expect(result.digest).toMatch(/^[0-9a-f]{64}$/);
  });

  it('copies lists longer than a page, and lists whose length is that of a page', async () => {
    const [from, to] = [await memory(), await memory()];
    const lengths = [1, 15, 16, 17, 64, 80, 1_000, 2_500];
    for (const length of lengths)
      for (let at = 0; at < length; at += 1_000)
        await from.append(p(`l${length}`), numbers(at, Math.min(at + 1_000, length)));
    await copy(from, to);
    for (const length of lengths) expect(await to.range(p(`l${length}`))).toEqual(numbers(0, length));
    expect(await contents(to)).toEqual(await contents(from));
  });

  it('puts one prefix in the place of another, and leaves other partitions alone', async () => {
    const [from, to] = [await memory(), await memory()];
    await from.set({ partition: 'app:x', key: 'k' }, 1);
    await from.set({ partition: 'ap', key: 'k' }, 2);
    await copy(from, to, { fromPrefix: 'app:', toPrefix: 'new:' });
    expect(await contents(to)).toMatchObject([{ partition: 'new:x', key: 'k', value: 1 }]);
  });

  it('refuses a target that is not empty, and writes nothing', async () => {
    const [from, to] = [await memory(), await memory()];
    await from.set(p('a'), 1);
    await to.set(p('b'), 2);
    await expect(copy(from, to)).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
    expect(await contents(to)).toMatchObject([{ key: 'b' }]);
  });

  it('with onlyMissing adds what the target has not, and keeps what it has', async () => {
    const [from, to] = [await memory(), await memory()];
    for (const key of ['a', 'b']) await from.set(p(key), `new ${key}`);
    await from.append(p('list'), ['new']);
    await from.append(p('list2'), ['new']);
    await to.set(p('a'), 'old a');
    await to.append(p('list'), ['old']);
    const result = await copy(from, to, { existing: 'onlyMissing' });
    expect(result).toMatchObject({ values: 1, lists: 1, kept: 2 });
    expect(await contents(to)).toMatchObject([
      { key: 'a', value: 'old a' },
      { key: 'b', value: 'new b' },
      { key: 'list', values: ['old'] },
      { key: 'list2', values: ['new'] },
    ]);
  });

  it('with overwrite replaces what is under the same address, values and lists in any combination', async () => {
    const [from, to] = [await memory(), await memory()];
    await from.set(p('value over value'), 'new');
    await from.set(p('value over list'), 'new');
    await from.append(p('list over value'), ['new']);
    await from.append(p('list over list'), ['new']);
    await to.set(p('value over value'), 'old', { expiresAt: clock.now() + 1_000 });
    await to.append(p('value over list'), ['old']);
    await to.set(p('list over value'), 'old');
    await to.append(p('list over list'), ['old'], { expiresAt: clock.now() + 1_000 });
    await to.set(p('zz'), 'own');
    await copy(from, to, { existing: 'overwrite' });
    const own = { partition: 'p', key: 'zz', value: 'own' };
    expect(await contents(to)).toMatchObject([...(await contents(from)), own] as object[]);
  });

  it('copied again, changes nothing and appends nothing twice', async () => {
    const [from, to] = [await memory(), await memory()];
    await from.set(p('a'), 1);
    await from.append(p('list'), numbers(0, 100));
    for (const existing of ['refuse', 'onlyMissing', 'overwrite'] as const)
      await copy(from, to, { existing });
    expect(await contents(to)).toEqual(await contents(from));
  });

  describe('that was cut off', () => {
    const fill = async (from: Backend): Promise<void> => {
      for (let partition = 0; partition < 3; partition += 1)
        for (let key = 0; key < 60; key += 1) {
          const address = { partition: `p${partition}`, key: `k${key}` };
          if (key % 7 === 0) await from.append(address, numbers(0, key === 0 ? 900 : key * 4 + 1));
          else await from.set(address, 'x'.repeat(key % 10 === 5 ? 400_000 : 10));
        }
    };

    it.each([
      ['before a batch', false],
      ['after a batch that was written', true],
    ])('%s, goes on from its token to the same end, wherever that was', async (_where, after) => {
      const from = await memory();
      await fill(from);
      const expected = await contents(from);
      const { digest } = await copy(from, await memory());
      for (let batches = 0; ; batches += 1) {
        const to = await memory();
        let last: CopyProgress | undefined;
        const onProgress = (progress: CopyProgress): void => void (last = progress);
        const run = copy(from, failing(to, { batches, after }), { onProgress });
        const isWhole = await run.then(
          () => true,
          (error: unknown) => (expect(error).toMatchObject({ message: 'cut' }), false),
        );
        if (isWhole) {
          expect(batches).toBeGreaterThan(8);
          break;
        }
        const resumeFrom = last?.token;
        const rest = resumeFrom === undefined ? { existing: 'onlyMissing' as const } : { resumeFrom };
        const result = await copy(from, to, rest);
        expect(await contents(to)).toEqual(expected);
        expect(result).toMatchObject({ values: 153, lists: 27, kept: 0, digest });
      }
    });

    it('refuses the token of another copy, and a damaged one', async () => {
      const [from, to] = [await memory(), await memory()];
      await from.set(p('a'), 1);
      let token = '';
      await copy(from, to, { onProgress: (progress) => void (token = progress.token ?? token) });
      for (const [resumeFrom, toPrefix] of [
        [token, 'x:'],
        [token.slice(1), ''],
        ['', ''],
        ['.', ''],
      ] as const)
        await expect(copy(from, to, { resumeFrom, toPrefix })).rejects.toMatchObject({
          code: 'ARGUMENT_INVALID',
        });
    });

    describe('is not gone on with', () => {
      let token = '';
      let from: Backend;
      let to: Backend;
      beforeEach(async () => {
        token = '';
        [from, to] = [await memory(), await memory()];
        await fill(from);
        const onProgress = (progress: CopyProgress): void => void (token = progress.token ?? token);
        await copy(from, failing(to, { batches: 9 }), { onProgress }).catch(() => undefined);
        expect(token).not.toBe('');
      });
      const resumed = (source: Backend, target: Backend) =>
        copy(source, target, { resumeFrom: token, verify: false });

      it('from another source, into another target, or between two others of the same kinds', async () => {
        const other = await memory();
        await fill(other);
        for (const [source, target] of [
          [other, await memory()],
          [from, await memory()],
          [other, to],
        ] as const) {
          const before = (await target.stats()).items;
          await expect(resumed(source, target)).rejects.toMatchObject({
            code: 'ARGUMENT_INVALID',
            message: expect.stringContaining('another copy'),
          });
          expect((await target.stats()).items).toBe(before);
        }
        expect(await resumed(from, to)).toMatchObject({ values: 153, lists: 27 });
        expect(await contents(to)).toEqual(await contents(from));
      });

      it('into a target that another copy from the same source has filled less far', async () => {
        const behind = await memory();
        await copy(from, failing(behind, { batches: 3 })).catch(() => undefined);
        await expect(resumed(from, behind)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
      });
    });

    it('is gone on with though somebody writes to the source, and where the target had some of it', async () => {
      const [from, to] = [await memory(), await memory()];
      for (let key = 100; key < 900; key += 1)
        await from.set(p(`${key}`), key, key === 101 ? { expiresAt: clock.now() + 100 } : {});
      await to.set(p('100'), 'own');
      let token = '';
      const onProgress = (progress: CopyProgress): void => void (token = progress.token ?? token);
      const cut = copy(from, failing(to, { batches: 1 }), { onProgress, existing: 'onlyMissing' });
      await expect(cut).rejects.toThrow('cut');
      await from.set(p('102'), 'changed');
      clock.advance(100);
      await copy(from, to, { resumeFrom: token, existing: 'onlyMissing', verify: false });
      expect((await to.stats()).items).toBe(799);
      expect(await to.get(p('100'))).toMatchObject({ value: 'own' });
    });

    it('begins a list again that has become another meanwhile', async () => {
      const [from, to] = [await memory(), await memory()];
      await from.append(p('list'), numbers(0, 100));
      await copy(from, failing(to, { batches: 2 })).catch(() => undefined);
      expect(await to.length(p('list'))).toBeGreaterThan(0);
      await from.delete(p('list'));
      await from.append(p('list'), numbers(500, 600));
      await copy(from, to, { existing: 'onlyMissing' });
      expect(await to.range(p('list'))).toEqual(numbers(500, 600));
    });
  });

  it('leaves nothing of a list that vanishes while it is read', async () => {
    for (const hasMore of [false, true]) {
      const [from, to] = [await memory(), await memory()];
      await from.append(p('list'), numbers(0, 200));
      if (hasMore) await from.set(p('more'), 1);
      let deleted = false;
      const onProgress = async ({ phase }: CopyProgress): Promise<void> => {
        if (phase === 'copy' && !deleted) deleted = await from.delete(p('list'));
      };
      await copy(from, to, { onProgress });
      expect(deleted).toBe(true);
      expect(await contents(to)).toEqual(await contents(from));
    }
  });

  it('tells before it writes what is too large for the target', async () => {
    const [from, to] = [await memory(), await memory({ maxValueBytes: 100 })];
    await from.set(p('a'), 'small');
    await from.set(p('z'), 'x'.repeat(99));
    await from.append(p('list'), ['small', new Uint8Array(101)]);
    await expect(copy(from, to)).rejects.toMatchObject({
      code: 'VALUE_TOO_LARGE',
      differences: [
        { partition: 'p', key: 'list', kind: 'tooLarge' },
        { partition: 'p', key: 'z', kind: 'tooLarge' },
      ],
    });
    expect(await contents(to)).toEqual([]);
  });

  it('leaves out what is too large when asked to, lists as a whole, and lists it', async () => {
    const [from, to] = [await memory(), await memory({ maxValueBytes: 100 })];
    await from.set(p('a'), 'small');
    await from.set(p('z'), 'x'.repeat(99));
    await from.append(p('list'), [...numbers(0, 200), new Uint8Array(101), 'end']);
    const result = await copy(from, to, { tooLarge: 'leaveOut' });
    expect(result).toMatchObject({ values: 1, lists: 0, tooLarge: 2, leftOut: [p('list'), p('z')] });
    expect(await contents(to)).toMatchObject([{ key: 'a' }]);
  });

  it('leaves out what expires on the way', async () => {
    const [from, to] = [await memory(), await memory()];
    await from.set(p('a'), 1);
    await from.set(p('b'), 1, { expiresAt: clock.now() + 100 });
    await from.append(p('c'), numbers(0, 3), { expiresAt: clock.now() + 100 });
    const slow = failing(to, { batches: 1_000 });
    const result = await copy(
      from,
      new Proxy(slow, {
        get: (backend, name) =>
          name === 'batch'
            ? async (writes: Parameters<Backend['batch']>[0]) => {
                clock.advance(100);
                return backend.batch(writes);
              }
            : (Reflect.get(backend, name) as unknown),
      }),
    );
    expect(result).toMatchObject({ values: 1, lists: 0, expired: 2 });
    expect(await contents(to)).toMatchObject([{ key: 'a' }]);
  });

  it('tells where the source was written to meanwhile, and a second copy brings it over', async () => {
    const [from, to] = [await memory(), await memory()];
    for (const key of ['a', 'b', 'c']) await from.set(p(key), 'before');
    const onProgress = async ({ phase }: CopyProgress): Promise<void> => {
      if (phase !== 'copy') return;
      await from.set(p('a'), 'after');
      await from.set(p('d'), 'new');
      await from.delete(p('b'));
    };
    await expect(copy(from, to, { onProgress })).rejects.toMatchObject({
      code: 'COPY_DIFFERS',
      differences: [
        { ...p('a'), kind: 'changed' },
        { ...p('b'), kind: 'extra' },
        { ...p('d'), kind: 'missing' },
      ],
    });
    await copy(from, to, { existing: 'overwrite' });
    expect(await contents(to)).toMatchObject([
      { key: 'a', value: 'after' },
      { key: 'b', value: 'before' },
      { key: 'c', value: 'before' },
      { key: 'd', value: 'new' },
    ]);
  });

  it('finds what the target keeps otherwise than it was told', async () => {
    const [from, to] = [await memory(), await memory()];
    await from.set(p('a'), { deep: [1, 2, { x: 'y' }] });
    const lossy = new Proxy(to, {
      get: (backend, name) => {
        const method: unknown = Reflect.get(backend, name, backend);
        if (typeof method !== 'function') return method;
        if (name !== 'batch') return method.bind(backend) as unknown;
        return (writes: Parameters<Backend['batch']>[0]) =>
          backend.batch(
            writes.map((write) => ({ ...write, value: { deep: [1, 2, { x: 'z' }] } as Value }) as never),
          );
      },
    });
    await expect(copy(from, lossy)).rejects.toMatchObject({
      code: 'COPY_DIFFERS',
      differences: [{ ...p('a'), kind: 'damaged' }],
    });
  });

  it('ends when its signal does, and can be gone on with', async () => {
    const [from, to] = [await memory(), await memory()];
    for (let key = 0; key < 1_200; key += 1) await from.set(p(`${key}`), key);
    const abort = new AbortController();
    let token: string | undefined;
    const onProgress = (progress: CopyProgress): void => {
      token = progress.token;
      abort.abort(new Error('enough'));
    };
    await expect(copy(from, to, { onProgress, signal: abort.signal })).rejects.toThrow('enough');
    expect((await to.stats()).items).toBeLessThan(1_200);
    await copy(from, to, { resumeFrom: token! });
    expect(await contents(to)).toEqual(await contents(from));
  });

  it('refuses to copy a backend into itself', async () => {
    const from = await memory();
    await expect(copy(from, from)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
  });
});

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
