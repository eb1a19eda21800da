import { join } from 'node:path';
import Database from 'better-sqlite3';
import { createSqliteBackend } from '../../../src';
import { at, temporaryFolder } from './temporary-folder';

const folder = temporaryFolder();

async function lockedFile(busyTimeoutMs: number) {
  const path = join(folder(), 'items.db');
  const backend = createSqliteBackend({ path, busyTimeoutMs, sweepIntervalMs: 0 });
  await backend.open();
  await backend.set(at('before'), 1);
  const other = new Database(path);
  other.exec('BEGIN IMMEDIATE');
  return { backend, other };
}

describe('while another has the lock of an SQLite file', () => {
  it('the program goes on, reads are answered, and writes when the lock is free', async () => {
    const { backend, other } = await lockedFile(60_000);
    let isWritten = false;
    const writing = Promise.all([backend.set(at('k'), 1), backend.append(at('l'), [1])]).then(() => {
      isWritten = true;
    });
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setTimeout(resolve));
    expect(isWritten).toBe(false);
    expect((await backend.get(at('before')))?.value).toBe(1);
    other.exec('COMMIT');
    await writing;
    expect((await backend.get(at('k')))?.value).toBe(1);
    other.close();
    await backend.close();
  });

  it('a write is refused when it has waited long enough, and the next one begins anew', async () => {
    const { backend, other } = await lockedFile(20);
    const outcomes = await Promise.allSettled([backend.set(at('a'), 1), backend.set(at('b'), 1)]);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({
        reason: { code: 'UNAVAILABLE', message: expect.stringContaining('busyTimeoutMs') as string },
      });
    other.exec('ROLLBACK');
    other.close();
    await backend.set(at('b'), 2);
    expect(await backend.get(at('a'))).toBe(undefined);
    expect((await backend.get(at('b')))?.value).toBe(2);
    await backend.close();
  });

  it('opening waits for it', async () => {
    const path = join(folder(), 'items.db');
    const other = new Database(path);
    other.pragma('journal_mode = WAL');
    other.exec('BEGIN IMMEDIATE');
    const backend = createSqliteBackend({ path, sweepIntervalMs: 0 });
    const opening = backend.open();
    await new Promise((resolve) => setImmediate(resolve));
    other.exec('COMMIT');
    other.close();
    await opening;
    await backend.close();
  });
});
