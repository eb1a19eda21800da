import { join } from 'node:path';
import { Database, killAll, pathsInSqlite, startProgram } from './recording-program';
import { bytesIn, temporaryFolder } from './rig';

const folder = temporaryFolder();
let made = 0;

afterEach(killAll);

const newPath = (): string => join(folder(), `${(made += 1)}.db`);

const postgres = process.env['RECAP_TEST_POSTGRES_URL'];

describe('a program that listens for SIGTERM itself, with closeOnSignals,', () => {
  it.each(['buffered', 'spooled', 'strict'])(
    'is served and recorded on, with durability "%s", until it has nothing more to do',
    async (durability) => {
      const path = newPath();
      const program = await startProgram(
        { type: 'sqlite', path },
        // Nothing but the end of the process has the last ones written.
        { durability, closeOnSignals: true, drains: true, flushIntervalMs: 60_000 },
      );
      await program.tell('ready');
      await program.post('/echo/before');
      program.signal('SIGTERM');
      await program.draining();
      for (const id of ['while', 'it', 'drains']) {
        expect(await program.post(`/echo/${id}`)).toMatchObject({ status: 200 });
      }
      expect(await program.tell('leave')).toMatchObject({ captured: 4, shed: {}, strictFailures: {} });
      expect(await program.exited).toEqual([0, null]);
      expect(pathsInSqlite(path).sort()).toEqual(['/echo/before', '/echo/drains', '/echo/it', '/echo/while']);
    },
  );

  it('has what is queued written when the signal comes', async () => {
    const path = newPath();
    const program = await startProgram(
      { type: 'sqlite', path },
      { closeOnSignals: true, drains: true, flushIntervalMs: 60_000 },
    );
    await program.post('/echo/before');
    program.signal('SIGTERM');
    await program.draining();
    await program.until(({ stored }) => stored === 1);
  });

  (postgres === undefined ? it.skip : it)(
    'ends by itself without waiting for connections of the recorder that are idle',
    async () => {
      const program = await startProgram(
        { type: 'postgres', url: postgres },
        { closeOnSignals: true, drains: true, worker: false },
      );
      await program.tell('ready');
      await program.post('/echo/1');
      await program.tell('flush');
      program.signal('SIGTERM');
      await program.draining();
      await program.tell('leave');
      const leftAt = performance.now();
      expect(await program.exited).toEqual([0, null]);
      // An idle connection would be closed after 10 s.
      expect(performance.now() - leftAt).toBeLessThan(8_000);
    },
  );
});

describe('a program that leaves SIGTERM to closeOnSignals', () => {
  it('is ended by a second one at once, with what is not stored in the spool', async () => {
    const path = newPath();
    const program = await startProgram({ type: 'sqlite', path }, { closeOnSignals: true });
    await program.tell('ready');
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    for (let index = 0; index < 5; index += 1)
      await program.post(`/echo/${index}`, { text: `text ${index}` });
    const asked = performance.now();
    program.signal('SIGTERM');
    // Closing waits for the database for 10 s.
    await expect(program.tell('stats')).resolves.toMatchObject({ captured: 5, stored: 0 });
    program.signal('SIGTERM');
    expect(await program.exited).toEqual([null, 'SIGTERM']);
    expect(performance.now() - asked).toBeLessThan(8_000);
    expect((await bytesIn(folder())).toString('latin1')).toContain('text 4');
    other.exec('ROLLBACK');
    other.close();
    const next = await startProgram({ type: 'sqlite', path }, {});
    await next.tell('ready');
    expect(await next.flush()).toMatchObject({ replayed: 5, spooled: 0 });
  });
});
