import { EventEmitter } from 'node:events';
import { PoolPlaces } from '../../../src/backends/postgres/pool-places';
import type { PostgresPool } from '../../../src/backends/postgres/postgres-client';

const poolOf = (counts: { totalCount?: number; options?: { max: number } }) =>
  Object.assign(new EventEmitter(), counts) as EventEmitter & PostgresPool;

describe('the places of a pool', () => {
  it('are taken by connections that were made and have not ended, not by those that are being made', () => {
    const pool = poolOf({ totalCount: 2, options: { max: 2 } });
    const places = new PoolPlaces(pool, true);
    const [one, other] = [new EventEmitter(), new EventEmitter()];
    pool.emit('connect', one);
    expect(places.areTaken).toBe(false);
    pool.emit('connect', other);
    expect(places.areTaken).toBe(true);
    one.emit('end');
    expect(places.areTaken).toBe(false);
  });

  it.each([
    ['with room', { totalCount: 1, options: { max: 2 } }, false],
    ['without', { totalCount: 2, options: { max: 2 } }, true],
    ['that does not count', {}, true],
  ])('of a pool %s that was handed in are what it says', (_what, counts, areTaken) => {
    expect(new PoolPlaces(poolOf(counts), false).areTaken).toBe(areTaken);
  });
});
