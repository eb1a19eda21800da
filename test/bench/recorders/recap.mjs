import { join } from 'node:path';
import Database from 'better-sqlite3';
import pg from 'pg';
import { createRecorder } from '@recap/capture';
import { Unavailable } from './unavailable.mjs';

/** Recap as its guide mounts it; `settings` are options of the recorder. */
export async function start({ framework, folder, settings, database, databaseUrl }) {
  const path = join(folder, 'recap.db');
  const recorder = create({
    database: database === 'postgres' ? { type: 'postgres', url: databaseUrl } : { type: 'sqlite', path },
    spool: { path: join(folder, 'spool') },
    ...settings,
  });
  await recorder.ready();
  const { storageMiddleware } = await import(
    framework === 'koa' ? '@recap/capture/koa' : '@recap/capture/express'
  );
  const wantsWorker = settings.worker !== false;
  return {
    before: [storageMiddleware({ recorder })],
    settle: () => recorder.flush(),
    finish: async () => {
      const { shed, worker } = recorder.stats();
      if (worker !== wantsWorker) throw new Error(`it ran ${worker ? 'with' : 'without'} a worker`);
      await recorder.close();
      // What is in the database, not what the recorder says of it.
      const stored = database === 'postgres' ? await countInPostgres(databaseUrl) : countInSqlite(path);
      return { stored, shed: Object.values(shed).reduce((sum, count) => sum + count, 0) };
    },
  };
}

function create(options) {
  try {
    return createRecorder(options);
  } catch (error) {
    if (options.durability === 'strict' && error.code === 'CONFIG_INVALID') {
      throw new Unavailable('this build knows no durability "strict"', { cause: error });
    }
    throw error;
  }
}

function countInSqlite(path) {
  const database = new Database(path, { readonly: true });
  const { count } = database.prepare('SELECT count(*) AS count FROM recap_entries').get();
  database.close();
  return count;
}

async function countInPostgres(connectionString) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const { rows } = await client.query('SELECT count(*)::int AS count FROM recap_entries');
  await client.end();
  return rows[0].count;
}
