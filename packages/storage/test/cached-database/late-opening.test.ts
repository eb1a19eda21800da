import { createCachedDatabase, createMemoryBackend, type Backend, type CachedDatabase } from '../../src';
import { unavailable } from '../faulty-backend';
import { Rig, Watched } from './rig';

/** Until all that can go on by itself has gone on. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
};

/** Hands messages on, and counts who listens. */
function openBus() {
  const listeners = new Set<(message: never) => void>();
  const { capabilities } = createMemoryBackend({ sweepIntervalMs: 0 });
  const backend = {
    ...{ name: 'bus', capabilities, open: async () => undefined, close: async () => undefined },
    publish: async (_channel: string, message: unknown) => {
      for (const listener of listeners) listener(message as never);
    },
    subscribe: async (_channel: string, listener: (message: never) => void) => {
      listeners.add(listener);
      return async () => void listeners.delete(listener);
    },
  };
  return { bus: new Watched(backend as unknown as Backend), listening: () => listeners.size };
}

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});

const make = (bus?: Watched<Backend>): CachedDatabase =>
  createCachedDatabase({
    ...{ cache: rig.cache, database: rig.database.proxy, strategy: 'read-through', ttlSeconds: 60 },
    ...{ onError: () => undefined, ...(bus && { invalidateOver: bus.proxy }) },
  });

describe('what a cached database listens to', () => {
  it('is looked for anew after a connect() that failed', async () => {
    const { bus, listening } = openBus();
    const cached = make(bus);
    const held = rig.database.hold('connect', 'before');
    rig.database.fail(unavailable(), 'connect');
    const connecting = cached.connect();
    await settled();
    held.release();
    await expect(connecting).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(listening()).toBe(0);
    rig.database.fail(undefined, 'connect');
    bus.fail(unavailable(), 'subscribe');
    await cached.connect();
    await rig.database.proxy.set('k', 1);
    expect(await cached.get('k')).toBe(1);
    // Of another instance, which cannot be heard.
    await rig.database.proxy.set('k', 2);
    rig.clock.advance(5_000);
    expect(await cached.get('k')).toBe(2);
    bus.fail(undefined, 'subscribe');
    rig.clock.advance(5_000);
    await cached.get('k');
    await settled();
    expect(listening()).toBe(1);
    await cached.disconnect();
    expect(listening()).toBe(0);
  });

  it('is left by a connect() that fails before the cache is there', async () => {
    const { bus, listening } = openBus();
    const cached = make(bus);
    const held = rig.cacheBackend.hold('open');
    rig.database.fail(unavailable(), 'connect');
    const connecting = cached.connect().catch(() => undefined);
    await settled();
    held.release();
    await connecting;
    await cached.disconnect();
    expect(listening()).toBe(0);
  });

  it('is not begun after disconnect()', async () => {
    const { bus, listening } = openBus();
    const cached = make(bus);
    bus.fail(unavailable(), 'subscribe');
    await cached.connect();
    bus.fail(undefined, 'subscribe');
    rig.clock.advance(2_000);
    const held = rig.database.hold('set');
    const setting = cached.set('k', 1);
    await held.arrived;
    await cached.disconnect();
    held.release();
    await setting;
    await settled();
    expect(listening()).toBe(0);
  });
});

describe('a cache that is not there at the start', () => {
  it('is used although the clock was set back', async () => {
    rig.cacheBackend.fail(unavailable(), 'open');
    const cached = await rig.open('read-through');
    rig.cacheBackend.fail(undefined, 'open');
    rig.clock.advance(-3_600_000);
    await cached.get('k');
    await settled();
    await cached.get('k');
    await cached.get('k');
    expect(cached.stats().hits).toBe(1);
  });

  it('is told of once for each attempt, however many reads there are', async () => {
    rig.cacheBackend.fail(unavailable(), 'open');
    const cached = await rig.open('read-through');
    rig.failures.length = 0;
    rig.clock.advance(2_000);
    rig.cacheBackend.fail(Object.assign(new Error('No.'), { code: 'ACCESS_DENIED' }), 'open');
    const held = rig.cacheBackend.hold('open', 'before');
    for (let read = 0; read < 100; read += 1) await cached.get('k');
    held.release();
    await settled();
    expect(rig.failures).toHaveLength(1);
  });
});

describe('a cached database', () => {
  it('answers nothing that clear() could not take out of the cache', async () => {
    const cached = await rig.open('read-through');
    await rig.database.proxy.set('k', 1);
    await cached.get('k');
    rig.cacheBackend.fail(unavailable(), 'batch');
    await expect(cached.clear()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    rig.cacheBackend.fail(undefined, 'batch');
    expect(await cached.get('k')).toBeUndefined();
  });

  it('tries a delete again after a pause that its database rejects with nothing', async () => {
    let attempts = 0;
    const nothing = undefined as unknown as Error;
    const remove = (): Promise<never> => {
      attempts += 1;
      return Promise.reject(nothing);
    };
    const database = new Proxy(rig.database.proxy, {
      get: (target, name) => (name === 'delete' ? remove : (Reflect.get(target, name) as unknown)),
    });
    const cached = await rig.open('write-behind', {
      database,
      writeBehind: { retries: 2, initialDelayMs: 1 },
    });
    await cached.delete('k');
    await expect(cached.flush()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(attempts).toBeLessThan(10);
  });
});
