import type { Backend } from '../../src/backend';
import { createMemoryBackend } from '../../src/backends/memory/memory-backend';
import { StorageError } from '../../src/errors';
import { FallbackBackend } from '../../src/fallback/fallback-backend';
import { Overlay, type OverlayOptions } from '../../src/fallback/overlay';
import { newId } from '../../src/new-id';
import { aroundBackend } from '../../src/resilience/around-backend';
import { callPolicy } from '../../src/resilience/call-policy';
import { FakeClock } from '../../src/testing';
import { faultyBackend, unavailable } from '../faulty-backend';
import { at, openRig } from './rig';

const overlayOf = (store: Backend, own?: OverlayOptions['own']): Overlay =>
  new Overlay(store, {
    ...{ name: 'x', reads: 'partial', maxValueBytes: 2 ** 20, newId },
    ...(own === undefined ? {} : { own }),
  });

const behind = (primary: Backend, overlay = overlayOf(createMemoryBackend())): FallbackBackend =>
  new FallbackBackend({
    ...{ primary, overlays: [overlay], probeIntervalMs: 1_000, stableMs: 1_000, graceMs: 500 },
    ...{ clock: new FakeClock(), newId, onEvent: () => undefined, onError: () => undefined },
  });

describe('a fallback', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('that cannot be opened fails the calls that wait for it', async () => {
    const own = (): never => {
      throw new StorageError('CONFIG_INVALID', 'No.');
    };
    const backend = behind(createMemoryBackend(), overlayOf(createMemoryBackend(), own));
    const opening = backend.open();
    const call = backend.get(at('a'));
    await expect(opening).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(call).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('leaves its store to others though that fails to close', async () => {
    const inner = createMemoryBackend();
    const close = (): Promise<never> => Promise.reject(unavailable());
    let owners = 0;
    const overlay = overlayOf({ ...faultyBackend(inner).backend, close }, () => {
      owners += 1;
      return () => void (owners -= 1);
    });
    await overlay.open();
    expect(owners).toBe(1);
    await expect(overlay.close()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(owners).toBe(0);
    await inner.close();
  });

  it('counts and tells once what it can take off its journal only later', async () => {
    const rig = await openRig({ stableMs: 1_000 });
    const { backend, primary, standIns, events } = rig;
    primary.isDown = true;
    await backend.set(at('before'), 0);
    await backend.set(at('k'), 1);
    await backend.set(at('c'), 'ours');
    await rig.behind.set(at('c'), 'theirs');
    primary.isDown = false;
    let refusals = 3;
    standIns[0]!.faults.before = (method) => {
      if (method === 'delete' && (refusals -= 1) >= 0) throw unavailable();
    };
    await rig.advance(30_000);
    expect(events.map(({ type }) => type)).toEqual(['degraded', 'conflict', 'recovered']);
    expect(events.at(-1)).toMatchObject({ replayed: 2, conflicts: 1 });
  });

  it('never says that nothing is there while a value takes the place of another', async () => {
    const { backend, primary } = await openRig();
    await backend.set(at('k'), 'a');
    primary.isDown = true;
    await backend.set(at('other'), 1);
    const setting = backend.set(at('k'), 'b');
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, turns) => {
        for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
        const [one, several] = await Promise.allSettled([backend.get(at('k')), backend.getMany([at('k')])]);
        return [
          one.status === 'fulfilled' ? one.value?.value : 'unknown',
          several.status === 'fulfilled' ? several.value[0]?.value : 'unknown',
        ];
      }),
    );
    await setting;
    expect(new Set(answers.flat())).toEqual(new Set(['unknown', 'b']));
  });

  it('refuses what is no object for options', async () => {
    const { backend } = await openRig();
    await backend.set(at('x'), 1);
    for (const none of [7, true, null] as never[]) {
      await expect(backend.delete(at('x'), none)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
      await expect(backend.set(at('x'), 2, none)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
      await expect(backend.append(at('l'), [2], none)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
    }
    expect((await backend.get(at('x')))?.value).toBe(1);
  });

  it('takes over what an open circuit has refused, since nothing was sent', async () => {
    const { backend: faulty, faults } = faultyBackend(createMemoryBackend());
    const circuitBreaker = { failures: 2, resetAfterMs: 5_000 };
    const policy = callPolicy({ name: 'primary', budgetMs: 10_000, retry: false, circuitBreaker });
    const backend = behind(aroundBackend(faulty, policy));
    await backend.open();
    faults.isDown = true;
    const reads = [backend.get(at('a')), backend.get(at('b'))];
    // The circuit is open, and the fallback still looks whether the connection is there again.
    await jest.advanceTimersByTimeAsync(20);
    const calls = faults.calls.length;
    const appended = backend.append(at('l'), [1]);
    await jest.advanceTimersByTimeAsync(2_000);
    expect(await appended).toBe(1);
    expect(faults.calls.slice(calls)).not.toContain('append');
    await Promise.all(reads);
  });

  it('leaves what others wrote while a write was still tried', async () => {
    const rig = await openRig({ stableMs: 1_000 });
    const { backend, primary, events } = rig;
    await rig.behind.set(at('d'), 'old');
    for (const write of [() => backend.set(at('k'), 'ours'), () => backend.delete(at('d'))]) {
      primary.before = async (method) => {
        if (method !== 'set' && method !== 'delete') return;
        primary.before = undefined;
        await rig.behind.set(at(method === 'set' ? 'k' : 'd'), 'theirs');
        primary.isDown = true;
      };
      await write();
      expect(backend.state.isDegraded).toBe(true);
      primary.isDown = false;
      await rig.advance(30_000);
    }
    expect(events.map(({ type }) => type)).toEqual([
      ...['degraded', 'conflict', 'recovered'],
      ...['degraded', 'conflict', 'recovered'],
    ]);
    const found = await rig.behind.getMany([at('k'), at('d')]);
    expect(found.map((item) => item?.value)).toEqual(['theirs', 'theirs']);
  });

  it.each([4, 5, 6, 7, 8])(
    'shows nothing of a write that its store of %d items had no room for',
    async (maxItems) => {
      const store = createMemoryBackend({ maxItems, sweepIntervalMs: 0 });
      await store.open();
      const rig = await openRig({ stores: [store], stableMs: 1_000 });
      const { backend, primary } = rig;
      const keys = Array.from({ length: maxItems }, (_, n) => at(`k${n}`));
      for (const key of keys) await backend.set(key, 'before');
      primary.isDown = true;
      const outcomes = await Promise.allSettled(keys.map((key) => backend.set(key, 'meanwhile')));
      const refused = keys.filter((_, n) => outcomes[n]!.status === 'rejected');
      expect(refused.length).toBeGreaterThan(0);
      for (const key of refused)
        await expect(backend.get(key)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      primary.isDown = false;
      await rig.advance(30_000);
      for (const key of refused) expect((await backend.get(key))?.value).toBe('before');
    },
  );

  describe('whose store may have a write that it did not answer for', () => {
    async function openUncertain() {
      const rig = await openRig({ stableMs: 1_000, isDown: true });
      const { faults } = rig.standIns[0]!;
      faults.before = (method) => {
        if (method === 'set') faults.lostAnswers.push(unavailable('ECONNRESET'));
      };
      await expect(rig.backend.set(at('b'), 2)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      faults.before = undefined;
      return rig;
    }

    it('makes nothing of it, and goes on behind it', async () => {
      const { backend, behind: primary, primary: faults, advance, events } = await openUncertain();
      await backend.set(at('b'), 'acknowledged');
      expect(backend.state.pendingWrites).toBe(1);
      faults.isDown = false;
      await advance(30_000);
      expect((await primary.get(at('b')))?.value).toBe('acknowledged');
      expect(events.at(-1)).toMatchObject({ type: 'recovered', replayed: 1, conflicts: 0 });
    });

    it('is back though its store is away by then', async () => {
      const { backend, primary: faults, standIns, advance } = await openUncertain();
      standIns[0]!.faults.isDown = true;
      faults.isDown = false;
      await advance(30_000);
      expect(backend.state.isDegraded).toBe(false);
    });

    it('is through with it once its backend is back, and brings nothing of it back later', async () => {
      const { backend, behind: primary, primary: faults, standIns, clock, advance } = await openUncertain();
      faults.isDown = false;
      await advance(30_000);
      expect(backend.state).toMatchObject({ isDegraded: false, pendingWrites: 0 });
      await backend.delete(at('b'));
      await backend.close();
      const next = await openRig({ stores: [standIns[0]!.inner], behind: primary, clock });
      expect((await next.backend.keys('p')).items).toEqual([]);
      await next.backend.close();
    });
  });

  it.each([
    ['never answers', () => new Promise<never>(() => undefined)],
    ['rejects', () => Promise.reject(new Error('No.'))],
  ])('takes over though the health of its backend %s', async (_what, health) => {
    const { backend: faulty, faults } = faultyBackend(createMemoryBackend());
    const backend = behind({ ...faulty, health });
    await backend.open();
    faults.isDown = true;
    const written = backend.set(at('a'), 1);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(await written).toEqual(expect.any(String));
    expect(backend.state.isDegraded).toBe(true);
  });
});
