import { createCacheBackend, createMemoryBackend } from '../../src';
import { createFaultyBackend } from '../../src/testing';

it('keys are listed, looked for and cleared without a value being read', async () => {
  const backend = createFaultyBackend(createMemoryBackend());
  const cache = createCacheBackend(backend);
  await cache.mset([
    ['session:1', 'x'],
    ['session:2', 'x'],
    ['other', 'x'],
  ]);
  const before = backend.calls.length;
  expect(await cache.keys('session:*')).toEqual(['session:1', 'session:2']);
  expect(await cache.exists('other')).toBe(true);
  await cache.clear();
  expect(await cache.keys()).toEqual([]);
  expect([...new Set(backend.calls.slice(before))].sort()).toEqual(['batch', 'keys', 'length']);
});

it.each(['keys', 'clear'] as const)('%s() that is under way at the end rejects CLOSED', async (operation) => {
  const backend = createFaultyBackend(createMemoryBackend());
  const cache = createCacheBackend(backend);
  await cache.set('a', 1);
  backend.fail({ methods: ['keys'], kind: 'late' });
  const underWay = cache[operation]();
  const outcome = expect(underWay).rejects.toMatchObject({ code: 'CLOSED' });
  await cache.disconnect();
  backend.heal();
  await outcome;
});
