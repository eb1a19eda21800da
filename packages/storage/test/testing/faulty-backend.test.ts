import { createMemoryBackend } from '../../src';
import { createFaultyBackend, type FaultyBackend } from '../../src/testing';

const a = { partition: 'p', key: 'a' };
const UNAVAILABLE = { code: 'UNAVAILABLE' };

describe('createFaultyBackend', () => {
  let backend: FaultyBackend;

  beforeEach(async () => {
    backend = createFaultyBackend(createMemoryBackend());
    await backend.open();
  });
  afterEach(async () => {
    backend.heal();
    await backend.close();
  });

  it('works until it is told to fail, and again after healing', async () => {
    await backend.set(a, 1);
    backend.fail();
    await expect(backend.get(a)).rejects.toMatchObject(UNAVAILABLE);
    await expect(backend.open()).rejects.toMatchObject(UNAVAILABLE);
    backend.heal();
    expect((await backend.get(a))?.value).toBe(1);
    expect(backend.calls).toEqual(['open', 'set', 'get', 'open', 'get']);
    expect(backend.name).toBe('memory');
  });

  it('refuses before anything happens', async () => {
    backend.fail({ methods: ['set'], error: new Error('mine') });
    await expect(backend.set(a, 1)).rejects.toThrow('mine');
    expect(await backend.get(a)).toBeUndefined();
  });

  it('loses the answer of what has happened', async () => {
    backend.fail({ methods: ['append'], kind: 'lose', times: 1 });
    await expect(backend.append(a, [1], { version: 'v1' })).rejects.toMatchObject(UNAVAILABLE);
    expect(await backend.append(a, [1], { version: 'v1' })).toBe(1);
  });

  it('befalls the calls that are named, after some and for a while', async () => {
    backend.fail({ methods: ['get'], after: 1, times: 2 });
    await backend.get(a);
    await expect(backend.get(a)).rejects.toMatchObject(UNAVAILABLE);
    await backend.delete(a);
    await expect(backend.get(a)).rejects.toMatchObject(UNAVAILABLE);
    await backend.get(a);
  });

  it('holds a call until it is healed, before it happens or after', async () => {
    backend.fail({ methods: ['set'], kind: 'hold', times: 1 });
    const held = backend.set(a, 1);
    expect(await backend.get(a)).toBeUndefined();
    backend.heal();
    await held;
    backend.fail({ methods: ['set'], kind: 'late', times: 1 });
    const late = backend.set(a, 2);
    while ((await backend.get(a))?.value !== 2);
    const outcome = await Promise.race([late, Promise.resolve('still waiting')]);
    expect(outcome).toBe('still waiting');
    backend.heal();
    await late;
  });

  it('tells of a health that is not', async () => {
    backend.fail({ methods: ['health'] });
    expect(await backend.health()).toMatchObject({ healthy: false, error: UNAVAILABLE });
  });
});
