import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Client } from 'pg';

const url = process.env['RECAP_TEST_POSTGRES_URL'];
const PROCESSES = 4;

async function word(child: ChildProcess): Promise<unknown> {
  const [message] = (await once(child, 'message')) as unknown[];
  return message;
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

describe('four processes on one PostgreSQL', () => {
  if (url === undefined) {
    it('is skipped, since RECAP_TEST_POSTGRES_URL names no server', () => {
      console.warn('SKIPPED: four processes on one PostgreSQL.');
      expect(process.env['CI']).not.toBe('1');
    });
    return;
  }

  it('put the first requests of one user at the same moment into one session, on an empty database', async () => {
    const name = `one_session_${String(process.pid)}`;
    const admin = new Client({ connectionString: url });
    await admin.connect();
    await admin.query(`CREATE DATABASE ${name}`);
    const database = Object.assign(new URL(url), { pathname: `/${name}` }).href;
    const children = Array.from({ length: PROCESSES }, () =>
      fork(join(__dirname, 'one-session-process.mjs'), [database], { execArgv: [] }),
    );
    try {
      await Promise.all(children.map(word));
      const writtenAll = Promise.all(children.map(word));
      for (const child of children) child.send('go');
      await writtenAll;
      const answers = Promise.all(children.map(word));
      for (const child of children) child.send('tell');
      const sessions = (await answers) as [string, number][][];
      expect(sessions.map((items) => items.length)).toEqual(Array(PROCESSES).fill(1));
      expect(new Set(sessions.map(([item]) => item?.[0])).size).toBe(1);
      expect(sessions.map(([item]) => item?.[1])).toEqual(Array(PROCESSES).fill(PROCESSES));
    } finally {
      for (const child of children) child.kill();
      for (const child of children) if (isRunning(child)) await once(child, 'exit');
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    }
  });
});
