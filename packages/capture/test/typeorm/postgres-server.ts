import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

/** The server of `RECAP_TEST_POSTGRES_URL`; tests make databases of their own on it. */
const serverUrl = process.env['RECAP_TEST_POSTGRES_URL'];

/** Runs `body` when there is a server; else one test says so, and fails where all servers must be there. */
export function describeOnPostgres(name: string, body: () => void): void {
  if (serverUrl !== undefined) {
    describe(name, body);
    return;
  }
  describe(name, () => {
    it('is skipped, since RECAP_TEST_POSTGRES_URL names no server', () => {
      console.warn(`SKIPPED: ${name}. Set RECAP_TEST_POSTGRES_URL to run it.`);
      expect(process.env['CI']).not.toBe('1');
    });
  });
}

export async function createDatabase(): Promise<string> {
  const name = `recap_${randomBytes(6).toString('hex')}`;
  // A language's order of text, which must make no difference.
  const language = "LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C' ENCODING 'UTF8'";
  await onServer(`CREATE DATABASE ${name} TEMPLATE template0 ${language}`);
  const url = new URL(serverUrl ?? '');
  url.pathname = `/${name}`;
  return url.href;
}

export async function dropDatabase(url: string): Promise<void> {
  await onServer(`DROP DATABASE IF EXISTS ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
}

/** Runs SQL on one database over a connection of its own. */
export async function onDatabase(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const onServer = (sql: string): Promise<unknown> => onDatabase(serverUrl ?? '', sql);
