import type { Item } from '../../src/backend';
import { createCacheBackend } from '../../src/cache/create-cache-backend';
import { StorageError } from '../../src/errors';
import { describeBackend, FakeClock } from '../../src/testing';
import { unavailable } from '../faulty-backend';
import { at, openRig, type Rig } from './rig';

let rigs: Rig[] = [];

async function open(options?: Parameters<typeof openRig>[0]): Promise<Rig> {
  const rig = await openRig(options);
  rigs.push(rig);
  return rig;
}

const typesOf = (rig: Rig): string[] => rig.events.map(({ type }) => type);
const NOT_KNOWN = { code: 'UNAVAILABLE', message: expect.stringContaining('cannot be known') };

describe('FallbackBackend', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(async () => {
    for (const rig of rigs) await rig.backend.close().catch(() => undefined);
    rigs = [];
    jest.useRealTimers();
  });

  describe('while its backend can be reached', () => {
    it('touches no other', async () => {
      const { backend, standIns, events } = await open();
      standIns[0]!.faults.calls.length = 0;
      await backend.set(at('a'), 1);
      expect(await backend.get(at('a'))).toMatchObject({ value: 1 });
      expect(standIns[0]?.faults.calls).toEqual([]);
      expect(events).toEqual([]);
      expect(backend.state).toEqual({ servedBy: 'primary', isDegraded: false, pendingWrites: 0 });
    });

    it.each(['CONFLICT', 'WRONG_TYPE', 'CAPACITY_EXCEEDED', 'POOL_EXHAUSTED', 'CORRUPT'] as const)(
      'takes no %s for an outage',
      async (code) => {
        const { backend, primary, events } = await open();
        primary.next.push(new StorageError(code, 'No.'));
        await expect(backend.set(at('a'), 1)).rejects.toMatchObject({ code });
        expect(events).toEqual([]);
      },
    );

    it('goes where it was told, whatever the caller makes of the address afterwards', async () => {
      const { backend } = await open();
      const address = { partition: 'p', key: '' };
      const made = ['a', 'b', 'c'].map((key) => {
        address.key = key;
        return backend.set(address, key);
      });
      await Promise.all(made);
      expect((await backend.keys('p')).items).toEqual(['a', 'b', 'c']);
      address.key = 'a';
      const found = backend.get(address);
      const deleted = backend.delete(address);
      const given = { type: 'delete' as const, ...at('b') };
      const outcomes = backend.batch([given]);
      address.key = given.key = 'c';
      expect([(await found)?.value, await deleted, await outcomes]).toEqual([
        ...['a', true],
        [{ status: 'deleted' }],
      ]);
      expect((await backend.keys('p')).items).toEqual(['c']);
    });

    it('takes one operation that fails for no outage while others work', async () => {
      const { backend, primary, events } = await open();
      primary.next.push(unavailable());
      await expect(backend.get(at('a'))).resolves.toBeUndefined();
      primary.next.push(unavailable(), unavailable());
      await expect(backend.get(at('a'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      primary.next.push(unavailable('ECONNREFUSED'));
      await expect(backend.set(at('a'), 1)).resolves.toEqual(expect.any(String));
      expect(events).toEqual([]);
    });

    it('tells what became of each of a batch, and makes none of them again, while it is well', async () => {
      const { backend, primary, behind, events } = await open();
      const batch = behind.batch.bind(behind);
      jest.spyOn(behind, 'batch').mockImplementation(async (writes) => {
        const [made] = await batch(writes.slice(0, 1));
        await behind.set(at('a'), 'theirs');
        return [made!, { status: 'failed', error: unavailable('40P01') }];
      });
      const outcomes = await backend.batch([
        { type: 'set', ...at('a'), value: 'ours' },
        { type: 'set', ...at('b'), value: 1 },
      ]);
      expect(outcomes).toMatchObject([{ status: 'written' }, { status: 'failed' }]);
      expect(await behind.get(at('a'))).toMatchObject({ value: 'theirs' });
      expect(primary.calls.filter((method) => method === 'batch')).toHaveLength(1);
      expect(events).toEqual([]);
    });

    it('makes a write once that may have been made: another may have written since', async () => {
      const { backend, primary, events } = await open();
      primary.lostAnswers.push(unavailable('ECONNRESET'));
      await expect(backend.set(at('a'), 'ours')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(primary.calls.filter((method) => method === 'set')).toHaveLength(1);
      expect(events).toEqual([]);
    });
  });

  describe('while its backend is away', () => {
    it('keeps what is written, and says that it is degraded', async () => {
      const { backend, primary, events, clock } = await open();
      primary.isDown = true;
      await backend.set(at('a'), { b: [1] });
      expect(await backend.get(at('a'))).toMatchObject({ value: { b: [1] } });
      expect(backend.state).toEqual({
        ...{ servedBy: 'stand-in', isDegraded: true, degradedSince: clock.now(), pendingWrites: 1 },
      });
      expect(events).toEqual([
        { type: 'degraded', from: 'primary', to: 'stand-in', error: expect.any(StorageError) },
      ]);
      expect(await backend.health()).toMatchObject({ healthy: true });
    });

    it('switches once for a hundred operations that fail at the same time', async () => {
      const { backend, primary, events } = await open();
      primary.isDown = true;
      await Promise.all(Array.from({ length: 100 }, (_, n) => backend.set(at(`k${n}`), n)));
      expect(events).toHaveLength(1);
      expect(backend.state.pendingWrites).toBe(100);
    });

    // Whoever takes an unknown history for an empty one and saves it erases it.
    it('never answers that something is not there when nobody can know', async () => {
      const { backend, primary } = await open();
      await backend.set(at('old'), 1);
      await backend.append(at('list'), [1, 2]);
      primary.isDown = true;
      await expect(backend.get(at('old'))).rejects.toMatchObject(NOT_KNOWN);
      await expect(backend.get(at('none'))).rejects.toMatchObject(NOT_KNOWN);
      await backend.set(at('new'), 1);
      await expect(backend.getMany([at('new'), at('old')])).rejects.toMatchObject(NOT_KNOWN);
      expect(await backend.getMany([at('new')])).toMatchObject([{ value: 1 }]);
      await backend.append(at('list'), [3]);
      await expect(backend.range(at('list'))).rejects.toMatchObject(NOT_KNOWN);
      await expect(backend.length(at('list'))).rejects.toMatchObject(NOT_KNOWN);
      await expect(backend.scan('p')).rejects.toMatchObject(NOT_KNOWN);
      await expect(backend.keys('p')).rejects.toMatchObject(NOT_KNOWN);
      await expect(backend.partitions()).rejects.toMatchObject(NOT_KNOWN);
      await expect(backend.query('p', [])).rejects.toMatchObject(NOT_KNOWN);
      await expect(backend.stats()).rejects.toMatchObject(NOT_KNOWN);
    });

    it('knows what was written and deleted since', async () => {
      const { backend, primary, clock } = await open();
      await backend.set(at('a'), 'before');
      await backend.append(at('l'), ['before']);
      primary.isDown = true;
      await backend.delete(at('a'));
      expect(await backend.get(at('a'))).toBeUndefined();
      await backend.delete(at('l'));
      await backend.append(at('l'), ['after']);
      expect(await backend.range(at('l'))).toEqual(['after']);
      expect(await backend.length(at('l'))).toBe(1);
      await backend.set(at('t'), 1, { expiresAt: clock.now() + 10 });
      clock.advance(10);
      expect(await backend.get(at('t'))).toBeUndefined();
    });

    it('gives what there is where that was asked for, and nothing of its own', async () => {
      const { backend, primary } = await open({ reads: 'partial' });
      await backend.set(at('old'), 1);
      primary.isDown = true;
      expect(await backend.get(at('old'))).toBeUndefined();
      await backend.set(at('new'), 1);
      expect((await backend.scan('p')).items.map(({ key }) => key)).toEqual(['new']);
      expect(await backend.keys('p')).toEqual({ items: ['new'], isPartial: true });
      expect((await backend.partitions()).items).toEqual(['p']);
    });

    it('does not take for cleared what its backend still has', async () => {
      const { backend, primary, advance } = await open({ reads: 'partial' });
      const cache = createCacheBackend(backend);
      await cache.set('session:1', 'signed in');
      primary.isDown = true;
      await cache.set('session:2', 'signed in');
      await expect(cache.clear()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      primary.isDown = false;
      await advance(30_000);
      expect(await cache.keys()).toEqual(['session:1']);
      await cache.clear();
      expect(await cache.keys()).toEqual([]);
    });

    it.each(['known', 'partial'] as const)(
      'decides no condition on what nobody can know (%s)',
      async (reads) => {
        const { backend, primary } = await open({ reads });
        const version = await backend.set(at('a'), 1);
        primary.isDown = true;
        await expect(backend.set(at('a'), 2, { ifVersion: version! })).rejects.toMatchObject(NOT_KNOWN);
        await expect(backend.set(at('lock'), 1, { ifAbsent: true })).rejects.toMatchObject(NOT_KNOWN);
        await expect(backend.delete(at('a'), { ifVersion: version! })).rejects.toMatchObject(NOT_KNOWN);
        expect(backend.state.pendingWrites).toBe(0);
      },
    );

    it('decides conditions on what was written since', async () => {
      const { backend, primary } = await open();
      primary.isDown = true;
      const first = await backend.set(at('a'), 1);
      expect(await backend.set(at('a'), 2, { ifAbsent: true })).toBeUndefined();
      const second = await backend.set(at('a'), 2, { ifVersion: first! });
      await expect(backend.set(at('a'), 3, { ifVersion: first! })).rejects.toMatchObject({
        code: 'CONFLICT',
      });
      expect(await backend.delete(at('a'), { ifVersion: second! })).toBe(true);
      expect(await backend.set(at('a'), 4, { ifAbsent: true })).toEqual(expect.any(String));
    });

    it('lets one of many with the same condition through', async () => {
      const { backend, primary } = await open();
      primary.isDown = true;
      await backend.delete(at('lock'));
      const all = Array.from({ length: 20 }, (_, n) => backend.set(at('lock'), n, { ifAbsent: true }));
      const won = (await Promise.all(all)).filter((version) => version !== undefined);
      expect(won).toHaveLength(1);
    });

    it('takes wrong arguments no better than its backend', async () => {
      const { backend, primary, clock } = await open();
      primary.isDown = true;
      await expect(backend.set(at(''), 1)).rejects.toMatchObject({ code: 'KEY_INVALID' });
      await expect(backend.set(at('a'), undefined as never)).rejects.toMatchObject({ code: 'VALUE_INVALID' });
      await expect(backend.set(at('a'), new Date() as never)).rejects.toMatchObject({
        code: 'VALUE_INVALID',
      });
      await expect(backend.set(at('a'), 1, { expiresAt: clock.now() })).rejects.toMatchObject({
        code: 'ARGUMENT_INVALID',
      });
      const misspelt: object = { ifVersoin: 'x' };
      for (const refused of [
        backend.set(at('a'), 1, misspelt),
        backend.delete(at('a'), misspelt),
        backend.append(at('l'), [1], { ttl: 5 } as never),
        backend.append(at('l'), 'ab' as never),
        backend.batch('ab' as never),
      ])
        await expect(refused).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
      expect(await backend.batch([{ type: 'set', ...at('a'), value: 1, ...misspelt }])).toMatchObject([
        { status: 'failed', error: { code: 'ARGUMENT_INVALID' } },
      ]);
      await backend.set(at('a'), 1);
      await expect(backend.append(at('a'), [1])).rejects.toMatchObject({ code: 'WRONG_TYPE' });
      expect(backend.state.pendingWrites).toBe(1);
    });

    it('moves on to the next when that which took over fails too', async () => {
      const { backend, primary, standIns, events } = await open({ standIns: 2 });
      primary.isDown = true;
      await backend.set(at('a'), 1);
      standIns[0]!.faults.isDown = true;
      await backend.set(at('b'), 2);
      expect(events).toMatchObject([{ to: 'stand-in' }, { type: 'degraded', to: 'stand-in 2' }]);
      expect(await backend.get(at('b'))).toMatchObject({ value: 2 });
      standIns[1]!.faults.isDown = true;
      await expect(backend.set(at('c'), 3)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    });

    it("replays what the next took after what the first took, and takes none of it for somebody else's", async () => {
      const { backend, behind, primary, standIns, events, advance } = await open({ standIns: 2 });
      primary.isDown = true;
      for (const key of ['a', 'b', 'c']) await backend.set(at(key), 'first');
      await backend.append(at('l'), [1]);
      standIns[0]!.faults.isDown = true;
      await backend.set(at('a'), 'second');
      await backend.delete(at('b'));
      await backend.append(at('l'), [2]);
      await behind.set(at('c'), 'theirs');
      await backend.set(at('c'), 'second');
      standIns[0]!.faults.isDown = false;
      primary.isDown = false;
      await advance(30_000);
      expect(await behind.getMany([at('a'), at('b'), at('c')])).toMatchObject([
        { value: 'second' },
        undefined,
        { value: 'theirs' },
      ]);
      expect(await behind.range(at('l'))).toEqual([1, 2]);
      expect(events.filter(({ type }) => type === 'conflict')).toMatchObject([
        { write: { key: 'c', value: 'first' } },
        { write: { key: 'c', value: 'second' } },
      ]);
    });

    it("takes nothing for somebody else's either when its backend went away while the first's was replayed", async () => {
      const { backend, behind, primary, standIns, events, advance } = await open({ standIns: 2 });
      primary.isDown = true;
      // More than are replayed at the same time.
      for (let n = 0; n < 20; n += 1) await backend.set(at(n === 1 ? 'a' : `other${n}`), 'first');
      standIns[0]!.faults.isDown = true;
      await backend.set(at('a'), 'second');
      standIns[0]!.faults.isDown = false;
      primary.isDown = false;
      primary.before = async (method) => {
        if (method === 'set' && (await behind.get(at('a'))) !== undefined) primary.isDown = true;
      };
      await advance(12_000);
      expect(backend.state.isDegraded).toBe(true);
      expect((await behind.get(at('a')))?.value).toBe('first');
      primary.before = undefined;
      primary.isDown = false;
      await advance(30_000);
      expect(typesOf({ events } as Rig)).toEqual(['degraded', 'degraded', 'recovered']);
      expect((await behind.get(at('a')))?.value).toBe('second');
    });

    it('lets no other take over when it is there again in a moment', async () => {
      const { backend, primary, events } = await open({ graceMs: 500 });
      primary.isDown = true;
      const reads = Promise.all([backend.get(at('a')), backend.get(at('b'))]);
      await jest.advanceTimersByTimeAsync(450);
      primary.isDown = false;
      await jest.advanceTimersByTimeAsync(50);
      expect(await reads).toEqual([undefined, undefined]);
      expect(events).toEqual([]);
      primary.isDown = true;
      const write = backend.set(at('a'), 1);
      await jest.advanceTimersByTimeAsync(600);
      await write;
      expect(events).toMatchObject([{ type: 'degraded' }]);
    });

    it('passes a failure on when nothing can take over', async () => {
      const { backend, primary, standIns, events } = await open();
      primary.isDown = true;
      standIns[0]!.faults.isDown = true;
      await expect(backend.set(at('a'), 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(events).toEqual([]);
    });

    // It may be in the list already, and would be there twice.
    it('keeps no append that its backend may have taken', async () => {
      const { backend, primary, behind } = await open();
      primary.lostAnswers.push(unavailable('ECONNRESET'));
      primary.calls.length = 0;
      primary.before = () => void (primary.isDown = primary.calls.length > 1);
      await expect(backend.append(at('l'), [1])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(await behind.range(at('l'))).toEqual([1]);
      expect(backend.state.pendingWrites).toBe(0);
    });
  });

  describe('when its backend is back', () => {
    it('replays everything in its order', async () => {
      const { backend, primary, behind, advance, events, clock } = await open();
      await backend.set(at('b'), 'before');
      await backend.append(at('l'), ['before']);
      primary.isDown = true;
      await backend.append(at('l'), ['one']);
      const version = await backend.set(at('a'), 1);
      await backend.append(at('l'), ['two', 'three']);
      await backend.set(at('a'), 2, { ifVersion: version!, expiresAt: clock.now() + 60_000 });
      await backend.delete(at('b'));
      await backend.set(at('x', 'other'), Uint8Array.of(0, 255));
      await backend.batch([
        { ...at('m'), type: 'append', values: [1] },
        { ...at('m'), type: 'append', values: [2] },
        { ...at('gone'), type: 'set', value: 1 },
        { ...at('gone'), type: 'delete' },
      ]);
      expect(backend.state.pendingWrites).toBe(10);
      primary.isDown = false;
      await advance(12_000);
      expect(backend.state).toEqual({ servedBy: 'primary', isDegraded: false, pendingWrites: 0 });
      expect(await behind.range(at('l'))).toEqual(['before', 'one', 'two', 'three']);
      expect(await behind.get(at('a'))).toMatchObject({ value: 2, expiresAt: expect.any(Number) });
      expect(await behind.get(at('b'))).toBeUndefined();
      expect(await behind.get(at('x', 'other'))).toMatchObject({ value: Uint8Array.of(0, 255) });
      expect(await behind.range(at('m'))).toEqual([1, 2]);
      expect(await behind.get(at('gone'))).toBeUndefined();
      expect(typesOf({ events } as Rig)).toEqual(['degraded', 'recovered']);
      expect(events[1]).toMatchObject({ replayed: 10, conflicts: 0, to: 'primary' });
    });

    it('forgets what it knew, for the next time', async () => {
      const { backend, primary, behind, advance, standIns } = await open();
      primary.isDown = true;
      await backend.set(at('a'), 'first outage');
      primary.isDown = false;
      await advance(12_000);
      await behind.set(at('a'), 'since');
      expect((await standIns[0]!.inner.partitions()).items).toEqual([]);
      primary.isDown = true;
      await expect(backend.get(at('a'))).rejects.toMatchObject(NOT_KNOWN);
    });

    it('leaves what others have written later, and reports it with both', async () => {
      const { backend, primary, behind, advance, events } = await open();
      const item = async (key: string): Promise<Item | undefined> =>
        (await behind.scan('p', { range: { gte: key, lte: key } })).items[0];
      await backend.set(at('a'), 'before');
      await backend.set(at('b'), 'before');
      await backend.set(at('c'), 'before');
      primary.isDown = true;
      await backend.set(at('a'), 'ours');
      await backend.set(at('a'), 'ours again');
      await backend.delete(at('b'));
      await backend.append(at('n'), ['ours']);
      await backend.set(at('c'), 'ours');
      await behind.set(at('a'), 'theirs');
      await behind.set(at('b'), 'theirs');
      await behind.set(at('n'), 'theirs');
      primary.isDown = false;
      await advance(12_000);
      expect([await item('a'), await item('b'), await item('n'), await item('c')]).toMatchObject([
        ...[{ value: 'theirs' }, { value: 'theirs' }, { value: 'theirs' }, { value: 'ours' }],
      ]);
      const conflicts = events.filter(({ type }) => type === 'conflict');
      expect(conflicts).toMatchObject([
        { write: { key: 'a', value: 'ours' }, theirs: { value: 'theirs' } },
        { write: { key: 'a', value: 'ours again' }, theirs: { value: 'theirs' } },
        { write: { key: 'b', type: 'delete' }, theirs: { value: 'theirs' } },
        { write: { key: 'n', values: ['ours'] }, theirs: { value: 'theirs' } },
      ]);
      expect(events.at(-1)).toMatchObject({ type: 'recovered', replayed: 1, conflicts: 4 });
    });

    it('takes no version of a caller for a time: what was acknowledged meanwhile is applied', async () => {
      const { backend, primary, behind, advance, events } = await open();
      for (const version of ['v1', '~', '0', 'FFFFFFFF-FFFF-7FFF-BFFF-FFFFFFFFFFFF'])
        await backend.set(at(version), 'before', { version });
      await backend.set(at('deleted'), 'before', { version: 'v1' });
      await backend.set(at('twice'), 'before', { version: 'v1' });
      primary.isDown = true;
      for (const key of ['v1', '~', '0', 'FFFFFFFF-FFFF-7FFF-BFFF-FFFFFFFFFFFF'])
        await backend.set(at(key), 'acknowledged');
      await backend.delete(at('deleted'));
      await backend.set(at('twice'), 'first', { version: 'v2' });
      await backend.set(at('twice'), 'acknowledged', { ifVersion: 'v2', version: 'v3' });
      primary.isDown = false;
      await advance(12_000);
      expect(events.at(-1)).toMatchObject({ type: 'recovered', replayed: 7, conflicts: 0 });
      const { items } = await behind.scan('p');
      expect(items.map((item) => [item.key, item.type === 'value' && item.value])).toEqual(
        ['0', 'FFFFFFFF-FFFF-7FFF-BFFF-FFFFFFFFFFFF', 'twice', 'v1', '~'].map((key) => [key, 'acknowledged']),
      );
    });

    it('adds to lists that others have added to', async () => {
      const { backend, primary, behind, advance } = await open();
      primary.isDown = true;
      await backend.append(at('l'), ['ours']);
      await behind.append(at('l'), ['theirs']);
      primary.isDown = false;
      await advance(12_000);
      expect(await behind.range(at('l'))).toEqual(['theirs', 'ours']);
    });

    it('recognises a write that had arrived after all', async () => {
      const { backend, primary, behind, advance, events } = await open();
      // The answer gets lost, and so does the connection.
      primary.lostAnswers.push(unavailable('ECONNRESET'));
      primary.before = (method) => {
        if (method === 'set') primary.illness = unavailable('ECONNRESET');
      };
      const version = await backend.set(at('a'), 1);
      expect(backend.state.isDegraded).toBe(true);
      expect(await behind.get(at('a'))).toMatchObject({ version });
      primary.before = undefined;
      primary.illness = undefined;
      await advance(12_000);
      expect(await behind.get(at('a'))).toMatchObject({ value: 1, version });
      expect(events.at(-1)).toMatchObject({ type: 'recovered', replayed: 1, conflicts: 0 });
    });

    it('makes no write twice that it could not strike off its journal', async () => {
      const { backend, primary, standIns, behind, advance, events } = await open();
      primary.isDown = true;
      const version = await backend.set(at('a'), 1);
      await backend.append(at('l'), [1]);
      primary.isDown = false;
      let struck = 0;
      standIns[0]!.faults.before = (method) => {
        if (method !== 'delete') return;
        struck += 1;
        // Once of each entry.
        if (struck === 1 || struck === 3) throw unavailable();
      };
      await advance(60_000);
      expect(events.at(-1)).toMatchObject({ type: 'recovered', conflicts: 0 });
      expect(await behind.get(at('a'))).toMatchObject({ version });
      expect(await behind.range(at('l'))).toEqual([1]);
    });

    it('takes away what was replaced by something that has expired since', async () => {
      const { backend, primary, behind, advance, clock } = await open();
      await backend.set(at('a'), 'before');
      primary.isDown = true;
      await backend.set(at('a'), 'short', { expiresAt: clock.now() + 5_000 });
      await advance(5_000);
      primary.isDown = false;
      await advance(12_000);
      expect(await behind.get(at('a'))).toBeUndefined();
    });

    it('reports a write that its backend does not take, and goes on', async () => {
      const { backend, primary, behind, advance, events } = await open();
      primary.isDown = true;
      await backend.set(at('a'), 1);
      await backend.set(at('b'), 2);
      primary.isDown = false;
      primary.before = (method) => {
        if (method !== 'set') return;
        primary.before = undefined;
        throw new StorageError('VALUE_TOO_LARGE', 'Too large.');
      };
      await advance(12_000);
      expect(events[1]).toMatchObject({
        type: 'conflict',
        write: { key: 'a' },
        error: { code: 'VALUE_TOO_LARGE' },
      });
      expect(await behind.get(at('b'))).toMatchObject({ value: 2 });
    });

    it.each(['CAPACITY_EXCEEDED', 'ACCESS_DENIED'] as const)(
      'keeps what a backend that is %s in the middle would not take',
      async (code) => {
        const { backend, primary, behind, advance, events, errors } = await open();
        primary.isDown = true;
        for (let n = 0; n < 40; n += 1) await backend.set(at(`k${n}`), n);
        primary.isDown = false;
        let writes = 0;
        primary.before = (method) => {
          if (method === 'set' && ++writes > 20) throw new StorageError(code, 'It takes no more.');
        };
        await advance(12_000);
        expect(backend.state).toMatchObject({ isDegraded: true });
        expect(backend.state.pendingWrites).toBeGreaterThanOrEqual(20);
        expect(errors).toContainEqual(expect.objectContaining({ code }));
        primary.before = undefined;
        await advance(25_000);
        expect((await behind.keys('p')).items).toHaveLength(40);
        expect(typesOf({ events } as Rig)).toEqual(['degraded', 'recovered']);
      },
    );

    it('replays writes to several keys at the same time, and those to one in their order', async () => {
      const { backend, primary, behind, advance } = await open();
      primary.isDown = true;
      for (let n = 0; n < 60; n += 1) await backend.append(at(`l${n % 6}`), [n]);
      primary.isDown = false;
      let underWay = 0;
      let most = 0;
      primary.before = async (method) => {
        if (method !== 'append') return;
        most = Math.max(most, ++underWay);
        for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
        underWay -= 1;
      };
      await advance(12_000);
      expect(most).toBe(6);
      for (let list = 0; list < 6; list += 1)
        expect(await behind.range(at(`l${list}`))).toEqual(
          Array.from({ length: 10 }, (_, place) => place * 6 + list),
        );
    });

    it('stays where it is when the backend goes away in the middle, and ends it later', async () => {
      const { backend, primary, behind, advance, events } = await open();
      primary.isDown = true;
      for (let n = 0; n < 150; n += 1) await backend.append(at('l'), [n]);
      primary.isDown = false;
      primary.before = async (method) => {
        if (method === 'append' && (await behind.length(at('l'))) >= 60) primary.isDown = true;
      };
      await advance(12_000);
      expect(backend.state).toMatchObject({ isDegraded: true, pendingWrites: 90 });
      await backend.append(at('l'), [150]);
      primary.before = undefined;
      primary.isDown = false;
      await advance(25_000);
      expect(await behind.range(at('l'))).toEqual(Array.from({ length: 151 }, (_, n) => n));
      expect(typesOf({ events } as Rig)).toEqual(['degraded', 'recovered']);
    });

    it('lets operations wait at most for the last few writes, and loses none of them', async () => {
      const { backend, primary, behind, advance } = await open();
      primary.isDown = true;
      await backend.append(at('l'), [0]);
      primary.isDown = false;
      let next = 1;
      const appended: Promise<number>[] = [];
      primary.before = (method) => {
        // During the replay, others go on.
        if (method === 'append' && next < 200) appended.push(backend.append(at('l'), [next++]));
      };
      await advance(12_000);
      primary.before = undefined;
      await advance(12_000);
      await Promise.all(appended);
      expect(backend.state.isDegraded).toBe(false);
      expect(await behind.range(at('l'))).toEqual(Array.from({ length: next }, (_, n) => n));
    });

    // A server that had come back without its tables was waited for without a word.
    it('tells once why a backend that answers is not back, and nothing of one that is still gone', async () => {
      const { backend, primary, advance, errors } = await open();
      primary.isDown = true;
      await backend.set(at('a'), 1);
      await advance(30_000);
      expect(errors).toEqual([]);
      primary.illness = unavailable('42P01');
      primary.isDown = false;
      await advance(30_000);
      expect(errors).toEqual([primary.illness]);
      expect(backend.state).toMatchObject({ isDegraded: true, pendingWrites: 1 });
      primary.illness = undefined;
      await advance(12_000);
      expect(backend.state).toMatchObject({ isDegraded: false, pendingWrites: 0 });
      primary.isDown = true;
      await backend.set(at('a'), 2);
      primary.illness = unavailable('42P01');
      primary.isDown = false;
      await advance(5_000);
      expect(errors).toHaveLength(2);
    });

    it('tells once why what it was given cannot be replayed', async () => {
      const { backend, primary, advance, errors } = await open();
      primary.isDown = true;
      await backend.append(at('a'), [1]);
      primary.isDown = false;
      primary.before = (method) => {
        if (method === 'append') throw unavailable('42P01');
      };
      await advance(60_000);
      expect(errors).toEqual([expect.objectContaining({ code: 'UNAVAILABLE' })]);
      primary.before = undefined;
      await advance(30_000);
      expect(backend.state).toMatchObject({ isDegraded: false, pendingWrites: 0 });
    });
  });

  describe('with a backend that flaps', () => {
    it('switches at most six times in a minute of 200 ms down and 200 ms up, and loses nothing', async () => {
      const { backend, primary, behind, advance, events } = await open();
      const written: number[] = [];
      for (let n = 0; n < 300; n += 1) {
        primary.isDown = n % 2 === 0;
        await backend.append(at('l'), [n]).then(() => written.push(n));
        await backend.set(at(`k${n}`), n);
        await advance(200);
      }
      expect(typesOf({ events } as Rig).filter((type) => type !== 'conflict').length).toBeLessThanOrEqual(6);
      primary.isDown = false;
      await advance(400_000);
      expect(backend.state).toMatchObject({ isDegraded: false, pendingWrites: 0 });
      expect(written).toHaveLength(300);
      expect(await behind.range(at('l'))).toEqual(written);
      expect(await behind.getMany(written.map((n) => at(`k${n}`)))).toMatchObject(
        written.map((value) => ({ value })),
      );
    });

    it('waits longer each time it goes away soon', async () => {
      const { backend, primary, advance, clock } = await open({ stableMs: 2_000 });
      const away: number[] = [];
      for (let n = 0; n < 7; n += 1) {
        primary.isDown = true;
        await backend.set(at('a'), n);
        primary.isDown = false;
        const since = clock.now();
        while (backend.state.isDegraded) await advance(500);
        away.push(Math.round((clock.now() - since) / 1_000));
      }
      expect(away).toEqual([3, 5, 9, 17, 33, 33, 33]);
      // Once it has held, it is trusted again.
      await advance(100_000);
      primary.isDown = true;
      await backend.set(at('a'), 0);
      primary.isDown = false;
      await advance(3_000);
      expect(backend.state.isDegraded).toBe(false);
    });
  });

  describe('when it opens', () => {
    it('begins degraded when its backend cannot be reached', async () => {
      const { backend, events, behind, primary, advance } = await open({ isDown: true });
      expect(events).toMatchObject([{ type: 'degraded' }]);
      await backend.set(at('a'), 1);
      primary.isDown = false;
      await advance(12_000);
      expect(await behind.get(at('a'))).toMatchObject({ value: 1 });
    });

    it('replays first what an earlier process has left', async () => {
      const before = await open();
      before.primary.isDown = true;
      await before.backend.set(at('a'), 'left');
      await before.backend.append(at('l'), [1, 2]);
      const stores = before.standIns.map(({ inner }) => inner);
      const { backend, events } = await open({ stores, behind: before.behind, clock: before.clock });
      expect(await backend.get(at('a'))).toMatchObject({ value: 'left' });
      expect(await backend.range(at('l'))).toEqual([1, 2]);
      expect(events).toMatchObject([{ type: 'recovered', replayed: 2 }]);
      expect(backend.state.isDegraded).toBe(false);
    });

    it('is back although programs write as fast as they can', async () => {
      const { backend, behind, primary, advance } = await open({ stableMs: 0 });
      const set = behind.set.bind(behind);
      jest.spyOn(behind, 'set').mockImplementation(async (...given) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return set(...given);
      });
      primary.isDown = true;
      let written = 0;
      let isOver = false;
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        while (!isOver) {
          await backend.set(at(`k${writer}`), (written += 1));
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      });
      await advance(500);
      primary.isDown = false;
      await advance(20_000);
      expect(backend.state).toMatchObject({ isDegraded: false, pendingWrites: 0 });
      isOver = true;
      await advance(1_000);
      await Promise.all(writers);
    });

    it('goes on with what an earlier process has left when its backend is still away', async () => {
      const before = await open();
      before.primary.isDown = true;
      await before.backend.append(at('l'), [1]);
      const stores = before.standIns.map(({ inner }) => inner);
      const after = await open({ stores, behind: before.behind, clock: before.clock, isDown: true });
      await after.backend.append(at('l'), [2]);
      expect(after.backend.state.pendingWrites).toBe(2);
      after.primary.isDown = false;
      await after.advance(12_000);
      expect(await after.behind.range(at('l'))).toEqual([1, 2]);
    });

    it('keeps the order of what an earlier process has left in two backends, and of what comes', async () => {
      const before = await open({ standIns: 2 });
      before.primary.isDown = true;
      for (let n = 0; n < 120; n += 1) await before.backend.append(at('l'), [n]);
      before.standIns[0]!.faults.isDown = true;
      for (let n = 120; n < 190; n += 1) await before.backend.append(at('l'), [n]);
      const stores = before.standIns.map(({ inner }) => inner);
      const after = await open({ stores, behind: before.behind, clock: before.clock, isDown: true });
      await after.backend.append(at('l'), [190]);
      after.primary.isDown = false;
      await after.advance(30_000);
      expect(await after.behind.range(at('l'))).toEqual(Array.from({ length: 191 }, (_, n) => n));
    });

    it('rejects what is no outage', async () => {
      const clock = new FakeClock();
      const rig = await open({ clock });
      const refused = {
        ...rig.behind,
        open: () => Promise.reject(new StorageError('DRIVER_MISSING', 'None.')),
      };
      await expect(openRig({ behind: rig.behind, stores: [refused as never] })).rejects.toMatchObject({
        code: 'DRIVER_MISSING',
      });
    });
  });

  describe('when it closes', () => {
    it('replays what it can', async () => {
      const { backend, primary, behind, events } = await open();
      primary.isDown = true;
      await backend.set(at('a'), 1);
      primary.isDown = false;
      await backend.close();
      expect(await behind.get(at('a'))).toMatchObject({ value: 1 });
      expect(typesOf({ events } as Rig)).toEqual(['degraded', 'recovered']);
      await expect(backend.get(at('a'))).rejects.toMatchObject({ code: 'CLOSED' });
    });

    it('says what is left on disk for the next start', async () => {
      const { backend, primary, events } = await open();
      primary.isDown = true;
      await backend.set(at('a'), 1);
      await backend.close();
      expect(events.at(-1)).toEqual({ type: 'unreplayed', in: 'stand-in', writes: 1, isLost: false });
      await jest.advanceTimersByTimeAsync(60_000);
      expect(jest.getTimerCount()).toBe(0);
    });
  });
});

describeBackend(
  'memory with another behind it',
  async (clock) => (await openRig({ clock, closesAll: true })).backend,
);
