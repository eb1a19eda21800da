import { mustSync } from '../src/must-sync';
import { resolveDatabase } from '../src/typeorm';

describe('mustSync', () => {
  const file = resolveDatabase({ type: 'sqlite', path: 'recap.db' });
  const memory = resolveDatabase({ type: 'sqlite', path: ':memory:' });
  const postgres = resolveDatabase({ type: 'postgres', url: 'postgres://localhost/recap' });

  it('syncs what leaves the spool once it is committed, and what an answer waits for', () => {
    expect([file, memory, postgres].map((target) => mustSync('strict', target))).toEqual([true, true, true]);
    expect([file, memory, postgres].map((target) => mustSync('spooled', target))).toEqual([
      true,
      false,
      false,
    ]);
    expect([file, memory, postgres].map((target) => mustSync('buffered', target))).toEqual([
      false,
      false,
      false,
    ]);
    expect(mustSync(undefined, file)).toBe(false);
  });
});
